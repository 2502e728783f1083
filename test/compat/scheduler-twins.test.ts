/** The same calls on a queue of Drover's and one of BullMQ 6.7, with the clock of both standing still: every key is equal, times included. */
import { Queue, type QueueOptions } from '@drover/core';
import * as v6 from 'bullmq-v6';
import { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.js';
import { brokenInvariants } from '../support/invariants.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { StillClock } from '../support/still-clock.js';
import type { EitherQueue } from '../support/twin.js';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 18, 9, 33, 20, 123);
const DAILY = { pattern: '0 0 * * *', tz: 'UTC' };

interface Side {
  readonly queue: EitherQueue;
  readonly prefix: string;
}

/** Two empty queues, each with its own class. */
class Pair {
  readonly redis = new Redis(testRedisUrl());
  readonly clock = new StillClock(NOW);
  readonly sides: readonly [Side, Side];

  constructor(options: Pick<QueueOptions, 'defaultJobOptions' | 'settings'> = {}) {
    atEnd(() => this.redis.disconnect());
    const url = testRedisUrl();
    const [ours, theirs] = [freshPrefix(), freshPrefix()];
    const queues = [
      new Queue('mail', { connection: url, prefix: ours, skipMetasUpdate: true, ...options }),
      new v6.Queue('mail', { connection: { url }, prefix: theirs, skipMetasUpdate: true, ...(options as object) }),
    ];
    for (const queue of queues) atEnd(() => queue.close());
    this.sides = [
      { queue: queues[0], prefix: ours },
      { queue: queues[1], prefix: theirs },
    ];
  }

  /** Does the same on both sides and compares what came of it, and all keys. @returns the answer of both. */
  async alike(step: (queue: EitherQueue, side: Side) => Promise<unknown>): Promise<unknown> {
    const [ours, theirs] = [await answer(step, this.sides[0]), await answer(step, this.sides[1])];
    expect(ours).toEqual(theirs);
    expect(await this.keys(0)).toEqual(await this.keys(1));
    expect(await brokenInvariants(this.redis, 'mail', { prefix: this.sides[0].prefix })).toEqual([]);
    return ours;
  }

  upsert(repeat: object, template?: object): Promise<unknown> {
    return this.alike(async (queue) => facts(await queue.upsertJobScheduler('s', repeat, ...(template ? [template] : []))));
  }

  /** Stock BullMQ takes the next job on both sides, and with it adds the iteration after it. */
  async take(): Promise<(end: (job: v6.Job) => Promise<unknown>) => Promise<unknown>> {
    const taken: v6.Job[] = [];
    await this.alike(async (_, { prefix }) => {
      const worker = new v6.Worker('mail', null, {
        connection: { url: testRedisUrl(), maxRetriesPerRequest: null },
        prefix,
        autorun: false,
        skipStalledCheck: true,
      });
      atEnd(() => worker.close());
      const job = (await worker.getNextJob('token', { block: false })) as v6.Job;
      taken.push(job);
      return job.id;
    });
    return (end) => this.alike((_, side) => end(taken[this.sides.indexOf(side)] as v6.Job).then(() => undefined));
  }

  async keys(side: 0 | 1): Promise<Record<string, unknown>> {
    const { prefix } = this.sides[side];
    const base = `${prefix}:mail:`;
    const found: Record<string, unknown> = {};
    for (const key of (await this.redis.keys(`${base}*`)).sort()) {
      const rest = key.slice(base.length);
      if (rest !== 'meta') found[rest] = await read(this.redis, key);
    }
    return found;
  }
}

async function answer(step: (queue: EitherQueue, side: Side) => Promise<unknown>, side: Side): Promise<unknown> {
  try {
    return await step(side.queue, side);
  } catch (error) {
    const { message, code } = error as Error & { code?: unknown };
    return { threw: message, ...(typeof code === 'number' ? { code } : {}) };
  }
}

/** What both classes say of a job; BullMQ's says "undefined" for what its script has chosen. */
function facts(job: EitherQueue): unknown {
  if (job === undefined) return undefined;
  const { id, name, data, delay, timestamp, priority, repeatJobKey } = job;
  return { id, name, data, delay, timestamp, priority, repeatJobKey };
}

async function read(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  if (type === 'hash') return Object.fromEntries(Object.entries(await redis.hgetall(key)).map(([field, text]) => [field, decode(text)]));
  if (type === 'list') return redis.lrange(key, 0, -1);
  if (type === 'zset') return redis.zrange(key, '0', '-1', 'WITHSCORES');
  if (type === 'stream') return (await redis.xrange(key, '-', '+')).map(([, fields]) => fields.join(' '));
  return redis.get(key);
}

