import type { GroupConfig } from '../config/resolved.js';
import { loadModule } from './load-module.js';

const options = { name: 'mail#1', group: 'mail', queue: 'mail', prefix: 'bull', connection: 'redis://a', concurrency: 1 };
const fixture = (file: string): string => new URL(`../../../../test/supervision/fixtures/modules/${file}`, import.meta.url).href;

function group(kind: GroupConfig['module']['kind'], file: string): GroupConfig {
  return { group: 'mail', module: { kind, url: fixture(file) } } as GroupConfig;
}

test.each(['processor.mjs', 'compiled.cjs'])('the default export of %s is a processor', async (file) => {
  const loaded = await loadModule(group('processor', file));
  expect(loaded).toMatchObject({ kind: 'processor', processor: expect.any(Function) });
});

test('a module compiled to CommonJS gives the function that was its default export', async () => {
  const loaded = await loadModule(group('processor', 'compiled.cjs'));
  expect(loaded.kind === 'processor' && (await loaded.processor())).toBe('compiled');
});

test.each(['obedient.mjs', 'made-by-function.mjs', 'single.mjs'])('%s makes something with run() and close()', async (file) => {
  const loaded = await loadModule(group('worker', file));
  const made = loaded.kind === 'worker' ? await loaded.make(options) : undefined;
  expect(made).toMatchObject({ close: expect.any(Function), run: expect.any(Function) });
});

test('what a function makes is checked when it is made', async () => {
  const loaded = await loadModule(group('worker', 'makes-nothing.mjs'));
  const making = loaded.kind === 'worker' ? loaded.make(options) : undefined;
  await expect(making).rejects.toThrow('makes-nothing.mjs made has no run() and close(), it is an object');
});

test.each([
  { kind: 'processor', file: 'throws-at-import.mjs', says: 'does not load: DATABASE_URL is not set' },
  { kind: 'processor', file: 'missing.mjs', says: 'does not load' },
  { kind: 'processor', file: 'exports-a-number.mjs', says: 'must export a function as default, not a number' },
  {
    kind: 'worker',
    file: 'exports-a-number.mjs',
    says: 'must export a class, a function or an object with run() and close(), not a number',
  },
] as const)('$file as a $kind is refused with group and module', async ({ kind, file, says }) => {
  const loading = loadModule(group(kind, file));
  await expect(loading).rejects.toThrow(says);
  await expect(loading).rejects.toThrow(`group mail: ${fixture(file)}`);
});
