import { maySeeSignal } from './may-see-signal.js';

type Any = (...args: never[]) => unknown;

test.each<[string, Any]>([
  ['an arrow function of one name', (job: unknown) => job],
  ['an async arrow function', async (job: unknown) => job],
  ['two parameters', async (job: unknown, token: unknown) => [job, token]],
  ['no parameter', () => 1],
  ['destructuring', async ({ data }: { data: unknown }) => data],
  [
    'a function',
    async function run(job: unknown) {
      return job;
    },
  ],
  [
    'a method',
    {
      async process(job: unknown) {
        return job;
      },
    }.process,
  ],
])('not by %s', (_, processor) => {
  expect(maySeeSignal(processor)).toBe(false);
});

test.each<[string, Any]>([
  ['three parameters', (job: unknown, token: unknown, signal: unknown) => [job, token, signal]],
  ['a default', (job: unknown, token = '', signal: unknown = undefined) => [job, token, signal]],
  ['rest parameters', (...rest: unknown[]) => rest],
  ['rest parameters after one', (_job: unknown, ...rest: unknown[]) => rest],
  ['a default inside destructuring', ({ data = 1 }: { data?: unknown }) => data],
  [
    'arguments',
    function () {
      // biome-ignore lint/complexity/noArguments: it is what is tested
      return arguments[2];
    },
  ],
  ['a bound function', ((job: unknown) => job).bind(null)],
  ['a native one', Math.abs as unknown as Any],
  ['a proxy', new Proxy((job: unknown) => job, {})],
])('by %s', (_, processor) => {
  expect(maySeeSignal(processor)).toBe(true);
});
