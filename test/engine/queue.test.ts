import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type JobMessage, Queue, Worker } from '@drover/core';
import { atEnd } from '../support/at-end.js';
import { collect, Gate, ownRuntime, rig } from '../support/engine.js';
import { testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';

describe('a queue', () => {
  test('counts and lists its jobs by state', async () => {
    const { queue, worker, counts } = rig();
    const gate = new Gate();
    await queue.addBulk([
      { name: 'good', data: 1 },
      { name: 'bad', data: 2 },
      { name: 'running', data: 3 },
      { name: 'waits', data: 4 },
      { name: 'late', data: 5, opts: { delay: 60_000 } },
      { name: 'low', data: 6, opts: { priority: 3 } },
    ]);
    worker(gate.processor);
    await gate.hasStarted(1);
    gate.open('1', 'r');
    await gate.hasStarted(2);
    gate.fail('2', new Error('no'));
    await gate.hasStarted(3);
    await counts({ completed: 1, failed: 1, active: 1, waiting: 1, delayed: 1, prioritized: 1, 'waiting-children': 0 });
    const names = async (jobs: Promise<{ name: string }[]>) => (await jobs).map(({ name }) => name);
    expect(await names(queue.getCompleted())).toEqual(['good']);
    expect(await names(queue.getFailed())).toEqual(['bad']);
    expect(await names(queue.getActive())).toEqual(['running']);
    expect(await names(queue.getWaiting())).toEqual(['waits']);
    expect(await names(queue.getDelayed())).toEqual(['late']);
    expect(await names(queue.getPrioritized())).toEqual(['low']);
    expect(await names(queue.getJobs(['failed', 'completed', 'failed']))).toEqual(['bad', 'good']);
    expect(await queue.count()).toBe(3);
    expect(await queue.getJobCounts('waiting', 'paused')).toEqual({ waiting: 1, paused: 0 });
    expect(await queue.getJobCountByTypes('completed', 'failed')).toBe(2);
    await expect(queue.getJobCounts('nope' as never)).rejects.toThrow('type must be one of active, completed');
    gate.stayOpen();
    await counts({ completed: 4, active: 0, delayed: 1 });
  });

  test('pages through finished jobs, newest first', async () => {
    const { queue, worker, counts } = rig();
    worker(async () => 1);
    for (let n = 0; n < 5; n++) await queue.add(`j${n}`, {});
    await counts({ completed: 5 });
    expect((await queue.getCompleted(1, 2)).map(({ name }) => name)).toEqual(['j3', 'j2']);
  });

  test('merges default options, and never inherits an id', async () => {
    const { queue } = rig('mail', { defaultJobOptions: { attempts: 4, priority: 2, jobId: 'never' } });
    const job = await queue.add('a', {}, { priority: 7 });
    expect(job.id).toBe('1');
    expect((await queue.getJob(job.id))?.opts).toMatchObject({ attempts: 4, priority: 7 });
    expect(queue.defaultJobOptions).toMatchObject({ attempts: 4 });
  });

  test('adds a job with a given id once', async () => {
    const { queue, counts } = rig();
    await queue.add('a', { n: 1 }, { jobId: 'mine' });
    await queue.add('a', { n: 2 }, { jobId: 'mine' });
    await counts({ waiting: 1 });
    expect((await queue.getJob('mine'))?.data).toEqual({ n: 1 });
  });

  test('keeps the order of jobs added at the same time', async () => {
    const { queue } = rig();
    await Promise.all(Array.from({ length: 100 }, (_, n) => queue.add(`j${n}`, {})));
    expect((await queue.getWaiting()).map(({ name }) => name)).toEqual(Array.from({ length: 100 }, (_, n) => `j${n}`));
  });

  test('removes a job, unless a worker holds it', async () => {
    const { queue, worker } = rig();
    const removed = collect(queue, 'removed');
    const gate = new Gate();
    worker(gate.processor);
    const held = await queue.add('a', {});
    await gate.hasStarted(1);
    const waiting = await queue.add('b', {});
    expect([await queue.remove(waiting.id), await queue.remove(held.id)]).toEqual([1, 0]);
    expect(removed).toEqual([[waiting.id]]);
    expect(await queue.getJobState(waiting.id)).toBe('unknown');
    gate.openAll();
  });

  test('refuses options it does not know, and names that make ambiguous keys', () => {
    expect(() => new Queue('a:b', { connection: testRedisUrl() })).toThrow('queue name must be a text without ":"');
    expect(() => new Queue('a', { conection: testRedisUrl() } as never)).toThrow('did you mean "connection"?');
  });

  test('reads what processors logged', async () => {
    const { queue, worker, counts } = rig();
    worker(async (job) => {
      await job.log('one');
      await job.log('two');
    });
    const job = await queue.add('a', {});
    await counts({ completed: 1 });
    expect(await queue.getJobLogs(job.id)).toEqual({ logs: ['one', 'two'], count: 2 });
  });
});

test('jobs that are not to be kept are gone when they are told as completed', async () => {
  const { queue, worker } = rig();
  const completed = collect(
    worker(async () => 1, { removeOnComplete: { count: 1 } }),
    'completed',
  );
  await queue.add('kept', {});
  await queue.add('dropped', {}, { removeOnComplete: true });
  await until(() => completed.length === 2, { what: 'both jobs' });
  expect((await queue.getCompleted()).map(({ name }) => name)).toEqual(['kept']);
  expect(await queue.getJob('2')).toBeUndefined();
});

test('one process waits for the markers of many idle queues at once', async () => {
  const { prefix, redis } = rig();
  const runtime = ownRuntime();
  const queues = Array.from({ length: 30 }, (_, n) => new Queue(`q${n}`, { connection: testRedisUrl(), prefix }));
  const ran: string[] = [];
  const workers = queues.map(
    ({ name }) => new Worker(name, async () => void ran.push(name), { runtime, prefix, drainDelay: 60, skipStalledCheck: true }),
  );
  atEnd(() => Promise.all([...workers, ...queues].map((each) => each.close())));
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  const blocked = async () => /name=\S+ .*cmd=bzpopmin/.test(String(await redis.client('LIST')));
  await until(blocked, { what: 'the blocking call' });
  for (const round of [1, 2]) {
    for (const queue of queues) {
      await queue.add('a', {});
      await until(() => ran.at(-1) === queue.name, { what: `a job of ${queue.name}`, limitMs: 3_000, everyMs: 1 });
    }
    expect(ran).toHaveLength(30 * round);
  }
});

test('publishes jobs on diagnostics channels while somebody subscribes', async () => {
  const { queue, worker, counts } = rig();
  const seen: unknown[] = [];
  const listen = (message: unknown, name: string | symbol) =>
    void seen.push([name, (message as JobMessage).jobId, (message as JobMessage).attempt]);
  for (const name of ['drover:job:start', 'drover:job:completed', 'drover:job:failed']) {
    subscribe(name, listen);
    atEnd(() => void unsubscribe(name, listen));
  }
  worker(async (job) => {
    if (job.name === 'bad') throw new Error('no');
  });
  await queue.add('good', {});
  await queue.add('bad', {});
  await counts({ completed: 1, failed: 1 });
  await until(() => seen.length === 4, { what: 'four messages' });
  expect(seen).toEqual([
    ['drover:job:start', '1', 1],
    ['drover:job:completed', '1', 1],
    ['drover:job:start', '2', 1],
    ['drover:job:failed', '2', 1],
  ]);
});
