/** The runner in a small project of its own: its tools are stand-ins that write down how they were called; Redis is real. */
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { atEnd } from '../support/at-end.js';
import { ROOT } from '../support/cli.js';
import { type Program, startNode } from '../support/process-harness.js';
import { testRedisUrl } from '../support/redis.js';

/** What `npx` stands for: it "installs" by writing the tools into node_modules. */
const NPX = `#!${process.execPath}
  const { appendFileSync, cpSync, mkdirSync } = require('node:fs');
  appendFileSync('calls', 'npx ' + process.argv.slice(2).join(' ') + '\\n');
  if (process.env.NPX_FAILS) { console.log('no such registry'); process.exit(7); }
  cpSync('tools-of-the-test', 'node_modules', { recursive: true });
  mkdirSync('packages/one/node_modules', { recursive: true });`;

/** What a tool stands for; `FAILS` names the one that fails. */
const TOOL = `const { appendFileSync, writeFileSync } = require('node:fs');
  const name = require('node:path').basename(__filename, '.cjs');
  appendFileSync('calls', name + ' ' + process.argv.slice(2).join(' ') + '\\n');
  if (process.env.TEST_COUNTS_FILE) writeFileSync(process.env.TEST_COUNTS_FILE, JSON.stringify({ passed: 5, failed: name === process.env.FAILS ? 1 : 0, skipped: 2 }));
  console.log(name + ' says one line'); console.error(name + ' says another');
  if (name === process.env.FAILS) process.exitCode = 9;`;

const DEMO = `import { appendFileSync } from 'node:fs';
  appendFileSync('calls', 'demo ' + process.argv.slice(2).join(' ') + ' at ' + process.env.REDIS_URL + '\\n');
  console.log('{"document":1}');
  if (process.argv.includes('--stay')) {
    const timer = setInterval(() => {}, 1000);
    process.once('SIGTERM', () => { clearInterval(timer); console.log('stopped in good order'); process.exitCode = 3; });
    console.log('staying');
  }`;

function project() {
  const root = mkdtempSync(join(tmpdir(), 'run-test-'));
  atEnd(() => rmSync(root, { recursive: true }));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  cpSync(join(ROOT, 'tools'), join(root, 'tools'), { recursive: true });
  write('package.json', '{ "packageManager": "pnpm@1.2.3+sha512.abc", "type": "module" }');
  write('pnpm-lock.yaml', 'first');
  write('pnpm-workspace.yaml', '');
  write('packages/one/package.json', '{}');
  write('packages/one/src/index.ts', '');
  write('examples/demo/demo.mjs', DEMO);
  write('tools/build-lua.mjs', "import '../tools-of-the-test/build-lua.cjs';");
  write('tools-of-the-test/build-lua.cjs', TOOL);
  for (const [name, bin] of Object.entries({ typescript: 'tsc', '@biomejs/biome': 'biome', jest: 'jest' })) {
    write(`tools-of-the-test/${name}/package.json`, `{ "bin": { "${bin}": "./${bin}.cjs" }, "type": "commonjs" }`);
    write(`tools-of-the-test/${name}/${bin}.cjs`, TOOL);
  }
  write('bin/package.json', '{ "type": "commonjs" }');
  write('bin/npx', NPX);
  chmodSync(join(root, 'bin', 'npx'), 0o755);
  const PATH = [join(root, 'bin'), process.env.PATH].join(delimiter);
  const start = (args: readonly string[], env: Record<string, string> = {}): Program =>
    startNode(join(root, 'tools', 'run.mjs'), args, { cwd: tmpdir(), env: { PATH, REDIS_URL: testRedisUrl(), ...env } });
  const calls = (): string[] => (existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8').trimEnd().split('\n') : []);
  return { start, calls, write, forget: () => rmSync(join(root, 'calls'), { force: true }) };
}

const INSTALL = 'npx --yes pnpm@1.2.3 install --frozen-lockfile --pm-on-fail=ignore';

test('test installs, builds, checks, runs jest with the given arguments, and closes with its numbers', async () => {
  const { start, calls } = project();
  const program = start(['test', 'some/file', '-t', 'name']);
  expect(await program.exit()).toEqual({ code: 0, signal: null });
  expect(calls()).toEqual([
    INSTALL,
    'build-lua ',
    'tsc -b',
    'biome ci --colors=off .',
    'tsc -p tsconfig.check.json',
    'jest -c test/jest.config.js --ci some/file -t name',
  ]);
  expect(program.stdout).toBe('jest says one line\n5 passed, 0 failed, 2 skipped\n');
  const steps = program.stderr.split('\n').filter((line) => line.startsWith('ok '));
  const names = ['install', 'build scripts', 'build', 'lint and format', 'types of the tests', 'imports', 'redis \\(of REDIS_URL\\)'];
  expect(steps).toEqual(names.map((name) => expect.stringMatching(new RegExp(`^ok {6}${name} {2}\\d+\\.\\d s$`))));
});

test('it installs again only when a manifest has changed', async () => {
  const { start, calls, write, forget } = project();
  for (const expected of [[INSTALL], [], [INSTALL]]) {
    forget();
    expect(await start(['demo']).exit()).toEqual({ code: 0, signal: null });
    expect(calls().filter((line) => line.startsWith('npx'))).toEqual(expected);
    if (expected.length === 0) write('pnpm-lock.yaml', 'second');
  }
});

test('demo hands on arguments, exit code and standard output, and nothing else is on it', async () => {
  const { start, calls } = project();
  const program = start(['demo', '--json', '--limit', '3']);
  expect(await program.exit()).toEqual({ code: 0, signal: null });
  expect(program.stdout).toBe('{"document":1}\n');
  expect(calls().at(-1)).toBe(`demo --json --limit 3 at ${testRedisUrl()}`);
});

test.each([
  { fails: 'tsc', name: 'build', code: 9 },
  { fails: 'biome', name: 'lint and format', code: 9 },
])('a failed step ($name) shows its whole output, ends the run, and its exit code is ours', async ({ fails, name, code }) => {
  const { start, calls } = project();
  const program = start(['test'], { FAILS: fails });
  expect(await program.exit()).toEqual({ code, signal: null });
  expect(program.stderr).toMatch(new RegExp(`failed {2}${name} {2}[\\d.]+ s\n(${fails} says .*\n){2}$`));
  expect(calls().at(-1)).toMatch(new RegExp(`^${fails} `));
});

test('an installation that fails says what pnpm said', async () => {
  const program = project().start(['demo'], { NPX_FAILS: '1' });
  expect(await program.exit()).toEqual({ code: 7, signal: null });
  expect(program.stderr).toMatch(/^failed {2}install {2}[\d.]+ s\nno such registry\n$/);
});

test('failed tests are counted, and their exit code is ours', async () => {
  const program = project().start(['test'], { FAILS: 'jest' });
  expect(await program.exit()).toEqual({ code: 9, signal: null });
  expect(program.stdout).toBe('jest says one line\n5 passed, 1 failed, 2 skipped\n');
});

test('a signal goes to the command, which ends in good order', async () => {
  const program = project().start(['demo', '--stay']);
  await program.line('staying');
  program.kill('SIGTERM');
  expect(await program.exit()).toEqual({ code: 143, signal: null });
  expect(program.stdout).toContain('stopped in good order');
});

test('an unknown command is answered with the known ones', async () => {
  const program = project().start(['dance']);
  expect(await program.exit()).toEqual({ code: 64, signal: null });
  expect(program.stderr).toMatch(/^usage: node tools\/run\.mjs <command> .*\n {2}demo .*\n {2}test /);
});
