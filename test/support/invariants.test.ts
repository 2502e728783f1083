import * as v6 from 'bullmq-v6';
import { Redis } from 'ioredis';
import { atEnd } from './at-end.js';
import { brokenInvariants, completedTwice, leftAfterObliterate } from './invariants.js';
import { freshPrefix, testRedisUrl } from './redis.js';
import { until } from './until.js';

const QUEUE = 'mail';
const prefix = freshPrefix();
const base = `${prefix}:${QUEUE}:`;
let redis: Redis;
let healthy: { key: string; dump: Buffer; ttlMs: number }[];

/** A queue with something in every state, made by the reference client: nothing in it may be called broken. */
beforeAll(async () => {
  redis = new Redis(testRedisUrl());
  atEnd(() => redis.disconnect());
  await makeQueue();
  const keys = await redis.keys(`${prefix}:*`);
  healthy = await Promise.all(
    keys.map(async (key) => ({ key, dump: (await redis.dumpBuffer(key)) as Buffer, ttlMs: await redis.pttl(key) })),
  );
});

beforeEach(async () => {
  await redis.del(...(await redis.keys(`${prefix}:*`)), `${prefix}:none`);
  await Promise.all(healthy.map(({ key, dump, ttlMs }) => redis.restore(key, Math.max(0, ttlMs), dump)));
});

const broken = (isIdle = false): Promise<string[]> => brokenInvariants(redis, QUEUE, { prefix, isIdle });

test('a queue that the reference client filled has nothing broken', async () => {
  expect(await broken()).toEqual([]);
  for (const key of [
    'wait',
    'active',
    'prioritized',
    'delayed',
    'waiting-children',
    'completed',
    'failed',
    'repeat',
    'metrics:completed',
    'de:now',
  ])
    expect(`${key} ${await redis.exists(base + key)}`).toBe(`${key} 1`);
});

test('nothing may be active on an idle queue', async () => {
  expect(await broken(true)).toEqual(['1 jobs are active on an idle queue: held']);
});

