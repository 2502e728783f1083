import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, silentLogger } from '@drover/core/kit';
import { StateFile, stateFilePath } from './state-file.js';

let dir: string;
let path: string;
let warnings: string[];
let file: StateFile;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dsf-'));
  path = join(dir, 'state.json');
  warnings = [];
  const logger: Logger = { ...silentLogger, warn: (message, fields) => void warnings.push(`${message}: ${String(fields?.error)}`) };
  file = new StateFile(path, logger);
});
afterEach(() => rmSync(dir, { recursive: true }));

test('what was saved is loaded; the file is ours alone, and nothing else is left beside it', () => {
  expect(file.load()).toEqual({});
  file.save({ mail: 3 });
  file.save({ mail: 4, pdf: 0 });
  expect(file.load()).toEqual({ mail: 4, pdf: 0 });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir)).toEqual(['state.json']);
  expect(warnings).toEqual([]);
});

test.each([
  ['half a file', '{"v":1,"si'],
  ['nothing', ''],
  ['another version', '{"v":2,"sizes":{"mail":3}}'],
  ['a size that cannot be', '{"v":1,"sizes":{"mail":-3}}'],
])('%s is ignored with one warning', (_, text) => {
  writeFileSync(path, text, { mode: 0o600 });
  expect(file.load()).toEqual({});
  expect(warnings).toHaveLength(1);
});

test('a file that others may write to, or a link, is not trusted', () => {
  file.save({ mail: 3 });
  chmodSync(path, 0o622);
  expect(file.load()).toEqual({});
  const link = join(dir, 'link');
  symlinkSync(path, link);
  expect(new StateFile(link, silentLogger).load()).toEqual({});
  expect(warnings).toEqual([expect.stringContaining('others may write to it')]);
});

test('a place that cannot be written to is one warning, not one for each change', () => {
  const lost = new StateFile(join(dir, 'missing', 'state.json'), { ...silentLogger, warn: (message) => void warnings.push(message) });
  lost.save({ mail: 1 });
  lost.save({ mail: 2 });
  expect(warnings).toEqual(['the sizes cannot be remembered']);
});

test('it is in the private directory of the socket; without one the configuration cannot be used', () => {
  const uid = process.getuid?.();
  const around = { platform: 'darwin', uid, runtimeDir: dir, tempDir: dir } as const;
  expect(stateFilePath('herd', around)).toBe(join(dir, 'drover', 'herd.state.json'));
  chmodSync(join(dir, 'drover'), 0o755);
  mkdirSync(join(dir, `drover-${uid}`), { mode: 0o755 });
  const message = /^persistScale needs a private directory, and there is none: .*its mode is 0755, it has to be 0700/;
  expect(() => stateFilePath('herd', around)).toThrow(expect.objectContaining({ exitCode: 78, message: expect.stringMatching(message) }));
});
