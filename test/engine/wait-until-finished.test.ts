import { type Job, Queue, QueueEvents, type QueueEventsOptions } from '@drover/core';
import { atEnd } from '../support/at-end.js';
import { Gate, rig } from '../support/engine.js';
import { until } from '../support/until.js';

function fixture(options: QueueEventsOptions = {}) {
  const it = rig();
  const events = new QueueEvents('mail', { connection: it.url, prefix: it.prefix, ...options });
  atEnd(() => events.close());
  return { ...it, events };
}

/** No listener of any kind is left behind. */
const isQuiet = (events: QueueEvents): void => expect(events.eventNames()).toEqual([]);

test('it resolves with what the processor returns', async () => {
  const { queue, worker, events } = fixture();
  const gate = new Gate();
  worker(gate.processor);
  const job = await queue.add('a', {});
  await gate.hasStarted(1);
  const result = job.waitUntilFinished(events);
  await until(() => events.listenerCount(`completed:${job.id}`) === 1, { what: 'the wait to begin' });
  gate.open(job.id, { sum: [1, null] });
  expect(await result).toEqual({ sum: [1, null] });
  isQuiet(events);
});

test('it rejects with the reason of the failure, when no attempt is left', async () => {
  const { queue, worker, events } = fixture();
  let runs = 0;
  worker(async () => {
    throw new Error(`no good ${++runs}`);
  });
  const job = await queue.add('a', {}, { attempts: 2 });
  await expect(job.waitUntilFinished(events)).rejects.toThrow(/^no good 2$/);
  isQuiet(events);
});

test.each([
  { what: 'completed', processor: async () => 'early', want: 'early' },
  { what: 'failed', processor: () => Promise.reject(new Error('early')), want: new Error('early') },
])('a job that had $what before is known to have', async ({ processor, want }) => {
  const { queue, worker, events, counts } = fixture();
  worker(processor);
  const job = await queue.add('a', {});
  await counts(want instanceof Error ? { failed: 1 } : { completed: 1 });
  await events.waitUntilReady();
  const result = job.waitUntilFinished(events, 5_000);
  await (want instanceof Error ? expect(result).rejects.toThrow('early') : expect(result).resolves.toBe(want));
  isQuiet(events);
});

test('ends that race with the beginning of the wait are never missed, also of jobs that vanish at once', async () => {
  const { queue, worker, events } = fixture();
  worker(async (job) => (job.data as { n: number }).n, { concurrency: 20 });
  await events.waitUntilReady();
  for (let round = 0; round < 10; round++) {
    const jobs = await queue.addBulk(
      Array.from({ length: 50 }, (_, n) => ({ name: 'a', data: { n }, opts: { removeOnComplete: n % 2 === 1 } })),
    );
    const results = await Promise.allSettled(jobs.map((job) => job.waitUntilFinished(events, 10_000)));
    for (const [n, result] of results.entries()) {
      const isGone = result.status === 'rejected' && (result.reason as { code?: number }).code === -1; // ended and removed before the wait began
      if (!(isGone && n % 2 === 1)) expect(result).toEqual({ status: 'fulfilled', value: n });
    }
  }
  isQuiet(events);
});

test('it gives up after its time', async () => {
  const { queue, events } = fixture();
  const job = await queue.add('slow one', {});
  await expect(job.waitUntilFinished(events, 30)).rejects.toMatchObject({
    message: `Job wait slow one timed out before finishing, no finish notification arrived after 30ms (id=${job.id})`,
    code: 'WAIT_TIMEOUT',
  });
  isQuiet(events);
});

test('a job that does not exist is an error', async () => {
  const { queue, events } = fixture();
  const job = await queue.add('a', {});
  await job.remove();
  await events.waitUntilReady();
  await expect(job.waitUntilFinished(events)).rejects.toMatchObject({ code: -1, message: `Missing key for job ${job.id}. isFinished` });
  isQuiet(events);
});

test('a job that is removed before its end is an error', async () => {
  const { queue, events } = fixture();
  const job = await queue.add('a', {});
  const result = expect(job.waitUntilFinished(events)).rejects.toMatchObject({ code: -1 });
  await until(() => events.listenerCount(`removed:${job.id}`) === 1, { what: 'the wait to begin' });
  await events.waitUntilReady();
  await job.remove();
  await result;
  isQuiet(events);
});

test('it ends with the events', async () => {
  const { queue, events } = fixture();
  const jobs = await Promise.all([queue.add('a', {}), queue.add('b', {})]);
  const results = jobs.map((job: Job) => expect(job.waitUntilFinished(events)).rejects.toMatchObject({ code: 'EVENTS_CLOSED' }));
  await events.waitUntilReady();
  await events.close();
  await Promise.all(results);
  isQuiet(events);
  await expect(jobs[0].waitUntilFinished(events)).rejects.toMatchObject({ code: 'EVENTS_MISMATCH' });
});

test('events of another queue, or that do not run, are refused at once', async () => {
  const { queue, events, prefix, url } = fixture({ autorun: false });
  const job = await queue.add('a', {});
  await expect(job.waitUntilFinished(events)).rejects.toThrow(`the events of ${prefix}:mail do not run: call run() first`);
  const other = new Queue('other', { connection: url, prefix });
  atEnd(() => other.close());
  const stranger = await other.add('a', {});
  await expect(stranger.waitUntilFinished(events)).rejects.toThrow(`the events of ${prefix}:mail do not tell of job 1 of ${prefix}:other`);
});

test.each([-1, 1.5, '10s'])('a time of %p is refused', async (ttl) => {
  const { queue, events } = fixture();
  const job = await queue.add('a', {});
  await expect(job.waitUntilFinished(events, ttl as number)).rejects.toThrow('ttl must be an integer from 0 to 2147483647');
  isQuiet(events);
});
