import type { Redis } from 'ioredis';
import { Gate, type Rig, rig } from '../support/engine.js';
import { next, until } from '../support/until.js';

interface Scheduled {
  readonly repeat: Record<string, unknown>;
  readonly slot: number;
  readonly opts?: Record<string, unknown>;
  readonly definition?: Record<string, string | number>;
}

/** A scheduler and its first iteration, ready to run: what an upsert of any client leaves in Redis. */
async function schedule(
  { redis, prefix }: Pick<Rig, 'redis' | 'prefix'>,
  id: string,
  { repeat, slot, opts = {}, definition = {} }: Scheduled,
) {
  const base = `${prefix}:mail:`;
  const jobId = `repeat:${id}:${slot}`;
  const { every, pattern } = repeat;
  await redis.zadd(`${base}repeat`, slot, id);
  await redis.hset(`${base}repeat:${id}`, {
    name: 'tick',
    ic: 1,
    ...(every ? { every: String(every), offset: 0 } : { pattern: String(pattern) }),
    ...definition,
  });
  const stored = { attempts: 0, ...opts, repeat: { count: 1, ...repeat }, jobId, repeatJobKey: id, prevMillis: slot };
  await redis.hset(base + jobId, {
    name: 'tick',
    data: '{"n":1}',
    opts: JSON.stringify(stored),
    timestamp: slot,
    delay: 0,
    priority: 0,
    rjk: id,
  });
  await redis.lpush(`${base}wait`, jobId);
  await redis.zadd(`${base}marker`, 0, '0');
  return jobId;
}

const iterations = async (redis: Redis, prefix: string): Promise<string[]> => redis.zrange(`${prefix}:mail:delayed`, '0', '-1');
const HOUR = 3_600_000;
const lastHour = Math.floor(Date.now() / HOUR) * HOUR;

test.each([
  { name: 'an interval', repeat: { every: HOUR }, want: lastHour + HOUR },
  { name: 'a cron pattern', repeat: { pattern: '0 0 1 1 *', tz: 'UTC' }, want: Date.UTC(new Date().getUTCFullYear() + 1, 0, 1) },
])('$name: the next iteration exists before the processor sees the job', async ({ repeat, want }) => {
  const one = rig();
  const { queue, redis, prefix, worker, counts, broken } = one;
  await schedule(one, 's', { repeat, slot: lastHour, opts: { attempts: 2, priority: 3 } });
  let seen: string[] = [];
  worker(async () => {
    seen = await iterations(redis, prefix);
  });
  await counts({ completed: 1 });
  expect(seen).toEqual([`repeat:s:${want}`]);
  expect(await queue.getJob(`repeat:s:${want}`)).toMatchObject({ name: 'tick', data: { n: 1 }, priority: 3, repeatJobKey: 's' });
  expect(await redis.zscore(`${prefix}:mail:repeat`, 's')).toBe(String(want));
  expect(await redis.hget(`${prefix}:mail:repeat:s`, 'ic')).toBe('2');
  expect(await broken()).toEqual([]);
});

test.each([{ every: HOUR }, { pattern: '0 0 1 1 *' }])('%j: a retried or stalled iteration has one successor only', async (repeat) => {
  const one = rig();
  const { redis, prefix, worker, counts, broken } = one;
  const jobId = await schedule(one, 's', { repeat, slot: lastHour, opts: { attempts: 3 } });
  let runs = 0;
  worker(
    async () => {
      runs++;
      if (runs === 1) throw new Error('again');
      if (runs > 2) return;
      await redis.lrem(`${prefix}:mail:active`, 0, jobId); // as the stalled check of another client does
      await redis.del(`${prefix}:mail:${jobId}:lock`);
      await redis.lpush(`${prefix}:mail:wait`, jobId);
    },
    { allowErrors: true },
  );
  await counts({ completed: 1, waiting: 0, active: 0 });
  expect(runs).toBe(3);
  expect(await iterations(redis, prefix)).toHaveLength(1);
  expect(await redis.hget(`${prefix}:mail:repeat:s`, 'ic')).toBe('2');
  expect(await broken()).toEqual([]);
});

