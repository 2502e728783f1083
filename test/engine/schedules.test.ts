import { InvalidScheduleError, JobScheduler } from '@drover/core';
import type { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.js';
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

describe('made here', () => {
  test('a schedule runs to its limit, with the template of the scheduler', async () => {
    const { queue, worker, counts, broken } = rig('mail', { defaultJobOptions: { removeOnFail: 5 } });
    const first = await queue.upsertJobScheduler('tick', { every: 20, limit: 4 }, { name: 'beat', data: { n: 1 }, opts: { attempts: 2 } });
    expect(first).toMatchObject({ name: 'beat', data: { n: 1 }, delay: 0, repeatJobKey: 'tick', opts: { attempts: 2, removeOnFail: 5 } });
    worker(async (job) => job.data.n);
    await counts({ completed: 4, delayed: 0 });
    const jobs = await queue.getJobs('completed');
    expect(new Set(jobs.map(({ name, data, opts }) => JSON.stringify([name, data, opts.attempts])))).toEqual(
      new Set(['["beat",{"n":1},2]']),
    );
    expect(await queue.getJobScheduler('tick')).toMatchObject({ iterationCount: 4, limit: 4, template: { opts: { attempts: 2 } } });
    expect(await broken()).toEqual([]);
  });

  test('a scheduler that is replaced while its job runs goes on by the new rule alone', async () => {
    const one = rig();
    const gate = new Gate();
    one.worker(gate.processor);
    await one.queue.upsertJobScheduler('tick', { every: HOUR }, { data: { rule: 1 } });
    await gate.hasStarted(1);
    const replaced = await one.queue.upsertJobScheduler('tick', { pattern: '0 0 1 1 *', tz: 'UTC' }, { data: { rule: 2 } });
    gate.stayOpen();
    await one.counts({ completed: 1, delayed: 1 });
    expect(await iterations(one.redis, one.prefix)).toEqual([replaced?.id]);
    expect(await one.broken()).toEqual([]);
  });

  test('many upserts at once leave one scheduler with one job', async () => {
    const { queue, broken } = rig();
    await Promise.all(
      Array.from({ length: 50 }, (_, n) => queue.upsertJobScheduler('tick', n % 2 ? { every: HOUR } : { every: 2 * HOUR, offset: n })),
    );
    const { waiting, delayed } = (await queue.getJobCounts()) as { waiting: number; delayed: number };
    expect(waiting + delayed).toBe(1);
    expect(await queue.getJobSchedulersCount()).toBe(1);
    expect(await broken()).toEqual([]);
  });

  test('more schedulers than one call reads are listed, some of them without a definition', async () => {
    const { queue, redis, prefix } = rig();
    const ids = Array.from({ length: 1_203 }, (_, n) => `s${String(n).padStart(4, '0')}`);
    const start = Date.now() + HOUR;
    await Promise.all(ids.map((id, n) => queue.upsertJobScheduler(id, { every: HOUR, startDate: start + n })));
    const gone = ids.filter((_, n) => n % 100 === 7);
    await redis.del(...gone.map((id) => `${prefix}:mail:repeat:${id}`));
    const left = ids.filter((id) => !gone.includes(id));
    expect((await queue.getJobSchedulers(0, -1, true)).map(({ key }) => key)).toEqual(left);
    expect((await queue.getJobSchedulers()).map(({ key }) => key)).toEqual([...left].reverse());
    expect((await queue.getJobSchedulers(-3, -1, true)).map(({ key }) => key)).toEqual(left.slice(-3));
  });

  test('what cannot be a schedule leaves nothing behind', async () => {
    const { queue, redis, prefix } = rig();
    await expect(queue.upsertJobScheduler('s', { pattern: '0 0 * * *', tz: 'Mars/Olympus' })).rejects.toThrow(
      'repeat.tz must be the name of a time zone, got "Mars/Olympus"',
    );
    await expect(queue.upsertJobScheduler('s', { pattern: 'nope', tz: 'UTC' })).rejects.toThrow(InvalidScheduleError);
    await expect(queue.removeJobScheduler(5 as never)).rejects.toThrow('job scheduler id must be a text');
    expect(await redis.keys(`${prefix}:mail:repeat*`)).toEqual([]);
  });

  test("the class JobScheduler, and the queue's own", async () => {
    const { queue, prefix, url } = rig('mail', { defaultJobOptions: { attempts: 9 } });
    const schedulers = new JobScheduler('mail', { connection: url, prefix });
    atEnd(() => schedulers.close());
    const job = await schedulers.upsertJobScheduler('s', { every: HOUR, offset: 1 }, 'n', { a: 1 }, { priority: 2 }, { override: true });
    expect(job).toMatchObject({ name: 'n', data: { a: 1 }, priority: 2 });
    expect(await job?.getState()).toBe('delayed');
    const own = await queue.jobScheduler;
    for (const one of [schedulers, own]) {
      expect(await one.getScheduler('s')).toMatchObject({ key: 's', name: 'n', template: { data: { a: 1 }, opts: { priority: 2 } } });
      expect(await one.getJobSchedulers()).toHaveLength(1);
      expect([await one.getSchedulersCount(), await one.isJobScheduler('s'), await one.isJobScheduler('t')]).toEqual([1, true, false]);
    }
    await expect(schedulers.upsertJobScheduler('s', { every: HOUR }, 'n', {}, {}, { override: false })).rejects.toThrow(
      'override must be true',
    );
    expect([await own.removeJobScheduler('s'), await schedulers.removeJobScheduler('s')]).toEqual([0, 1]);
  });
});

test("a strategy of the worker's has no say in intervals", async () => {
  const one = rig();
  await schedule(one, 's', { repeat: { every: HOUR, endDate: '2999-01-01T00:00:00.000Z' }, slot: lastHour });
  one.worker(async () => 1, { settings: { repeatStrategy: () => 5 } });
  await one.counts({ completed: 1, delayed: 1 });
  expect(await iterations(one.redis, one.prefix)).toEqual([`repeat:s:${lastHour + HOUR}`]);
});