function decode(text: string): unknown {
  return text.startsWith('{') ? JSON.parse(text) : text;
}

const RULES: readonly object[] = [
  { every: HOUR },
  { every: HOUR, offset: 500 },
  { every: HOUR, offset: 3 * HOUR + 5 },
  { every: 2 * HOUR, offset: 7 },
  { every: 2 * HOUR, offset: 0 },
  { every: HOUR, startDate: NOW + 10 * HOUR + 5 },
  { every: 2 * HOUR, startDate: NOW + 20 * HOUR, offset: 9 },
  { every: HOUR, startDate: NOW - 90_000 },
  { every: HOUR, endDate: NOW + HOUR, limit: 4, count: 2 },
  { every: HOUR, startDate: NOW + 9 * HOUR, endDate: NOW + HOUR },
  { every: HOUR, tz: 'Europe/Berlin', immediately: true },
  DAILY,
  { ...DAILY, immediately: true },
  { pattern: '30 0 * * *', tz: 'Europe/Berlin', limit: 5 },
  { pattern: '*/10 * * * * *' },
  { ...DAILY, startDate: new Date(NOW + 90 * 24 * HOUR), endDate: '2027-06-01', count: 3 },
  { ...DAILY, startDate: '2020-01-01' },
  { ...DAILY, offset: 7 },
];

