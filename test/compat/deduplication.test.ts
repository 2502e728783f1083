import { randomUUID } from 'node:crypto';
import { type JobsOptions, Queue } from '@drover/core';
import { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.js';
import { Gate, rig } from '../support/engine.js';
import { type PeerQueue, peers } from '../support/peers.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';

type Adder = { add(name: string, data: unknown, opts?: Record<string, unknown>): Promise<{ id?: string }> };
type Step = (queue: Adder, redis: Redis, base: string) => Promise<unknown>;

const NOW = 1_900_000_000_000;
const add =
  (name: string, opts: JobsOptions): Step =>
  (queue) =>
    queue.add(name, { name }, { timestamp: NOW, ...opts } as Record<string, unknown>);
const activate: Step = async (_queue, redis, base) => {
  const id = (await redis.rpoplpush(`${base}wait`, `${base}active`)) as string;
  await redis.hset(base + id, 'processedOn', NOW, 'ats', 1);
};
const lose: Step = async (_queue, redis, base) => {
  await redis.del(`${base}1`, `${base}wait`);
};

const id = `d-${randomUUID()}`;
const scenarios: Readonly<Record<string, readonly Step[]>> = {
  simple: [add('a', { deduplication: { id } }), add('b', { deduplication: { id } }), add('c', { deduplication: { id }, priority: 3 })],
  throttle: [add('a', { deduplication: { id, ttl: 60_000 } }), add('b', { deduplication: { id, ttl: 5_000 } })],
  extend: [
    add('a', { deduplication: { id, ttl: 60_000, extend: true } }),
    add('b', { deduplication: { id, ttl: 5_000, extend: true }, jobId: 'own' }),
  ],
  replace: ['a', 'b', 'c'].map((name) => add(name, { delay: 60_000, deduplication: { id, ttl: 60_000, extend: true, replace: true } })),
  'replace, keep time': [
    add('a', { delay: 60_000, deduplication: { id, ttl: 60_000, replace: true } }),
    add('b', { delay: 70_000, deduplication: { id, ttl: 5_000, replace: true } }),
  ],
  'replace of a waiting job': ['a', 'b'].map((name) => add(name, { deduplication: { id, replace: true } })),
  'replace and keep last': [
    add('a', { deduplication: { id, replace: true, keepLastIfActive: true } }),
    activate,
    add('b', { deduplication: { id, replace: true, keepLastIfActive: true } }),
  ],
  reschedule: [
    add('a', { delay: 60_000, deduplication: { id, reschedule: true } }),
    add('b', { delay: 90_000, deduplication: { id, reschedule: true } }),
  ],
  'reschedule of a waiting job': ['a', 'b'].map((name) => add(name, { deduplication: { id, reschedule: true } })),
  'reschedule to the same time': ['a', 'b'].map((name) => add(name, { delay: 60_000, deduplication: { id, reschedule: true } })),
  'keep last': [
    add('a', { deduplication: { id, keepLastIfActive: true, ttl: 60_000 } }),
    add('b', { deduplication: { id, keepLastIfActive: true, ttl: 60_000 } }),
    activate,
    add('c', { deduplication: { id, keepLastIfActive: true, ttl: 60_000 }, delay: 5_000 }),
    add('d', { deduplication: { id, keepLastIfActive: true, ttl: 60_000 }, jobId: 'own', attempts: 3 }),
  ],
  'keep last, after a throttling add': [
    add('a', { deduplication: { id, ttl: 60_000 } }),
    activate,
    add('b', { deduplication: { id, ttl: 60_000, keepLastIfActive: true } }),
  ],
  'an owner that was lost': [add('a', { deduplication: { id } }), lose, add('b', { deduplication: { id } })],
  'replacing an owner that was lost': [
    add('a', { deduplication: { id, replace: true } }),
    lose,
    add('b', { deduplication: { id, replace: true } }),
  ],
  'a custom id stored already': [
    add('a', { jobId: 'own', deduplication: { id } }),
    add('b', { jobId: 'own', deduplication: { id } }),
    add('c', { jobId: 'own', deduplication: { id: 'other' } }),
  ],
};

/** Everything a scenario leaves in Redis, apart from the library's own version; options by content, times to live to 10 s. */
async function leftBy(redis: Redis, base: string): Promise<Record<string, unknown>> {
  const left: Record<string, unknown> = {};
  for (const key of (await redis.keys(`${base}*`)).sort()) {
    const name = key.slice(base.length);
    const type = await redis.type(key);
    if (name === 'meta') continue;
    if (type === 'hash') {
      const fields: Record<string, unknown> = await redis.hgetall(key);
      left[name] = { ...fields, ...(fields.opts ? { opts: JSON.parse(fields.opts as string) } : {}) };
    } else if (type === 'list') left[name] = await redis.lrange(key, 0, -1);
    else if (type === 'zset') left[name] = (await redis.zrange(key, '0', '-1', 'WITHSCORES')).map(wholeMarker(name));
    else if (type === 'string') left[name] = [await redis.get(key), Math.ceil((await redis.pttl(key)) / 10_000)];
    else left[name] = (await redis.xrange(key, '-', '+')).map(([, fields]) => fields.join(' '));
  }
  return left;
}

/** BullMQ's delay markers may have a fraction; ours have none. */
function wholeMarker(name: string): (text: string) => string {
  return (text) => (name === 'marker' ? (text.split('.')[0] as string) : text);
}

test.each(Object.keys(scenarios))('%s: leaves what BullMQ v6 leaves', async (name) => {
  const url = testRedisUrl();
  const redis = new Redis(url);
  atEnd(() => redis.disconnect());
  const run = async (queue: Adder, base: string): Promise<unknown> => {
    const ids: unknown[] = [];
    for (const step of scenarios[name] as readonly Step[]) ids.push(((await step(queue, redis, base)) as { id?: string } | undefined)?.id);
    return { ids, left: await leftBy(redis, base) };
  };
  const [ourPrefix, theirPrefix] = [freshPrefix(), freshPrefix()];
  const ours = new Queue('mail', { connection: url, prefix: ourPrefix });
  atEnd(() => ours.close());
  const theirs: PeerQueue = (peers[0] as (typeof peers)[number]).queue('mail', { url, prefix: theirPrefix });
  expect(await run(ours, `${ourPrefix}:mail:`)).toEqual(await run(theirs, `${theirPrefix}:mail:`));
});

describe.each(peers)('BullMQ $version', (peer) => {
  test('and Drover see the same owner of an id, whoever added and whoever finishes', async () => {
    const { queue, prefix, url, worker, counts, broken } = rig();
    const theirs = peer.queue('mail', { prefix, url });
    const deduplication = { id: 'x' };
    await theirs.add('one', {}, { deduplication });
    expect((await queue.add('two', {}, { deduplication })).id).toBe('1');
    const ours = worker(async () => 1);
    await counts({ completed: 1, waiting: 0 });
    await ours.close();
    await queue.add('three', {}, { deduplication });
    expect((await theirs.add('four', {}, { deduplication })).id).toBe('3');
    await peer.worker('mail', async () => 2, { prefix, url });
    await counts({ completed: 2 });
    expect(await queue.getDeduplicationJobId('x')).toBeNull();
    expect(await broken()).toEqual([]);
  });

  test('the last add is kept on both sides: theirs for our worker, ours for theirs', async () => {
    const { queue, prefix, url, worker, counts, broken } = rig();
    const theirs = peer.queue('mail', { prefix, url });
    const opts = { deduplication: { id: 'x', keepLastIfActive: true } };
    const gate = new Gate();
    const ours = worker(gate.processor);
    await queue.add('one', {}, opts);
    await gate.hasStarted(1);
    await theirs.add('two', { n: 2 }, opts);
    await theirs.add('three', { n: 3 }, opts);
    gate.open('1');
    await gate.hasStarted(2);
    const closed = ours.close();
    gate.openAll();
    await closed;
    expect(await queue.getJob('3')).toMatchObject({ name: 'three', data: { n: 3 }, returnvalue: 'done' });
    const held = new Gate();
    await peer.worker('mail', (job) => held.processor(job as { id: string }, '', new AbortController().signal), { prefix, url });
    await theirs.add('four', {}, opts);
    await held.hasStarted(1);
    await queue.add('five', { n: 5 }, opts);
    held.openAll();
    await until(() => held.started.length === 2, { what: 'the job that was kept back' });
    held.openAll();
    await counts({ completed: 4 });
    expect((await queue.getJob(held.started[1] as string))?.data).toEqual({ n: 5 });
    expect(await broken()).toEqual([]);
  });
});
