/** One processor file under BullMQ's sandboxes and under Drover's: the same jobs have the same outcomes. */
import { join } from 'node:path';
import { Worker } from '@drover/core';
import * as v6 from 'bullmq-v6';
import { atEnd } from '../support/at-end.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';

const PROCESSOR = join(import.meta.dirname, '..', 'engine', 'fixtures', 'sandbox', 'processor.cjs');
const connection = { url: testRedisUrl(), maxRetriesPerRequest: null };

type Engine = (prefix: string, options: object) => { close(): Promise<unknown> };
const ENGINES: readonly Engine[] = [
  (prefix, options) => new Worker('mail', PROCESSOR, { connection: connection.url, prefix, ...options }),
  (prefix, options) => new v6.Worker('mail', PROCESSOR, { connection, prefix, ...options }).on('error', () => undefined),
];

/** What became of a job, without ids, times and places. */
async function outcome(queue: v6.Queue, id: string): Promise<unknown> {
  const job = await until(
    async () => {
      const found = (await queue.getJob(id)) as v6.Job;
      return found.finishedOn !== undefined && found;
    },
    { what: `job ${id} to end`, limitMs: 20_000 },
  );
  const { name, data, returnvalue, failedReason, progress, attemptsMade, attemptsStarted } = job;
  const state = await job.getState();
  const { logs } = await queue.getJobLogs(id);
  return { name, data, returnvalue, failedReason, progress, attemptsMade, attemptsStarted, state, logs };
}

const JOBS: readonly [name: string, data?: object, opts?: object][] = [
  ['everything', { n: 1 }, { attempts: 2, jobId: 'all' }],
  ['nothing'],
  ['throw', {}, { attempts: 2 }],
  ['text'],
  ['unrecoverable', {}, { attempts: 4 }],
  ['delay'],
  ['wait'],
  ['children'],
  ['parent'],
  ['exit', { code: 0 }],
  ['exit', { code: 5 }],
  ['exit-once', {}, { attempts: 2 }],
  ['late'],
  ['cycle'],
  ['bigint'],
];

describe.each([
  ['child processes', { workerForkOptions: { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] } }],
  ['threads', { useWorkerThreads: true }],
])('in %s', (_kind, options) => {
  /** Both engines over queues that stock BullMQ fills alike. */
  async function both(work: (queue: v6.Queue, prefix: string) => Promise<unknown>): Promise<unknown[]> {
    const results: unknown[] = [];
    for (const engine of ENGINES) {
      const prefix = freshPrefix();
      const queue = new v6.Queue('mail', { connection, prefix });
      atEnd(() => queue.close());
      const worker = engine(prefix, options);
      atEnd(() => worker.close());
      results.push(await work(queue, prefix));
    }
    return results;
  }

  test('each kind of job ends alike', async () => {
    const [ours, theirs] = await both(async (queue) => {
      const outcomes: unknown[] = [];
      for (const [name, data = {}, opts = {}] of JOBS)
        outcomes.push(await outcome(queue, (await queue.add(name, data, opts)).id as string));
      return outcomes;
    });
    expect(ours).toHaveLength(JOBS.length);
    expect(ours).toEqual(theirs);
  });

  test('a parent reads what its children left', async () => {
    const [ours, theirs] = await both(async (queue, prefix) => {
      const flows = new v6.FlowProducer({ connection, prefix });
      atEnd(() => flows.close());
      const { job } = await flows.add({
        name: 'parent',
        queueName: 'mail',
        children: [
          { name: 'children', queueName: 'mail' },
          { name: 'throw', queueName: 'mail', opts: { ignoreDependencyOnFailure: true } },
        ],
      });
      return outcome(queue, job.id as string);
    });
    expect(ours).toMatchObject({
      returnvalue: { counts: { processed: 1, ignored: 1 }, values: ['no children to wait for'], failures: ['not a number'] },
    });
    expect(ours).toEqual(theirs);
  });
});
