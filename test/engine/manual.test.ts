import { Worker } from '@drover/core';
import { type Rig, rig } from '../support/engine.js';
import { next, until } from '../support/until.js';

function manual({ prefix, url, worker }: Rig, options: Parameters<Rig['worker']>[1] = {}) {
  void [prefix, url];
  return worker(null as never, options);
}

test('jobs are taken with a token of the caller and ended by hand, one after the other', async () => {
  const one = rig();
  const { queue, redis, prefix, counts, broken } = one;
  const worker = manual(one);
  await queue.addBulk([
    { name: 'a', data: { n: 1 } },
    { name: 'b', data: { n: 2 } },
    { name: 'c', data: { n: 3 }, opts: { attempts: 2 } },
  ]);
  const first = await worker.getNextJob('mine');
  expect(first).toMatchObject({ id: '1', name: 'a', data: { n: 1 }, token: 'mine', attemptsStarted: 1, attemptsMade: 0 });
  expect(await redis.get(`${prefix}:mail:1:lock`)).toBe('mine');
  const second = await first?.moveToCompleted({ ok: 1 }, 'mine');
  expect(second).toEqual([expect.objectContaining({ name: 'b', data: '{"n":2}', attemptsStarted: 1 }), '2', 0, 0]);
  expect(first).toMatchObject({ returnvalue: { ok: 1 }, attemptsMade: 1 });
  expect(await redis.get(`${prefix}:mail:2:lock`)).toBe('mine');
  expect(await first?.getState()).toBe('completed');
  const two = await queue.getJob('2');
  expect(await two?.moveToCompleted('b', 'mine', false)).toBeUndefined();
  const third = await worker.getNextJob('mine again');
  expect(await third?.moveToFailed(new Error('no'), 'mine again')).toBeUndefined();
  expect(third).toMatchObject({ failedReason: 'no', attemptsMade: 1, finishedOn: undefined });
  const again = await worker.getNextJob('once more');
  expect(again).toMatchObject({ id: '3', attemptsMade: 1, attemptsStarted: 2 });
  await again?.moveToFailed(new Error('never'), 'once more');
  await counts({ completed: 2, failed: 1, active: 0 });
  expect(await broken()).toEqual([]);
});

test('the answer tells when nothing is ready: the due time, the rate limit, or nothing at all', async () => {
  const one = rig();
  const { queue } = one;
  const worker = manual(one, { limiter: { max: 3, duration: 60_000 } });
  await queue.add('a', {});
  expect(await (await worker.getNextJob('t'))?.moveToCompleted(1)).toBeUndefined();
  const late = await queue.add('late', {}, { delay: 60_000 });
  await queue.add('b', {});
  const due = late.timestamp + 60_000;
  expect(await (await worker.getNextJob('t'))?.moveToCompleted(1)).toEqual([null, 0, 0, due]);
  await queue.addBulk([
    { name: 'c', data: {} },
    { name: 'd', data: {} },
  ]);
  const [data, id, limitedFor] = (await (await worker.getNextJob('t'))?.moveToCompleted(1)) ?? [];
  expect([data, id]).toEqual([null, 0]);
  expect(limitedFor).toBeGreaterThan(50_000);
  expect(await worker.getNextJob('t', { block: false })).toBeUndefined();
});

test('waits for a job as long as an idle queue is waited for', async () => {
  const one = rig();
  const worker = manual(one, { drainDelay: 20 });
  expect(await worker.getNextJob('t', { block: false })).toBeUndefined();
  const waited = worker.getNextJob('waiting');
  await until(async () => String(await one.redis.client('LIST')).includes('bzpopmin'), { what: 'the wait for a hint' });
  await one.queue.add('a', {});
  const job = await waited;
  expect(job).toMatchObject({ id: '1', token: 'waiting' });
  expect(await one.redis.get(`${one.prefix}:mail:1:lock`)).toBe('waiting');
  await job?.moveToCompleted(1);
  await one.counts({ completed: 1 });
  expect(await manual(one, { drainDelay: 0.05 }).getNextJob('t')).toBeUndefined();
  expect(await one.broken()).toEqual([]);
});

test('closing ends the wait, and jobs that come too late stay in the queue', async () => {
  const one = rig();
  const worker = manual(one, { drainDelay: 60 });
  const waits = [worker.getNextJob('a'), worker.getNextJob('b')];
  await worker.waitUntilReady();
  await worker.close();
  await one.queue.add('a', {});
  expect(await Promise.all(waits)).toEqual([undefined, undefined]);
  expect(await worker.getNextJob('c')).toBeUndefined();
  await one.counts({ waiting: 1, active: 0 });
});

test('many waits share what comes, each with its own token', async () => {
  const one = rig();
  const worker = manual(one, { drainDelay: 20 });
  const tokens = ['a', 'b', 'c', 'd'];
  const waits = tokens.map((token) => worker.getNextJob(token));
  await worker.waitUntilReady();
  await one.queue.addBulk(tokens.map((name) => ({ name, data: {} })));
  const jobs = await Promise.all(waits);
  expect(new Set(jobs.map((job) => job?.id))).toEqual(new Set(['1', '2', '3', '4']));
  expect(jobs.map((job) => job?.token)).toEqual(tokens);
  await Promise.all(jobs.map((job) => job?.moveToCompleted(1, undefined, false)));
  await one.counts({ completed: 4 });
  expect(await one.broken()).toEqual([]);
});

