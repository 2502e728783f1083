import { FlowProducer, Queue, QueueEvents, Job as TheirJob, Worker } from 'bullmq-v6';
import { atEnd } from '../../../../test/support/at-end.js';
import { testRedisUrl } from '../../../../test/support/redis.js';
import { ids, storeFixture } from '../../../../test/support/store-fixture.js';
import { until } from '../../../../test/support/until.js';

const url = new URL(testRedisUrl());
const connection = { host: url.hostname, port: Number(url.port) };

async function theirQueue(prefix: string, name = 'mail'): Promise<Queue> {
  const queue = new Queue(name, { connection, prefix });
  atEnd(() => queue.close());
  await queue.waitUntilReady();
  return queue;
}

test('jobs that BullMQ added come decoded, and BullMQ sees what became of them', async () => {
  const f = await storeFixture();
  const queue = await theirQueue(f.prefix);
  const now = Date.now();
  await queue.add('plain', { a: 'x/y', list: [] }, { attempts: 3, backoff: 250, removeOnFail: { age: 60 } });
  await queue.add('urgent', { b: 1 }, { priority: 2 });
  await queue.add('later', {}, { delay: 50 });
  const reply = await f.fetch(10, { now });
  expect(reply.nextDueAt).toBeGreaterThanOrEqual(now + 50);
  expect(reply.jobs.map(({ record }) => record)).toMatchObject([
    {
      name: 'plain',
      data: { a: 'x/y', list: [] },
      opts: { attempts: 3, backoff: { type: 'fixed', delay: 250 }, removeOnFail: { age: 60 } },
    },
    { name: 'urgent', data: { b: 1 }, priority: 2 },
  ]);
  expect(ids(await f.fetch(1, { now: reply.nextDueAt }))).toEqual(['3']);
  await f.exchange({ outcomes: [f.complete('1', { count: -1 }, '{"sent":true}', now), f.fail('2', { count: -1 }, 'no luck')] });
  const [done, failed] = [await TheirJob.fromId(queue, '1'), await TheirJob.fromId(queue, '2')];
  expect(done).toMatchObject({ returnvalue: { sent: true }, finishedOn: now, attemptsMade: 1, attemptsStarted: 1 });
  expect(failed).toMatchObject({ failedReason: 'no luck', stacktrace: ['at boom'] });
  expect(await queue.getJobCounts()).toMatchObject({ completed: 1, failed: 1, active: 1, waiting: 0, delayed: 0 });
});

test('a BullMQ worker runs jobs that we added, and our events reach its listener', async () => {
  const f = await storeFixture();
  const events = new QueueEvents('mail', { connection, prefix: f.prefix });
  atEnd(() => events.close());
  await events.waitUntilReady();
  const seen: string[] = [];
  events.on('waiting', ({ jobId }) => seen.push(`waiting ${jobId}`));
  events.on('completed', ({ jobId, returnvalue }) => seen.push(`completed ${jobId} ${JSON.stringify(returnvalue)}`));
  const worker = new Worker('mail', async (job) => ({ got: job.data, name: job.name, priority: job.priority }), {
    connection,
    prefix: f.prefix,
  });
  atEnd(() => worker.close());
  await worker.waitUntilReady();
  const now = Date.now();
  await f.add('plain', { v: 1 }, {}, now);
  await f.add('mine', { v: 2 }, { jobId: 'mine', priority: 3, removeOnComplete: true }, now);
  await f.add('later', { v: 3 }, { delay: 20 }, now);
  await until(async () => (await f.zset(f.keys.completed)).length === 2 && !(await f.exists(`${f.queue.base}mine`)), {
    what: 'the worker to finish all three',
  });
  expect(await f.inspect.job(f.queue, '1')).toMatchObject({ returnvalue: { got: { v: 1 }, name: 'plain', priority: 0 } });
  expect(await f.inspect.job(f.queue, '3')).toMatchObject({ returnvalue: { got: { v: 3 } } });
  await until(() => seen.filter((line) => line.startsWith('completed')).length === 3, { what: 'three completions' });
  expect(seen).toContain('waiting 1');
  expect(seen).toContain('completed mine {"got":{"v":2},"name":"mine","priority":3}');
});

test('a flow of BullMQ is finished by us: the parent comes once its children are done, with their values', async () => {
  const f = await storeFixture();
  const flows = new FlowProducer({ connection, prefix: f.prefix });
  atEnd(() => flows.close());
  const tree = await flows.add({
    name: 'parent',
    queueName: 'mail',
    children: [
      { name: 'one', queueName: 'mail' },
      { name: 'two', queueName: 'mail', opts: { ignoreDependencyOnFailure: true } },
    ],
  });
  const parentId = tree.job.id as string;
  const children = await f.fetch(5);
  expect(children.jobs.length).toBe(2);
  const [one, two] = ['one', 'two'].map((name) => children.jobs.find(({ record }) => record.name === name)?.record.id as string) as [
    string,
    string,
  ];
  const after = await f.exchange({
    want: 5,
    token: 'host:held',
    outcomes: [f.complete(one, { count: 0 }, '7'), f.fail(two, { count: -1 }, 'sad')],
  });
  expect(ids(after)).toEqual([parentId]);
  expect(await tree.job.getChildrenValues()).toEqual({ [f.queue.base + one]: 7 });
  expect(await tree.job.getIgnoredChildrenFailures()).toEqual({ [f.queue.base + two]: 'sad' });
  expect((await f.exchange({ outcomes: [f.complete(parentId)] })).codes).toEqual([0]);
});

test('deduplication with keepLastIfActive: the last add of BullMQ runs after the active job has finished', async () => {
  const f = await storeFixture();
  const queue = await theirQueue(f.prefix);
  const deduplication = { id: 'user-1', keepLastIfActive: true };
  await queue.add('sync', { v: 1 }, { deduplication });
  expect(ids(await f.fetch(1))).toEqual(['1']);
  await queue.add('sync', { v: 2 }, { deduplication });
  await queue.add('sync', { v: 3 }, { deduplication });
  const reply = await f.exchange({ want: 5, token: 'host:held', outcomes: [f.complete('1')] });
  expect(reply.jobs.map(({ record }) => record.data)).toEqual([{ v: 3 }]);
  expect(await queue.getDeduplicationJobId('user-1')).toBe(reply.jobs[0]?.record.id);
  await f.exchange({ outcomes: [f.complete(reply.jobs[0]?.record.id as string)] });
  expect(await queue.getDeduplicationJobId('user-1')).toBeNull();
});

test('pause, global concurrency and rate limit set by BullMQ hold for us', async () => {
  const f = await storeFixture();
  const queue = await theirQueue(f.prefix);
  for (let at = 0; at < 5; at++) await queue.add('n', {});
  await queue.pause();
  expect(await f.fetch(5)).toMatchObject({ jobs: [], isBlocked: true, left: 5 });
  await queue.resume();
  await queue.setGlobalConcurrency(2);
  expect((await f.fetch(5)).jobs.length).toBe(2);
  await queue.removeGlobalConcurrency();
  await queue.setGlobalRateLimit(1, 60_000);
  expect((await f.fetch(5)).jobs.length).toBe(1);
  expect(await queue.getRateLimitTtl()).toBeGreaterThan(50_000);
});