test.each<[rule: string, commands: (string | number)[][], found: string | RegExp]>([
  ['an unknown key', [['set', 'what', 1]], `key ${base}what belongs to nothing`],
  ['a key of a job that is gone', [['rpush', 'ghost:logs', 'row']], `key ${base}ghost:logs belongs to nothing`],
  [
    'a key of another type',
    [
      ['del', 'completed'],
      ['sadd', 'completed', 'done'],
    ],
    `key ${base}completed is a set, not a zset`,
  ],
  ['logs of another type', [['set', 'done:logs', 'row']], `key ${base}done:logs is a string, not a list`],
  ['an id in two states', [['lpush', 'wait', 'late']], 'job late is in wait and in delayed'],
  ['an id twice in a list', [['lpush', 'wait', 'ready']], 'an id is twice in wait: ready'],
  ['an id without a record', [['lpush', 'wait', 'ghost']], 'job ghost is in wait but has no record'],
  ['a record in no state', [['lrem', 'wait', 1, 'ready']], 'job ready has a record but is in no state'],
  ['a score that is not finishedOn', [['hset', 'done', 'finishedOn', 5]], /^job done: finishedOn 5 but score \d+ in completed$/],
  ['finishedOn before the end', [['hset', 'ready', 'finishedOn', 5]], 'job ready is in wait but has finishedOn'],
  ['a score of another priority', [['zadd', 'prioritized', 2 ** 33, 'urgent']], `job urgent: score ${2 ** 33} does not fit priority 1`],
  [
    'a priority of none',
    [
      ['hset', 'urgent', 'priority', 0],
      ['zadd', 'prioritized', 1, 'urgent'],
    ],
    'job urgent is in prioritized with priority 0',
  ],
  ['a delayed score that is not exact', [['zadd', 'delayed', 1.5, 'late']], 'job late: score 1.5 in delayed is not exact'],
  ['an active job that never started', [['hdel', 'held', 'processedOn']], 'job held is active but was never started'],
  ['a result that is not JSON', [['hset', 'done', 'returnvalue', '{']], 'job done: returnvalue is not JSON: {'],
  ['a failure without a reason', [['hdel', 'bad', 'failedReason']], 'job bad failed without a reason'],
  ['a record without a name', [['hdel', 'ready', 'name']], 'job ready has no name'],
  ['a number of another form', [['hset', 'ready', 'timestamp', '1e12']], 'job ready: timestamp is not a decimal integer: 1e12'],
  ['options that are not JSON', [['hset', 'ready', 'opts', 'no']], 'job ready: opts is not JSON: no'],
  ['null in the options', [['hset', 'ready', 'opts', '{"lifo":null}']], 'job ready: null in opts {"lifo":null}'],
  ['more attempts than starts', [['hset', 'done', 'atm', 2]], 'job done: 2 attempts made, but only 1 started'],
  ['an active job without a lock', [['del', 'held:lock']], 'job held is active without a lock'],
  ['a lock of a job that waits', [['set', 'ready:lock', 't', 'PX', 90_000]], 'lock of job ready, which is not active'],
  ['a lock of no job', [['set', 'ghost:lock', 't', 'PX', 90_000]], 'lock of job ghost, which has no record'],
  ['a lock for ever', [['persist', 'held:lock']], 'lock of job held never expires'],
  ['a stalled id that is not active', [['sadd', 'stalled', 'ready']], 'job ready is in stalled but not active'],
  ['an id counter that lags', [['set', 'id', 0]], /^job \d+ is above the id counter 0$/],
  ['a counter that is no number', [['set', 'pc', 'x']], 'pc is not a number: x'],
  ['a rate window for ever', [['set', 'limiter', 1]], 'limiter never expires'],
  ['a check that never ends', [['set', 'stalled-check', 1]], 'stalled-check never expires'],
  ['a length of the stream that is no number', [['hset', 'meta', 'opts.maxLenEvents', 'x']], 'opts.maxLenEvents is not a number: x'],
  [
    'metrics that went back',
    [['hset', 'metrics:completed', 'prevCount', 99]],
    /^metrics of completed: 99 counted before, but only \d+ in all$/,
  ],
  [
    'data points that exceed the count',
    [['rpush', 'metrics:completed:data', 7]],
    'metrics of completed: data points add up to 7, more than 0',
  ],
  [
    'data points that are no numbers',
    [
      ['rpush', 'metrics:failed:data', 'x'],
      ['hset', 'metrics:failed', 'count', 1, 'prevTS', 1, 'prevCount', 0],
    ],
    'metrics of failed: data points x',
  ],
  [
    'data points of nothing',
    [
      ['del', 'metrics:failed'],
      ['rpush', 'metrics:failed:data', 0],
    ],
    'metrics of failed: data points without a count',
  ],
  ['a ready marker with a time', [['zadd', 'marker', 5, '0']], 'the ready marker 0 has the score 5'],
  ['a delay marker without one', [['zadd', 'marker', 0, '1']], 'the delay marker has the score 0'],
  ['a ready marker of another name with a time', [['zadd', 'marker', 5, 'x']], 'the ready marker x has the score 5'],
  [
    'a deduplication id held for ever by nobody',
    [['set', 'de:x', 'ghost']],
    'deduplication id x is held for ever by job ghost, which is gone',
  ],
  ['one held by another job', [['set', 'de:x', 'ready', 'PX', 90_000]], 'deduplication id x is held by job ready, which has undefined'],
  [
    'one that was not freed',
    [
      ['set', 'de:x', 'done'],
      ['hset', 'done', 'deid', 'x'],
    ],
    'deduplication id x is held for ever by job done, which has ended',
  ],
  [
    'a job put off by nobody',
    [['hset', 'dn:x', 'name', 'a', 'data', '{}', 'opts', '{}']],
    'a job is put off by x, but no job with that id is unfinished',
  ],
  ['a job put off without data', [['hset', 'dn:now', 'name', 'a', 'opts', '{}']], 'the job put off by now has no data'],
  ['a parent that waits for nobody', [['del', 'parent:dependencies']], 'job parent waits for children, but has none'],
  ['a child that is gone', [['sadd', 'parent:dependencies', `${base}ghost`]], `job parent waits for ${base}ghost, which is gone`],
  [
    'a child of somebody else',
    [['sadd', 'parent:dependencies', `${base}ready`]],
    `job parent waits for ${base}ready, whose parent is nobody`,
  ],
  [
    'a child that nobody waits for',
    [
      ['srem', 'parent:dependencies', `${prefix}:other:child`],
      ['hset', 'ready', 'parentKey', `${base}parent`, 'parent', JSON.stringify({ id: 'parent', queueKey: `${prefix}:${QUEUE}` })],
    ],
    `job ready is unfinished, but its parent ${base}parent does not wait for it`,
  ],
  [
    'a value that got lost',
    [['hset', 'done', 'parentKey', `${base}parent`, 'parent', JSON.stringify({ id: 'parent', queueKey: `${prefix}:${QUEUE}` })]],
    `job done has completed, but its parent ${base}parent has no value of it`,
  ],
  [
    'two parents',
    [['hset', 'ready', 'parentKey', `${base}gone`, 'parent', '{"id":"x","queueKey":"y"}']],
    `job ready: parent {"id":"x","queueKey":"y"} but parentKey ${base}gone`,
  ],
  ['half a parent', [['hset', 'ready', 'parentKey', `${base}gone`]], 'job ready has only one of parent and parentKey'],
  ['a scheduler without definition', [['del', 'repeat:hourly']], 'scheduler hourly has no definition'],
  ['a definition out of schedule', [['zrem', 'repeat', 'hourly']], 'scheduler hourly has a definition, but no place in the schedule'],
  [
    'an event without its fields',
    [['xadd', 'events', '*', 'event', 'completed', 'jobId', 'done', 'prev', 'active']],
    /^entry \S+: completed without returnvalue$/,
  ],
  [
    'a result that stops listeners',
    [['xadd', 'events', '*', 'event', 'completed', 'jobId', 'done', 'prev', 'active', 'returnvalue', 'x']],
    /^entry \S+: returnvalue of completed is not JSON: x$/,
  ],
  [
    'a due time that is no number',
    [['xadd', 'events', '*', 'event', 'delayed', 'jobId', 'late', 'delay', 'soon']],
    /^entry \S+: delay of delayed is not a number: soon$/,
  ],
  ['an entry of another form', [['xadd', 'events', '*', 'jobId', 'late']], /^entry \S+ does not begin with its event: jobId late$/],
])('it finds %s', async (_rule, commands, found) => {
  for (const [name, key, ...args] of commands) await redis.call(name as string, base + key, ...args);
  const lines = await broken();
  expect(lines).toContainEqual(typeof found === 'string' ? found : expect.stringMatching(found));
});