test.each([
  { name: 'at its limit', repeat: { every: HOUR, limit: 1 } },
  { name: 'past its end', repeat: { every: HOUR, endDate: lastHour - 1 } },
  { name: 'past its end, as a text', repeat: { every: HOUR, endDate: '2020-01-01T00:00:00.000Z' } },
  { name: 'at its limit, cron', repeat: { pattern: '* * * * *', limit: 1 } },
  { name: 'past its end, cron', repeat: { pattern: '* * * * *', endDate: lastHour - 1 } },
])('a schedule $name has no further iteration, and its definition stays', async ({ repeat }) => {
  const one = rig();
  const { redis, prefix, worker, counts } = one;
  await schedule(one, 's', { repeat, slot: lastHour });
  worker(async () => 1);
  await counts({ completed: 1, delayed: 0, waiting: 0 });
  expect(await redis.exists(`${prefix}:mail:repeat:s`)).toBe(1);
  expect(await redis.zscore(`${prefix}:mail:repeat`, 's')).toBe(String(lastHour));
});

test('an interval with an end that is a text goes on', async () => {
  const one = rig();
  await schedule(one, 's', { repeat: { every: HOUR, endDate: '2999-01-01T00:00:00.000Z' }, slot: lastHour });
  one.worker(async () => 1);
  await one.counts({ completed: 1, delayed: 1 });
  expect(await iterations(one.redis, one.prefix)).toEqual([`repeat:s:${lastHour + HOUR}`]);
});

test('a pattern that cannot be read is reported, and the job runs', async () => {
  const one = rig();
  await schedule(one, 's', { repeat: { pattern: 'every so often' }, slot: lastHour });
  const worker = one.worker(async () => 1, { allowErrors: true });
  const [error] = await next<[Error]>(worker, 'error');
  expect(error.message).toContain('the schedule s cannot go on');
  await one.counts({ completed: 1 });
});

test("an application's own strategy says when the next iteration runs", async () => {
  const one = rig();
  await schedule(one, 's', { repeat: { pattern: 'in a minute' }, slot: lastHour });
  const asked: unknown[] = [];
  const repeatStrategy = (millis: number, opts: object, name?: string): number => {
    asked.push([(opts as { pattern: string }).pattern, name]);
    return millis + 60_000;
  };
  one.worker(async () => 1, { settings: { repeatStrategy } });
  await one.counts({ completed: 1, delayed: 1 });
  expect(asked).toEqual([['in a minute', 'tick']]);
});

test('the next iteration wakes the worker in time, without a hint of anybody else', async () => {
  const one = rig();
  const slot = Date.now();
  await schedule(one, 's', { repeat: { every: 150, limit: 5 }, slot, definition: { offset: slot % 150 } });
  const gate = new Gate();
  one.worker(
    async (job, token, signal) => {
      gate.started.push(job.id);
      void [token, signal];
    },
    { drainDelay: 60 },
  );
  await gate.hasStarted(5);
  await one.counts({ completed: 5, delayed: 0 });
  expect(new Set(gate.started).size).toBe(5);
});

test('an iteration of a scheduler that is gone runs without a successor', async () => {
  const { queue, worker, counts, redis, prefix } = rig();
  await queue.pause();
  const job = await queue.add('a', {});
  await redis.hset(`${prefix}:mail:${job.id}`, 'rjk', 'gone');
  worker(async () => 1);
  await queue.resume();
  await counts({ completed: 1, delayed: 0 });
});

test('a repeatable job of version 5 goes back to wait untouched, and the queue is left to others', async () => {
  const one = rig();
  const { worker, redis, prefix } = one;
  const key = 'tick::::0 9 * * *';
  await redis.zadd(`${prefix}:mail:repeat`, lastHour, key);
  const jobId = `repeat:abc:${lastHour}`;
  await redis.hset(`${prefix}:mail:${jobId}`, {
    name: 'tick',
    data: '{}',
    opts: '{"repeat":{"pattern":"0 9 * * *"}}',
    timestamp: lastHour,
    delay: 0,
    priority: 0,
    rjk: key,
  });
  await redis.lpush(`${prefix}:mail:wait`, jobId);
  const gate = new Gate();
  const here = worker(gate.processor, { allowErrors: true });
  const [error] = await next<[Error]>(here, 'error');
  expect(error.message).toContain(`the repeatable job ${key} of BullMQ 5 or before`);
  await until(async () => (await redis.lrange(`${prefix}:mail:wait`, 0, -1)).includes(jobId), { what: 'the job to be back in wait' });
  expect(gate.started).toEqual([]);
  expect(await redis.hget(`${prefix}:mail:${jobId}`, 'atm')).toBeNull();
});