describe('upsert', () => {
  test.each(RULES)('a new scheduler: %j', async (rule) => {
    const pair = new Pair();
    await pair.upsert(rule);
    expect(await pair.keys(0)).toMatchObject({ id: '1' });
    await pair.alike((queue) => queue.getJobScheduler('s'));
  });

  test('one rule after the other, while the iteration before waits, is delayed or prioritized', async () => {
    const pair = new Pair();
    const templates = [undefined, { opts: { priority: 4 } }, { opts: { lifo: true }, data: { n: 1 } }];
    for (let turn = 0; turn < 60; turn++) {
      pair.clock.pass(1_000 * ((turn * 7) % 5));
      await pair.upsert(RULES[(turn * 11) % RULES.length] as object, templates[turn % 3]);
    }
    await pair.alike((queue) => queue.getJobScheduler('s'));
  });

  test.each(RULES)('the same rule again, now and much later: %j', async (rule) => {
    const pair = new Pair();
    await pair.upsert(rule, { data: { n: 1 } });
    pair.clock.pass(1_000);
    await pair.upsert(rule, { data: { n: 2 }, opts: { attempts: 3 } });
    await pair.upsert(rule);
    pair.clock.pass(25 * HOUR);
    if (!('endDate' in rule)) await pair.upsert(rule);
  });

  test.each([{ every: HOUR }, { ...DAILY, immediately: true }])('while an iteration runs, and when it has run: %j', async (rule) => {
    const pair = new Pair();
    await pair.upsert(rule);
    const end = await pair.take();
    pair.clock.pass(10);
    await pair.upsert(rule, { data: { n: 2 } });
    pair.clock.pass(10);
    await pair.upsert({ ...rule, limit: 9 });
    await end((job) => job.moveToCompleted('done', 'token', false));
    pair.clock.pass(5);
    await pair.upsert(rule);
    await pair.upsert('every' in rule ? { every: 2 * HOUR } : { pattern: '5 * * * *' });
    if (!('every' in rule)) return; // nothing is ready
    const fail = await pair.take();
    const error = Object.assign(new Error('no'), { stack: 'Error: no' });
    await fail((job) => job.moveToFailed(error, 'token', false));
    await pair.upsert(rule);
  });

  test('templates: names, data and options', async () => {
    const pair = new Pair({ defaultJobOptions: { attempts: 7, removeOnFail: 10 } });
    const opts = { attempts: 3, backoff: 500, priority: 2, removeOnComplete: true, keepLogs: 5, lifo: true, stackTraceLimit: 2 };
    await pair.upsert({ every: HOUR }, { name: 'n', data: { a: ['x/y', 1] }, opts });
    await pair.alike((queue) => queue.getJobScheduler('s'));
    await pair.upsert({ every: HOUR }, { opts: { attempts: 0, removeOnFail: { age: 5 }, backoff: { type: 'exponential', delay: 9 } } });
    await pair.upsert({ every: HOUR });
    for (const data of [5, 0, '', false, null, {}, [1], 'x/y ü', { n: null }]) {
      await pair.upsert({ every: HOUR }, { data });
      await pair.alike((queue) => queue.getJobScheduler('s'));
    }
    await pair.upsert({ every: HOUR }, { name: '' });
  });

  test("an application's own strategy", async () => {
    const asked: unknown[] = [];
    const repeatStrategy = (millis: number, options: object, name?: string): number | undefined => {
      asked.push([millis, options, name]);
      const { pattern } = options as { pattern: string };
      if (pattern === 'never') return undefined;
      if (pattern === 'oops') throw new Error('oops');
      return pattern === 'past' ? NOW - 1_000 : millis + 1_234;
    };
    const pair = new Pair({ settings: { repeatStrategy } });
    await pair.upsert({ pattern: 'soon', limit: 3 }, { name: 'n' });
    await pair.upsert({ every: HOUR });
    expect(await pair.upsert({ pattern: 'never' })).toBeUndefined();
    expect(await pair.upsert({ pattern: 'oops' })).toEqual({ threw: 'oops' });
    await pair.upsert({ pattern: 'past' });
    expect(asked.length).toBe(8);
    for (let call = 0; call < asked.length; call += 2) expect(asked[call]).toEqual(asked[call + 1]);
  });

  test.each([
    { rule: { pattern: '* * * * *', every: 1 }, threw: 'Both .pattern and .every options are defined for this repeatable job' },
    { rule: {}, threw: 'Either .pattern or .every options must be defined for this repeatable job' },
    { rule: { every: 0 }, threw: 'Either .pattern or .every options must be defined for this repeatable job' },
    { rule: { pattern: '' }, threw: 'Either .pattern or .every options must be defined for this repeatable job' },
    { rule: { every: HOUR, endDate: NOW - 1 }, threw: 'End date must be greater than current timestamp' },
    { rule: { ...DAILY, endDate: new Date(NOW - 1) }, threw: 'End date must be greater than current timestamp' },
    {
      rule: { ...DAILY, immediately: true, startDate: NOW + 1 },
      threw: 'Both .immediately and .startDate options are defined for this repeatable job',
    },
    { rule: { pattern: 'nope' }, threw: 'Validation error, cannot resolve alias "nop"' },
    { rule: { pattern: '0 0 30 2 *' }, threw: 'Invalid explicit day of month definition' },
    { rule: { pattern: '61 * * * *' }, threw: expect.any(String) },
  ])('$rule is refused: $threw', async ({ rule, threw }) => {
    const pair = new Pair();
    expect(await pair.upsert(rule)).toEqual({ threw });
    expect(await pair.keys(0)).toEqual({});
  });

  test.each([
    { every: HOUR, limit: 0 },
    { every: HOUR, limit: 3, count: 3 },
    { ...DAILY, startDate: NOW + 10 * HOUR, endDate: NOW + HOUR },
  ])('%j makes no job and no scheduler', async (rule) => {
    const pair = new Pair();
    expect(await pair.upsert(rule)).toBeUndefined();
    expect(await pair.keys(0)).toEqual({});
  });

  test('slots that have jobs already: an interval steps over 32, a pattern over none', async () => {
    const occupy = async (pair: Pair, count: number): Promise<void> => {
      for (const { prefix } of pair.sides) {
        for (let slot = 0; slot < count; slot++) await pair.redis.hset(`${prefix}:mail:repeat:s:${NOW + slot * HOUR}`, 'name', 'x');
      }
    };
    const upsert = (pair: Pair, rule: object) =>
      Promise.all(pair.sides.map((side) => answer(async (queue) => facts(await queue.upsertJobScheduler('s', rule)), side)));
    const pair = new Pair();
    await occupy(pair, 33);
    const threw = 'Cannot create job scheduler iteration - current and next time slots already have jobs. addJobScheduler';
    expect(await upsert(pair, { every: HOUR })).toEqual([
      { threw, code: -11 },
      { threw, code: -11 },
    ]);
    const immediately = { threw: 'Cannot create job scheduler iteration - job ID already exists. addJobScheduler', code: -10 };
    expect(await upsert(pair, { ...DAILY, immediately: true })).toEqual([immediately, immediately]);
    for (const { prefix } of pair.sides) await pair.redis.del(`${prefix}:mail:repeat:s:${NOW + 32 * HOUR}`);
    const [ours, theirs] = await upsert(pair, { every: HOUR });
    expect(ours).toMatchObject({ id: `repeat:s:${NOW + 32 * HOUR}` });
    expect(ours).toEqual(theirs);
    expect(await pair.keys(0)).toEqual(await pair.keys(1));
  });
});