test('completed events that come twice are named', async () => {
  expect(await completedTwice(redis, QUEUE, prefix)).toEqual([]);
  await redis.xadd(`${base}events`, '*', 'event', 'completed', 'jobId', 'done', 'returnvalue', '1', 'prev', 'active');
  expect(await completedTwice(redis, QUEUE, prefix)).toEqual(['done']);
});

test('what an obliterated queue may keep is not reported, anything else is', async () => {
  const queue = new v6.Queue(QUEUE, { connection: { url: testRedisUrl() }, prefix, skipMetasUpdate: true });
  await queue.obliterate({ force: true });
  await queue.close();
  await redis.set(`${base}limiter`, 1, 'PX', 90_000);
  expect(await leftAfterObliterate(redis, QUEUE, prefix)).toEqual([]);
  await redis.set(`${base}de:x`, 'ghost');
  await redis.zadd(`${base}completed`, 1, 'ghost');
  expect((await leftAfterObliterate(redis, QUEUE, prefix)).sort()).toEqual([`${base}completed`, `${base}de:x`]);
});

async function makeQueue(): Promise<void> {
  const connection = { url: testRedisUrl(), maxRetriesPerRequest: null };
  const queue = new v6.Queue(QUEUE, { connection, prefix });
  const flows = new v6.FlowProducer({ connection, prefix });
  const worker = new v6.Worker(QUEUE, null, { connection, prefix, metrics: { maxDataPoints: 10 }, autorun: false });
  await queue.add('a', 1, { jobId: 'done' });
  await queue.add('a', 1);
  await queue.add('a', 1, { jobId: 'bad' });
  await queue.add('a', 1, { jobId: 'held' });
  for (const end of ['complete', 'complete', 'fail', 'hold']) {
    const job = await until(() => worker.getNextJob('token', { block: false }), { what: 'a job' });
    if (end === 'complete') await job.moveToCompleted({ ok: true }, 'token', false);
    if (end === 'fail') await job.moveToFailed(new Error('no good'), 'token', false);
  }
  await queue.add('a', 1, { jobId: 'ready' });
  await queue.add('a', 1, { jobId: 'urgent', priority: 1 });
  await queue.add('a', 1, { jobId: 'late', delay: 3_600_000 });
  await queue.add('a', 1, { jobId: 'only', deduplication: { id: 'now' } });
  await queue.upsertJobScheduler('hourly', { every: 3_600_000 });
  await flows.add({
    name: 'p',
    queueName: QUEUE,
    opts: { jobId: 'parent' },
    children: [{ name: 'c', queueName: 'other', opts: { jobId: 'child' } }],
  });
  await Promise.all([worker.close(), queue.close(), flows.close()]);
}
