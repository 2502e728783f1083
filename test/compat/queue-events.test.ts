/** The events of every client, as our QueueEvents tells them and as the stock ones do, from the same stream. */
import * as drover from '@drover/core';
import { QueueEvents } from '@drover/core';
import * as v5 from 'bullmq-v5';
import * as v6 from 'bullmq-v6';
import { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { next, until } from '../support/until.js';

type Client = Pick<typeof v6, 'Queue' | 'Worker' | 'FlowProducer' | 'QueueEventsProducer'>;
type Told = readonly [event: string, ...args: unknown[]];

const clients: readonly { readonly name: string; readonly client: Client; readonly extra: readonly string[] }[] = [
  { name: 'bullmq 5', client: v5 as unknown as Client, extra: ['debounced'] },
  { name: 'bullmq 6', client: v6, extra: [] },
  { name: 'Drover', client: { ...drover, FlowProducer: v6.FlowProducer } as unknown as Client, extra: [] },
];

const EVERY = [
  'active',
  'added',
  'cleaned',
  'completed',
  'custom',
  'deduplicated',
  'delayed',
  'drained',
  'duplicated',
  'failed',
  'paused',
  'progress',
  'removed',
  'resumed',
  'retries-exhausted',
  'stalled',
  'waiting',
  'waiting-children',
] as const;

function fixture() {
  const { hostname, port } = new URL(testRedisUrl());
  const redis = new Redis(testRedisUrl());
  atEnd(() => redis.disconnect());
  const prefix = freshPrefix();
  return { redis, prefix, key: `${prefix}:mail:events`, where: { connection: { host: hostname, port: Number(port) }, prefix } };
}

/** Makes a client cause every event there is. */
async function causeEverything(client: Client, where: ReturnType<typeof fixture>['where']): Promise<void> {
  const queue = new client.Queue('mail', where);
  atEnd(() => queue.close());
  await queue.add('twice', {}, { jobId: 'own-id', delay: 600_000 });
  await queue.add('twice', {}, { jobId: 'own-id' });
  await queue.add('once', {}, { deduplication: { id: 'd' }, delay: 600_000 });
  await queue.add('once', {}, { deduplication: { id: 'd' } });
  const unwanted = await queue.add('unwanted', {});
  await unwanted.remove();
  await queue.pause();
  await queue.resume();
  await queue.drain(true); // a queue with delayed jobs never says `drained`
  await causeStall(client, queue, where);
  await causeRuns(client, queue, where);
  await queue.clean(0, 100, 'completed');
  const producer = new client.QueueEventsProducer('mail', where);
  atEnd(() => producer.close());
  await producer.publishEvent({ eventName: 'custom', jobId: 'of-mine', text: 'x', number: '5' });
}

/** A job that is taken by somebody who never comes back, and is found by another worker. */
async function causeStall(client: Client, queue: v6.Queue, where: ReturnType<typeof fixture>['where']): Promise<void> {
  const gone = new client.Worker('mail', null, { ...where, autorun: false, lockDuration: 50 });
  atEnd(() => gone.close(true));
  await queue.add('stalls', {});
  expect(await gone.getNextJob('token')).toBeDefined();
  const finder = new client.Worker('mail', async () => 'found', { ...where, stalledInterval: 100 });
  atEnd(() => finder.close());
  await next(finder, 'completed');
  await finder.close();
}

/** Jobs that report, return all kinds of values, fail, wait for a retry and for children. */
async function causeRuns(client: Client, queue: v6.Queue, where: ReturnType<typeof fixture>['where']): Promise<void> {
  const worker = new client.Worker(
    'mail',
    async (job: v6.Job) => {
      await job.updateProgress(40);
      await job.updateProgress({ step: 'half', of: [1, 2] });
      if (job.name === 'fails') throw new Error('no "good"');
      return job.data.returns;
    },
    where,
  );
  atEnd(() => worker.close());
  const flow = new client.FlowProducer(where);
  atEnd(() => flow.close());
  await flow.add({
    name: 'parent',
    queueName: 'mail',
    data: { returns: [] },
    children: [{ name: 'child', queueName: 'mail', data: { returns: { a: null } } }],
  });
  await queue.add('fails', {}, { attempts: 2, backoff: { type: 'fixed', delay: 10 } });
  for (const returns of ['text', 0, false, null, undefined, { deep: [{ a: 1 }] }]) await queue.add('returns', { returns });
  await until(async () => (await queue.getJobCounts('failed', 'completed')).completed === 9 && (await queue.getFailedCount()) === 1, {
    what: 'all jobs to end',
  });
}

/** Every event of the stream, by each name it could be heard under. */
async function namesIn(redis: Redis, key: string): Promise<{ names: string[]; heardAs: string[] }> {
  const names = new Set<string>();
  const ids = new Set<string>();
  for (const [, flat] of await redis.xrange(key, '-', '+')) {
    const fields = Object.fromEntries(flat.flatMap((field, at) => (at % 2 === 0 ? [[field, flat[at + 1]]] : [])));
    names.add(String(fields.event));
    if (fields.jobId !== undefined) ids.add(fields.jobId);
  }
  const heardAs = [...names].flatMap((name) => [name, ...[...ids].map((id) => `${name}:${id}`)]);
  return { names: [...names].sort(), heardAs };
}

interface Emitter {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

function listen(emitter: unknown, events: readonly string[]): Told[] {
  const told: Told[] = [];
  for (const event of events) (emitter as Emitter).on(event, (...args) => void told.push([event, ...args]));
  return told;
}

test.each(clients)('every event of $name has the payload that the stock QueueEvents give it', async ({ client, extra }) => {
  const { redis, key, where } = fixture();
  await causeEverything(client, where);
  await redis.xadd(key, '*', 'event', 'end');
  const { names, heardAs } = await namesIn(redis, key);
  expect(names).toEqual([...EVERY, ...extra, 'end'].sort());

  const told = await Promise.all(
    [v6.QueueEvents, v5.QueueEvents, QueueEvents].map(async (Listener) => {
      const listener = new Listener('mail', { ...where, autorun: false, lastEventId: '0' });
      atEnd(() => listener.close());
      const heard = listen(listener, heardAs);
      const end = next(listener as never, 'end');
      listener.run().catch(() => undefined); // a stock one ends with its connection
      await end;
      return heard;
    }),
  );
  const [toldByStock, toldByOldStock, toldByOurs] = told;
  expect(toldByStock?.length).toBeGreaterThan(60);
  expect(toldByOldStock).toEqual(toldByStock);
  expect(toldByOurs).toEqual(toldByStock);
});

test('live, from the end of the stream on, both tell the same', async () => {
  const { redis, where } = fixture();
  const queue = new v6.Queue('mail', where);
  atEnd(() => queue.close());
  await queue.add('before', {}, { removeOnComplete: true });
  const stock = new v6.QueueEvents('mail', where);
  atEnd(() => stock.close());
  const ours = new QueueEvents('mail', where);
  atEnd(() => ours.close());
  const events = ['added', 'waiting', 'active', 'progress', 'completed', 'drained', 'added:2', 'completed:2'];
  const [toldByStock, toldByOurs] = [listen(stock, events), listen(ours, events)];
  await Promise.all([stock.waitUntilReady(), ours.waitUntilReady()]);
  const worker = new v6.Worker('mail', async (job) => job.id, { ...where, autorun: false });
  atEnd(() => worker.close());
  await until(async () => (await readersOf(redis, where.prefix)).every((line) => line.includes('cmd=xread')), { what: 'both to read' });
  await queue.add('after', {});
  const drained = next(stock as never, 'drained');
  worker.run().catch(() => undefined);
  await drained;
  await until(() => toldByOurs.length >= toldByStock.length, { what: 'the same number of events' });
  expect(toldByOurs).toEqual(toldByStock);
  expect(toldByOurs.map(([event]) => event)).toContain('completed:2');
});

/** The connections that read the events of this prefix: the stock client's and ours. */
async function readersOf(redis: Redis, prefix: string): Promise<string[]> {
  const lines = ((await redis.client('LIST')) as string).split('\n').filter((line) => line.includes(`name=${prefix}:`));
  const readers = lines.filter((line) => line.includes(':qe '));
  if (readers.length !== 2) throw new Error(`${readers.length} readers`);
  return readers;
}

test('the stock queue lists our reader among its QueueEvents', async () => {
  const { where } = fixture();
  const queue = new v6.Queue('mail', where);
  atEnd(() => queue.close());
  const ours = new QueueEvents('mail', where);
  atEnd(() => ours.close());
  await ours.waitUntilReady();
  expect(await queue.getQueueEvents()).toHaveLength(1);
});