describe('remove', () => {
  test.each([
    { name: 'delayed', rule: { every: HOUR, offset: 5 }, template: undefined },
    { name: 'waiting', rule: { every: HOUR }, template: undefined },
    { name: 'prioritized', rule: { every: HOUR }, template: { opts: { priority: 2 } } },
    { name: 'of a pattern', rule: DAILY, template: undefined },
  ])('with its next job $name, and made again', async ({ rule, template }) => {
    const pair = new Pair();
    await pair.upsert(rule, template);
    expect(await pair.alike((queue) => queue.removeJobScheduler('s'))).toBe(true);
    expect(await pair.alike((queue) => queue.removeJobScheduler('s'))).toBe(false);
    await pair.alike((queue) => queue.getJobScheduler('s'));
    await pair.upsert(rule, template);
  });

  test('while a job of it runs', async () => {
    const pair = new Pair();
    await pair.upsert({ every: HOUR });
    const end = await pair.take();
    await pair.alike((queue) => queue.removeJobScheduler('s'));
    await end((job) => job.moveToCompleted('done', 'token', false));
  });
});

test('lists: both directions, pages, ends that are counted from behind, and what has lost its definition', async () => {
  const pair = new Pair();
  for (let n = 0; n < 5; n++) {
    pair.clock.pass(1_000);
    await pair.alike(async (queue) => facts(await queue.upsertJobScheduler(`k${n}`, n % 2 ? { every: HOUR } : DAILY, { data: { n } })));
  }
  const ranges = [[], [0, 1], [0, 1, true], [1, 2], [-2, -1, true], [0, -1, true], [3, 99], [9, 12], [2, 1]];
  for (const range of ranges) await pair.alike((queue) => queue.getJobSchedulers(...range));
  for (const { prefix } of pair.sides) {
    await pair.redis.del(`${prefix}:mail:repeat:k2`);
    await pair.redis.zadd(`${prefix}:mail:repeat`, 5, 'ghost');
  }
  for (const { queue } of pair.sides) expect(await queue.getJobScheduler('k2')).toBeUndefined();
  expect(await pair.alike((queue) => queue.getJobSchedulers(0, -1, true))).toHaveLength(4);
  expect(await pair.alike((queue) => queue.getJobSchedulersCount())).toBe(4);
});

describe('where Drover does otherwise', () => {
  test('a paused queue: the iteration that waits is replaced, where BullMQ 6 leaves it beside the new one', async () => {
    const pair = new Pair();
    const [ours] = pair.sides;
    await ours.queue.pause();
    await ours.queue.upsertJobScheduler('s', { every: HOUR });
    await ours.queue.upsertJobScheduler('s', { every: 2 * HOUR, offset: 3 });
    await ours.queue.upsertJobScheduler('s', { ...DAILY, immediately: true });
    expect(await pair.keys(0)).toMatchObject({ wait: [`repeat:s:${NOW}`] });
    expect(await pair.keys(0)).not.toHaveProperty('delayed');
    expect(await brokenInvariants(pair.redis, 'mail', { prefix: ours.prefix })).toEqual([]);
  });

  test('an iteration that was promoted before its time is not added again: the schedule goes on after it', async () => {
    const pair = new Pair();
    const [ours] = pair.sides;
    const midnight = Date.UTC(2026, 10, 19);
    await ours.queue.upsertJobScheduler('s', DAILY);
    await ours.queue.promoteJobs();
    const worker = new v6.Worker('mail', null, {
      connection: { url: testRedisUrl(), maxRetriesPerRequest: null },
      prefix: ours.prefix,
      autorun: false,
    });
    atEnd(() => worker.close());
    await worker.getNextJob('token', { block: false });
    expect(await ours.queue.upsertJobScheduler('s', DAILY)).toMatchObject({ id: `repeat:s:${midnight + 24 * HOUR}` });
    expect(await pair.keys(0)).toMatchObject({ active: [`repeat:s:${midnight}`] });
    expect(await brokenInvariants(pair.redis, 'mail', { prefix: ours.prefix, isIdle: false })).toEqual([]);
  });

  test('a definition of version 4, which is its key, is listed and can be removed; BullMQ 6 throws for the whole list', async () => {
    const pair = new Pair();
    const [ours] = pair.sides;
    const key = 'tick::1893456000000:Europe/Berlin:0 9 * * *';
    await pair.redis.zadd(`${ours.prefix}:mail:repeat`, 5, key);
    const old = { key, name: 'tick', endDate: 1_893_456_000_000, tz: 'Europe/Berlin', pattern: '0 9 * * *', next: 5 };
    expect(await ours.queue.getJobSchedulers()).toEqual([old]);
    expect(await ours.queue.getJobScheduler(key)).toEqual(old);
    expect(await ours.queue.removeJobScheduler(key)).toBe(true);
    expect(await ours.queue.getJobSchedulersCount()).toBe(0);
  });
});