test("the worker's own rules count: retention, back-off strategy, starts", async () => {
  const one = rig();
  const { queue, counts } = one;
  const worker = manual(one, {
    removeOnComplete: { count: 1 },
    settings: { backoffStrategy: () => 60_000 },
    metrics: { maxDataPoints: 5 },
  });
  await queue.addBulk([
    { name: 'a', data: {} },
    { name: 'b', data: {} },
    { name: 'c', data: {}, opts: { attempts: 3, backoff: { type: 'own' } } },
  ]);
  for (const token of ['1', '2']) await (await worker.getNextJob(token))?.moveToCompleted(1, token, false);
  const third = await worker.getNextJob('3');
  await third?.moveToFailed(new Error('later'), '3');
  await counts({ completed: 1, delayed: 1 });
  expect(await one.redis.hget(`${one.prefix}:mail:metrics:completed`, 'count')).toBe('2');
});

test('locks are extended and lost by hand', async () => {
  const one = rig();
  const { queue, redis, prefix } = one;
  const worker = manual(one, { lockDuration: 5_000 });
  await queue.addBulk([
    { name: 'a', data: {} },
    { name: 'b', data: {} },
  ]);
  const [first, second] = [await worker.getNextJob('one'), await worker.getNextJob('two')];
  expect(await first?.extendLock('one', 60_000)).toBe(1);
  expect(await first?.extendLock('other', 60_000)).toBe(0);
  expect(await worker.extendJobLocks(['1', '2', '9'], ['one', 'wrong', 'x'], 70_000)).toEqual(['2', '9']);
  expect(await redis.pttl(`${prefix}:mail:1:lock`)).toBeGreaterThan(60_000);
  expect(await redis.pttl(`${prefix}:mail:2:lock`)).toBeLessThanOrEqual(5_000);
  await expect(second?.moveToCompleted(1, 'wrong')).rejects.toMatchObject({
    code: -6,
    message: 'Lock mismatch for job 2. Cmd moveToFinished from active',
  });
  await redis.del(`${prefix}:mail:2:lock`);
  await expect(second?.moveToCompleted(1, 'two')).rejects.toMatchObject({ code: -2, message: 'Missing lock for job 2. moveToFinished' });
  await queue.remove('2');
  await first?.moveToCompleted(1);
});

test('a stalled job is found when asked for', async () => {
  const one = rig();
  const { queue, redis, prefix } = one;
  const worker = manual(one, { stalledInterval: 100 });
  await queue.add('a', {});
  await worker.getNextJob('lost');
  await redis.del(`${prefix}:mail:1:lock`);
  const stalled = next(worker, 'stalled');
  await worker.startStalledCheckTimer();
  await worker.startStalledCheckTimer();
  expect(await stalled).toEqual(['1', 'active']);
  const again = await worker.getNextJob('again');
  expect(again?.id).toBe('1');
  await again?.moveToCompleted(1);
});

test('moves by hand: to wait, to delayed, to waiting for children', async () => {
  const one = rig();
  const { queue, counts, broken } = one;
  const worker = manual(one);
  await queue.add('a', {});
  const first = await worker.getNextJob('t1');
  await first?.moveToWait('t1');
  await counts({ waiting: 1, active: 0 });
  const second = await worker.getNextJob('t2');
  expect(second).toMatchObject({ id: '1', attemptsMade: 0, attemptsStarted: 2 });
  expect(await second?.moveToWaitingChildren('t2')).toBe(false);
  await queue.add('child', {}, { parent: { id: '1', queue: queue.qualifiedName } });
  expect(await second?.moveToWaitingChildren('t2')).toBe(true);
  await counts({ 'waiting-children': 1, active: 0 });
  await (await worker.getNextJob('t3'))?.moveToCompleted('child', 't3', false);
  const parent = await worker.getNextJob('t4');
  expect(parent?.id).toBe('1');
  await parent?.moveToDelayed(Date.now() + 60_000, 't4');
  await counts({ delayed: 1, completed: 1, active: 0 });
  expect(await queue.getJob('1')).toMatchObject({ attemptsMade: 0 });
  expect(await broken()).toEqual([]);
});

test('a job that cannot be read is failed and told, not handed out', async () => {
  const one = rig();
  await one.queue.add('a', {});
  await one.redis.hset(`${one.prefix}:mail:1`, 'data', '{nope');
  const worker = manual(one, { allowErrors: true });
  const error = next<[Error]>(worker, 'error');
  expect(await worker.getNextJob('t', { block: false })).toBeUndefined();
  expect((await error)[0].message).toContain('cannot be decoded');
  await one.counts({ failed: 1 });
});

test('a worker without a processor does not run, and asks for a token', async () => {
  const { prefix, url } = rig();
  const worker = new Worker('mail', null, { prefix, connection: url });
  await expect(worker.run()).rejects.toThrow('No process function is defined.');
  await expect(worker.getNextJob('')).rejects.toThrow('token must be a text that is not empty');
  await expect(worker.extendJobLocks(['1'], ['t'], 0)).rejects.toThrow('duration must be an integer of at least 1');
  await worker.close();
});
