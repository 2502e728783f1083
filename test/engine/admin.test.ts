import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type FlowJob, FlowProducer, Job, Queue } from '@drover/core';
import * as bullmq from 'bullmq-v6';
import { atEnd } from '../support/at-end.js';
import { collect, Gate, rig } from '../support/engine.js';
import { startOwnRedis, testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';

test('a queue tells what was done through it and through its jobs', async () => {
  const { queue } = rig();
  const names = ['waiting', 'progress', 'removed', 'cleaned', 'paused', 'resumed'] as const;
  const seen: unknown[][] = [];
  for (const name of names)
    queue.on(name, (...args: unknown[]) => void seen.push([name, ...args.map((arg) => (arg instanceof Job ? arg.id : arg))]));
  const job = await queue.add('a', {});
  await job.updateProgress({ at: 1 });
  await queue.updateJobProgress(job.id, 2);
  await job.remove();
  await queue.add('b', {});
  await queue.clean(0, 0, 'wait');
  await queue.pause();
  await queue.resume();
  expect(seen).toEqual([
    ['waiting', '1'],
    ['progress', '1', { at: 1 }],
    ['progress', '1', 2],
    ['removed', '1'],
    ['waiting', '2'],
    ['cleaned', ['2'], 'wait'],
    ['paused'],
    ['resumed'],
  ]);
});

test('bulk operations go on until nothing is left, in bounded calls', async () => {
  const { queue, broken, counts } = rig();
  const many = (count: number, opts = {}) => Array.from({ length: count }, (_, n) => ({ name: 'n', data: n, opts }));
  await queue.addBulk([...many(1_300), ...many(1_200, { delay: 100_000 }), ...many(1_100, { priority: 2 })]);
  expect(await queue.clean(0, 1_250, 'prioritized')).toHaveLength(1_100);
  await queue.promoteJobs();
  await counts({ waiting: 2_500, delayed: 0, prioritized: 0 });
  const cleaned = await queue.clean(0, 1_100, 'wait');
  expect(new Set(cleaned).size).toBe(1_100);
  expect(cleaned).toContain('1'); // the oldest go first
  expect(await queue.getJobs('wait', 0, -1)).toHaveLength(1_400);
  await queue.drain();
  await counts({ waiting: 0 });
  expect(await broken()).toEqual([]);
  await queue.addBulk(many(1_500));
  await queue.obliterate();
  expect(await queue.getMeta()).toEqual({ paused: false });
});

test('a drain with schedulers removes everything but their next iterations, wherever they stand', async () => {
  const { queue, redis, prefix } = rig();
  await queue.waitUntilReady();
  const key = (name: string) => `${prefix}:mail:${name}`;
  await queue.addBulk(Array.from({ length: 3 }, () => ({ name: 'n', data: {} })));
  const iteration = 'repeat:tick:1900000000000';
  await redis.zadd(key('repeat'), 1_900_000_000_000, 'tick');
  await redis.hset(key(iteration), { name: 'tick', data: '{}', opts: '{}', timestamp: 1, rjk: 'tick' });
  await redis.rpush(key('wait'), iteration);
  await queue.addBulk(Array.from({ length: 3 }, () => ({ name: 'n', data: {} })));
  await queue.drain();
  expect(await redis.lrange(key('wait'), 0, -1)).toEqual([iteration]);
  await expect(queue.remove(iteration)).rejects.toMatchObject({
    code: -8,
    message: expect.stringContaining('belongs to a job scheduler') as string,
  });
});

test('jobs that are worked on are neither removed nor cleaned, and their ancestors stay', async () => {
  const { queue, worker, counts, broken } = rig();
  const gate = new Gate();
  worker(gate.processor);
  const job = await queue.add('a', {});
  await gate.hasStarted(1);
  expect(await queue.remove(job.id)).toBe(0);
  await expect(job.remove()).rejects.toThrow(`Job ${job.id} could not be removed because it is locked by another worker`);
  expect(await queue.clean(0, 0, 'active')).toEqual([]);
  await expect(queue.obliterate()).rejects.toThrow('Cannot obliterate queue with active jobs');
  await queue.resume();
  gate.openAll();
  await counts({ completed: 1 });
  expect(await broken()).toEqual([]);
});

test('a family of more than 10,000 jobs below one is refused as a whole', async () => {
  const { queue, redis, prefix } = rig();
  const parent = await queue.add('parent', {});
  await redis.sadd(`${prefix}:mail:${parent.id}:dependencies`, ...Array.from({ length: 10_001 }, (_, n) => `${prefix}:mail:child-${n}`));
  await expect(parent.remove()).rejects.toMatchObject({ code: -12 });
  expect(await parent.getDependenciesCount()).toEqual({ processed: 0, unprocessed: 10_001, ignored: 0, failed: 0 });
  expect((await parent.getDependencies()).unprocessed).toHaveLength(10_001);
  await parent.remove({ removeChildren: false });
  expect(await queue.getJob(parent.id)).toBeUndefined();
});

describe('the largest flow that can be added can be removed', () => {
  const node = (name: string, children: FlowJob[] = [], opts: FlowJob['opts'] = {}): FlowJob => ({
    name,
    queueName: 'mail',
    children,
    opts,
  });
  const flows = (prefix: string): FlowProducer => {
    const producer = new FlowProducer({ connection: testRedisUrl(), prefix });
    atEnd(() => producer.close());
    return producer;
  };

  test('wide: what else waits keeps its place, and a parent apart is released', async () => {
    const { queue, redis, prefix, broken } = rig();
    const apart = await flows(prefix).add(node('apart', [node('only', [], { jobId: 'only' })]));
    await queue.addBulk(Array.from({ length: 300 }, (_, n) => ({ name: `before-${n}`, data: {} })));
    const before = (await redis.lrange(`${prefix}:mail:wait`, 0, -1)).filter((id) => id !== 'only');
    const many = Array.from({ length: 9_994 }, (_, n) => node(`c-${n}`));
    const some = [node('delayed', [], { delay: 100_000 }), node('urgent', [], { priority: 1 }), node('middle', [node('leaf')])];
    const { job } = await flows(prefix).add(node('root', [...many, ...some]));
    await queue.addBulk(Array.from({ length: 300 }, (_, n) => ({ name: `after-${n}`, data: {} })));
    const after = (await redis.lrange(`${prefix}:mail:wait`, 0, -1)).slice(0, 300);
    await redis.sadd(`${prefix}:mail:${job.id}:dependencies`, `${prefix}:mail:only`); // a child of two parents, as BullMQ makes them
    await job.remove();
    expect(await redis.lrange(`${prefix}:mail:wait`, 0, -1)).toEqual([...after, ...before, apart.job.id]);
    expect(await queue.getJobCounts('wait', 'delayed', 'prioritized', 'waiting-children')).toEqual({
      ...{ wait: 601, delayed: 0, prioritized: 0, 'waiting-children': 0 },
    });
    expect(await redis.keys(`${prefix}:mail:*-*-*`)).toEqual([`${prefix}:mail:${apart.job.id}`]);
    expect(await broken()).toEqual([]);
  });

  test('deep; with one job more it is refused', async () => {
    const { queue, redis, prefix, broken } = rig();
    let chain = node('leaf');
    for (let level = 1; level < 10_000; level++) chain = node('level', [chain]);
    const link = (id: string) => ({ parent: { id, queue: `${prefix}:mail` } });
    const one = await queue.add('one more', {});
    const above = await queue.add('above', {}, link(one.id));
    await flows(prefix).add({ ...chain, opts: link(above.id) });
    await expect(one.remove()).rejects.toMatchObject({ code: -12 });
    expect(await queue.getWaitingChildrenCount()).toBe(9_999);
    await above.remove();
    expect(await queue.getJobCounts('wait', 'waiting-children')).toEqual({ wait: 1, 'waiting-children': 0 });
    expect(await redis.keys(`${prefix}:mail:*-*-*`)).toEqual([]);
    expect(await broken()).toEqual([]);
  });
});

test('removing pending children leaves those that are worked on, and what waits for them', async () => {
  const { queue, worker, prefix, counts, broken } = rig();
  const gate = new Gate();
  await queue.pause();
  const root = await queue.add('root', {}, { delay: 100_000 });
  const link = (id: string) => ({ parent: { id, queue: `${prefix}:mail` } });
  const middle = await queue.add('middle', {}, { delay: 100_000, ...link(root.id) });
  const busy = await queue.add('busy', {}, link(middle.id));
  const idle = await queue.add('idle', {}, { delay: 100_000, ...link(root.id) });
  await queue.resume();
  worker(gate.processor);
  await gate.hasStarted(1);
  await root.removeUnprocessedChildren();
  expect(await idle.getState()).toBe('unknown');
  expect([await middle.getState(), await busy.getState()]).toEqual(['delayed', 'active']);
  expect((await root.getDependencies()).unprocessed).toEqual([`${prefix}:mail:${middle.id}`]);
  gate.openAll();
  await counts({ completed: 1 });
  expect(await broken()).toEqual([]);
});

test('a retried job runs again with what it had, and a worker is woken for it', async () => {
  const { queue, worker, counts, broken } = rig();
  let isGood = false;
  worker(async (job) => {
    if (!isGood) throw new Error('not yet');
    return { tries: job.attemptsMade };
  });
  await queue.add('a', {}, { attempts: 2 });
  await counts({ failed: 1 });
  isGood = true;
  const [failed] = await queue.getFailed();
  await failed?.retry('failed', { resetAttemptsMade: true });
  expect(failed).toMatchObject({ attemptsMade: 0, failedReason: undefined, finishedOn: undefined });
  await counts({ completed: 1 });
  expect((await queue.getCompleted())[0]).toMatchObject({ returnvalue: { tries: 0 }, attemptsMade: 1 });
  expect(await broken()).toEqual([]);
});

test('factories of Job do what the queue does', async () => {
  const { queue } = rig();
  const job = await Job.create(queue, 'a', { n: 1 }, { keepLogs: 5 });
  const [other] = await Job.createBulk(queue, [{ name: 'b', data: {}, opts: { priority: 2 } }]);
  expect(await Job.addJobLog(queue, job.id, 'row')).toBe(1);
  expect(await Job.fromId(queue, job.id)).toMatchObject({ id: job.id, data: { n: 1 }, opts: { keepLogs: 5 } });
  expect(await Job.fromId(queue, 'nobody')).toBeUndefined();
  expect(await other?.getState()).toBe('prioritized');
  expect(Job.optsFromJSON('{"de":{"id":"x"},"kl":3}')).toEqual({ deduplication: { id: 'x' }, keepLogs: 3 });
  const raw = Job.fromJSON(queue, { name: 'c', data: '{"x":1}', opts: '{"fpof":true}', timestamp: '5' }, '9');
  expect(raw).toMatchObject({ id: '9', name: 'c', data: { x: 1 }, opts: { failParentOnFailure: true }, timestamp: 5 });
  expect(await raw.getState()).toBe('unknown');
});

test.each([
  ['clean', (q: Queue) => q.clean(0, 0, 'done' as never), /^type must be one of .*, got "done"$/],
  ['clean', (q: Queue) => q.clean(-1, 0), /^grace must be an integer of at least 0, got -1$/],
  ['retryJobs', (q: Queue) => q.retryJobs({ state: 'wait' as never }), /^state must be "failed" or "completed", got "wait"$/],
  ['retryJobs', (q: Queue) => q.retryJobs({ count: 0 }), /^count must be/],
  ['promoteJobs', (q: Queue) => q.promoteJobs({ count: 1.5 }), /^count must be/],
  ['obliterate', (q: Queue) => q.obliterate({ count: -1 }), /^count must be/],
  ['trimEvents', (q: Queue) => q.trimEvents(-1), /^maxLength must be/],
  ['rateLimit', (q: Queue) => q.rateLimit(0), /^expireTimeMs must be/],
  ['setGlobalConcurrency', (q: Queue) => q.setGlobalConcurrency(0), /^concurrency must be/],
  ['getJobs', (q: Queue) => q.getJobs('done' as never), /^type must be one of/],
  ['getDependencies', (q: Queue) => q.getDependencies('1', 'failed' as never), /^type must be "processed" or "pending"/],
  ['getCountsPerPriority', (q: Queue) => q.getCountsPerPriority([-1]), /^priority must be/],
])('%s refuses what is out of range by name and value', async (_name, call, message) => {
  await expect(call(rig().queue)).rejects.toThrow(message);
});

test('unknown options are refused with what was meant', () => {
  expect(() => new Queue('mail', { conection: 'redis://localhost' } as never)).toThrow(
    'conection must be absent: did you mean "connection"?',
  );
});

test('workers and event readers of a queue are listed', async () => {
  const { queue, worker, prefix, url } = rig();
  expect(await queue.getWorkersCount()).toBe(0);
  await worker(async () => 1, { name: 'w-1' }).waitUntilReady();
  await until(async () => (await queue.getWorkersCount()) === 1, { what: 'one worker to be listed' });
  expect(await queue.getWorkers()).toMatchObject([{ name: 'mail', rawname: `${prefix}:bWFpbA==:w:w-1` }]);
  expect(await queue.getQueueEvents()).toEqual([]);
  const theirs = new bullmq.QueueEvents('mail', { connection: { url }, prefix });
  atEnd(() => theirs.close());
  await theirs.waitUntilReady();
  expect(await queue.getQueueEvents()).toMatchObject([{ name: 'mail', rawname: `${prefix}:bWFpbA==:qe` }]);
});

describe('a Redis that forgets or hangs up', () => {
  test('SCRIPT FLUSH goes unnoticed', async () => {
    const { queue, redis, worker, counts } = rig('mail', { url: (await startOwnRedis({ appendonly: false })).url });
    worker(async () => 1);
    await queue.add('a', {});
    await counts({ completed: 1 });
    await redis.script('FLUSH');
    await Promise.all([queue.add('b', {}), queue.getJobCounts(), queue.pause(), queue.promoteJobs(), queue.resume()]);
    await counts({ completed: 2 });
  });

  test('CLIENT KILL of all connections is told once, and healed', async () => {
    const { queue, redis, worker, counts, broken } = rig('mail', { url: (await startOwnRedis({ appendonly: false })).url });
    const lost = collect(queue as never, 'ioredis:close');
    worker(async () => 1, { allowErrors: true });
    await queue.add('a', {});
    await counts({ completed: 1 });
    const clients = String(await redis.client('LIST'));
    const mine = await redis.client('ID');
    for (const id of clients.matchAll(/^id=(\d+)/gm)) if (id[1] !== String(mine)) await redis.client('KILL', 'ID', Number(id[1]));
    await until(() => lost.length > 0, { what: 'the loss to be told' });
    await until(() => queue.add('b', {}), { what: 'an add to succeed' });
    await counts({ completed: 2 });
    expect(await queue.clean(0, 0)).toHaveLength(2);
    expect(lost).toHaveLength(1);
    expect(await broken()).toEqual([]);
  });
});

test('an eviction policy that would lose jobs is warned of, once for a server', async () => {
  const server = await startOwnRedis({ appendonly: false, args: ['--maxmemory-policy', 'allkeys-lru'] });
  const script = `
    import { Queue } from '@drover/core';
    const queues = ['one', 'two'].map((name) => new Queue(name, { connection: process.argv[1] }));
    for (const queue of queues) await queue.waitUntilReady();
    for (const queue of queues) await queue.close();`;
  const run = promisify(execFile);
  const { stderr } = await run(process.execPath, ['--input-type=module', '-e', script, server.url]);
  expect(stderr.match(/\[DROVER_EVICTION\] Warning: Redis at .* has maxmemory-policy allkeys-lru/g)).toHaveLength(1);
  const safe = await startOwnRedis({ appendonly: false });
  expect((await run(process.execPath, ['--input-type=module', '-e', script, safe.url])).stderr).not.toContain('DROVER_EVICTION');
});
