import { collect, Gate, ownRuntime, rig, within } from '../support/engine.js';
import { startOwnRedis } from '../support/redis.js';
import { next, until } from '../support/until.js';

test('a job that takes longer than its lock keeps it by renewal', async () => {
  const { queue, worker, counts, redis, prefix } = rig();
  const gate = new Gate();
  const one = worker(gate.processor, { lockDuration: 2_000, stalledInterval: 100 });
  const stalled = collect(one, 'stalled');
  const renewed = collect(one, 'locksRenewed');
  await queue.add('a', {});
  await gate.hasStarted(1);
  const startedAt = Date.now();
  let shortest = 2_000;
  await until(
    async () => {
      shortest = Math.min(shortest, await redis.pttl(`${prefix}:mail:1:lock`));
      return Date.now() - startedAt > 5_000;
    },
    { what: 'two and a half lock times to pass' },
  );
  expect(shortest).toBeGreaterThan(0);
  expect(renewed.length).toBeGreaterThan(0);
  expect(renewed[0]).toEqual([{ count: 1, jobIds: ['1'] }]);
  gate.openAll();
  await counts({ completed: 1 });
  expect(stalled).toEqual([]);
  expect(gate.started).toEqual(['1']);
});

test('a job whose worker has vanished is found and run again', async () => {
  const { queue, worker, counts, redis, prefix, broken } = rig();
  const gone = ownRuntime();
  const left = new Gate();
  const lost = worker(left.processor, { runtime: gone, lockDuration: 100, skipStalledCheck: true, allowErrors: true });
  await queue.add('a', {});
  await left.hasStarted(1);
  await lost.close(true);
  await gone.stop(within(0)); // its locks are not renewed any more
  await until(async () => !(await redis.exists(`${prefix}:mail:1:lock`)), { what: 'the lock to run out' });
  const one = worker(async () => 'again', { stalledInterval: 60 });
  const stalled = next(one, 'stalled');
  expect(await stalled).toEqual(['1', 'active']);
  await counts({ completed: 1 });
  expect(await queue.getJob('1')).toMatchObject({ returnvalue: 'again', stalledCounter: 1, attemptsStarted: 2 });
  left.openAll();
  expect(await broken()).toEqual([]);
});

test('a job that stalls too often fails', async () => {
  const { queue, worker, counts, redis, prefix } = rig();
  const gone = ownRuntime();
  const left = new Gate();
  const lost = worker(left.processor, { runtime: gone, lockDuration: 50, skipStalledCheck: true, allowErrors: true });
  await queue.add('a', {});
  await left.hasStarted(1);
  await lost.close(true);
  await gone.stop(within(0));
  await until(async () => !(await redis.exists(`${prefix}:mail:1:lock`)), { what: 'the lock to run out' });
  const gate = new Gate();
  worker(gate.processor, { stalledInterval: 50, maxStalledCount: 0 });
  await counts({ failed: 1 });
  expect((await queue.getJob('1'))?.failedReason).toBe('job stalled more than allowable limit');
  expect(gate.started).toEqual([]);
  left.openAll();
});

test('a job whose lock another worker has is aborted, and its result dropped', async () => {
  const { queue, worker, redis, prefix } = rig();
  const gate = new Gate();
  const one = worker(gate.processor, { lockDuration: 300, skipStalledCheck: true, allowErrors: true });
  const failed = next<[string[]]>(one, 'lockRenewalFailed');
  const error = next<[Error]>(one, 'error');
  const completed = collect(one, 'completed');
  await queue.add('a', {});
  await gate.hasStarted(1);
  await redis.set(`${prefix}:mail:1:lock`, 'somebody-else', 'PX', 60_000);
  expect(await failed).toEqual([['1']]);
  expect((await error)[0]).toMatchObject({ code: 'LOCK_LOST', jobId: '1' });
  expect(gate.signals.get('1')?.aborted).toBe(true);
  gate.open('1', 'too late');
  await queue.add('b', {});
  await gate.hasStarted(2); // the place is free again
  gate.open('2');
  await until(() => completed.length === 1, { what: 'the second job' });
  expect(await redis.hget(`${prefix}:mail:1`, 'returnvalue')).toBeNull();
  expect(await redis.lrange(`${prefix}:mail:active`, 0, -1)).toEqual(['1']);
});

test('a result that comes after its lock was lost is refused and told as an error', async () => {
  const { queue, worker, redis, prefix } = rig();
  const gate = new Gate();
  const one = worker(gate.processor, { allowErrors: true });
  const error = next<[Error & { code: number }]>(one, 'error');
  const completed = collect(one, 'completed');
  await queue.add('a', {});
  await gate.hasStarted(1);
  await redis.set(`${prefix}:mail:1:lock`, 'somebody-else', 'PX', 60_000);
  gate.open('1');
  expect((await error)[0]).toMatchObject({ code: -6 });
  expect(completed).toEqual([]);
  await redis.del(`${prefix}:mail:1:lock`);
});

test('a thousand workers cost one process two connections', async () => {
  const { url } = await startOwnRedis(); // nobody else connects to it
  const { queue, worker, counts, redis } = rig('mail', { url });
  const runtime = ownRuntime({ connection: url });
  await queue.waitUntilReady();
  const before = await connectionsOf(redis);
  const ran = new Set<number>();
  const workers = Array.from({ length: 1_000 }, (_, n) => worker(async () => void ran.add(n), { runtime }));
  await Promise.all(workers.map((one) => one.waitUntilReady()));
  await until(async () => (await connectionsOf(redis)) === before + 2, { what: 'two connections more' });
  await queue.addBulk(Array.from({ length: 3_000 }, (_, n) => ({ name: 'a', data: { n } })));
  await counts({ completed: 3_000 });
  expect(ran.size).toBeGreaterThan(900);
  expect(await connectionsOf(redis)).toBe(before + 2);
  await Promise.all(workers.map((one) => one.close()));
});

async function connectionsOf(redis: { client(command: 'LIST'): Promise<unknown> }): Promise<number> {
  return String(await redis.client('LIST'))
    .trim()
    .split('\n').length;
}

test('a process that starts after a check by another one makes the next check as soon as it may', async () => {
  const { queue, worker, counts, redis, prefix } = rig();
  await queue.add('a', {});
  const id = (await redis.rpoplpush(`${prefix}:mail:wait`, `${prefix}:mail:active`)) as string; // its holder died
  await redis.sadd(`${prefix}:mail:stalled`, id); // and was seen active by a check
  await redis.set(`${prefix}:mail:stalled-check`, Date.now(), 'PX', 300);
  worker(async () => 'recovered', { stalledInterval: 3_600_000 });
  await counts({ completed: 1 });
  expect(await queue.getJob('1')).toMatchObject({ returnvalue: 'recovered', stalledCounter: 1 });
});
