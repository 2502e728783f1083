import { systemClock } from '@drover/core/kit';
import { collect, Gate, ownRuntime, rig } from '../support/engine.js';
import { startOwnRedis } from '../support/redis.js';
import { next, until } from '../support/until.js';

const jobs = (count: number) => Array.from({ length: count }, (_, n) => ({ name: 'a', data: { n } }));

test('Redis is killed and comes back under load: no job is lost, none is told twice', async () => {
  const redis = await startOwnRedis();
  const { queue, worker, counts, broken } = rig('mail', { url: redis.url });
  const runs = new Map<string, number>();
  const one = worker(
    async (job) => {
      runs.set(job.id, (runs.get(job.id) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return job.data.n;
    },
    { concurrency: 50, lockDuration: 2_000, stalledInterval: 500, drainDelay: 1, allowErrors: true },
  );
  const completed = collect(one, 'completed');
  await queue.addBulk(jobs(3_000));
  await until(() => completed.length > 300, { what: 'the first jobs', everyMs: 1 });
  await redis.kill();
  await redis.restart();
  await counts({ completed: 3_000, active: 0, waiting: 0 });
  expect(runs.size).toBe(3_000);
  const told = completed.map(([job]) => (job as { id: string }).id);
  expect(new Set(told).size).toBe(told.length);
  expect(await broken()).toEqual([]);
});

test('what finishes while Redis is away is committed when it is back, as long as the lock lives', async () => {
  const redis = await startOwnRedis();
  const { queue, worker, counts } = rig('mail', { url: redis.url });
  const gate = new Gate();
  const one = worker(gate.processor, { concurrency: 3, skipStalledCheck: true, allowErrors: true });
  await queue.addBulk(jobs(3));
  await gate.hasStarted(3);
  await redis.kill();
  const completed = collect(one, 'completed');
  gate.openAll();
  await until(() => gate.running === 0, { what: 'the processors to end' });
  expect(completed).toEqual([]);
  await redis.restart();
  await counts({ completed: 3 });
  await until(() => completed.length === 3, { what: 'three completed events' });
  expect(gate.started).toHaveLength(3);
});

test('a job is aborted when its lock has run out while Redis was away', async () => {
  const redis = await startOwnRedis();
  const { queue, worker, counts } = rig('mail', { url: redis.url });
  const gate = new Gate();
  const one = worker(gate.processor, { lockDuration: 400, stalledInterval: 100, maxStalledCount: 5, allowErrors: true });
  const lost = collect(one, 'lockRenewalFailed');
  await queue.add('a', {});
  await gate.hasStarted(1);
  await redis.kill();
  await until(() => lost.length === 1, { what: 'the lock to be given up' });
  expect(gate.signals.get('1')?.aborted).toBe(true);
  gate.open('1', 'too late');
  await redis.restart();
  await gate.hasStarted(2);
  gate.open('1', 'second');
  await counts({ completed: 1 });
  expect(await queue.getJob('1')).toMatchObject({ returnvalue: 'second' });
});

test('a worker made while Redis is away starts working when it is there', async () => {
  const redis = await startOwnRedis();
  const { queue, counts, worker } = rig('mail', { url: redis.url });
  await queue.waitUntilReady();
  await redis.kill();
  const gate = new Gate();
  const one = worker(gate.processor, { allowErrors: true });
  await redis.restart();
  await one.waitUntilReady();
  await queue.add('a', {});
  await gate.hasStarted(1);
  gate.openAll();
  await counts({ completed: 1 });
});

test('a bug in a loop ends the whole runtime: its jobs are aborted, its workers close and say so', async () => {
  const { queue, worker } = rig();
  const clock = systemClock();
  let isBroken = false;
  const runtime = ownRuntime({
    clock: {
      ...clock,
      now: () => {
        if (isBroken) throw new Error('bug');
        return clock.now();
      },
    },
  });
  const gate = new Gate();
  const one = worker(gate.processor, { runtime, allowErrors: true });
  const errors = collect(one, 'error');
  const failed = next<[Error]>(runtime, 'failed');
  const closed = next(one, 'closed');
  await queue.add('a', {});
  await gate.hasStarted(1);
  isBroken = true;
  one.concurrency = 2; // makes the loop look
  expect((await failed)[0].message).toBe('bug');
  await closed;
  expect(gate.signals.get('1')?.aborted).toBe(true);
  expect(errors.map(([error]) => (error as Error).message)).toContain('bug');
  expect(runtime.state).toBe('failed');
  gate.openAll();
});
