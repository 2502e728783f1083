import { join } from 'node:path';
import { ROOT } from '../support/cli.js';
import { startNode } from '../support/process-harness.js';
import { startOwnRedis } from '../support/redis.js';

let url: string;
beforeAll(async () => {
  url = (await startOwnRedis()).url; // the examples name their queues plainly
});

async function example(file: string): Promise<unknown> {
  const program = startNode(join(ROOT, 'examples', file), [], { env: { ...process.env, REDIS_URL: url } });
  const { code } = await program.exit(40_000);
  if (code !== 0) throw new Error(`${file} ended with ${code}\n${program.output}`);
  return JSON.parse(program.stdout.trim().split('\n').at(-1) as string);
}

test('the swapped import adds a job and works it', async () => {
  expect(await example('swap-the-import/index.mjs')).toEqual({ id: expect.stringMatching(/^\d+$/), result: 'Hello, Ada!' });
});

test('the flow packs what was fetched and knows what is missing', async () => {
  expect(await example('flows/index.mjs')).toEqual({
    packed: ['cups from shelf 7', 'tea from shelf 4'],
    missing: ['no shelf has saucers'],
    jobs: 4,
  });
});

test('a processor given as a file counts primes in a sandbox, and the application ends by itself', async () => {
  expect(await example('sandbox/index.mjs')).toEqual({ primes: 9_592 });
});

test('bullmq-otel shows one trace from producer to worker to the job that the worker adds', async () => {
  expect(await example('telemetry/index.mjs')).toEqual([
    {
      'add orders.book': [
        {
          'process orders': expect.arrayContaining([
            { 'add mails.confirm': [{ 'process mails': [{ 'complete mails': [] }] }] },
            { 'complete orders': [] },
          ]),
        },
      ],
    },
  ]);
});

test('job schedulers are made, run, listed and removed', async () => {
  const beats = ['beat a', 'beat a', 'beat a'];
  expect(await example('schedulers/index.mjs')).toEqual({
    schedules: ['heartbeat', 'daily'],
    beats,
    removed: [true, true, false],
    left: 0,
  });
});

test('an application that embeds the WorkerManager scales 0 -> 1 -> 4 -> 2 and loses nothing', async () => {
  expect(await example('worker-manager/index.mjs')).toEqual({ sizes: [1, 4, 2], completed: 1_000, exitCode: 0 });
}, 60_000);

test('stock workers of an application are scaled 1 -> 4 -> 1 and lose nothing', async () => {
  expect(await example('bring-your-own-worker/index.mjs')).toEqual({ sizes: [1, 4, 1], completed: 500, exitCode: 0 });
}, 60_000);

test('an application that forks the primary scales it 1 -> 4 -> 2 over IPC and stops it', async () => {
  expect(await example('host-application/index.mjs')).toEqual({ sizes: [1, 4, 2], exitCode: 0 });
}, 60_000);
