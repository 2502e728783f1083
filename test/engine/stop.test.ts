import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { ConnectionClosedError, type DrainReport, FlowProducer, Queue, QueueEvents, Worker } from '@drover/core';
import { Runtime } from '@drover/core/runtime';
import { atEnd } from '../support/at-end.js';
import { collect, Gate, ownRuntime, rig, within } from '../support/engine.js';
import { testRedisUrl } from '../support/redis.js';
import { next, until } from '../support/until.js';

const jobs = (count: number) => Array.from({ length: count }, (_, n) => ({ name: 'a', data: { n } }));
describe('close', () => {
  test('waits for jobs in hand, commits them, and leaves the rest', async () => {
    const { queue, worker, counts, broken } = rig();
    const gate = new Gate();
    const one = worker(gate.processor, { concurrency: 2 });
    const told: string[] = [];
    for (const event of ['closing', 'completed', 'closed'] as const) one.on(event, () => told.push(event));
    await queue.addBulk(jobs(5));
    await gate.hasStarted(2);
    const closed = one.close();
    expect(one.isRunning()).toBe(false);
    gate.openAll();
    await closed;
    expect(told).toEqual(['closing', 'completed', 'completed', 'closed']);
    await counts({ completed: 2, waiting: 3, active: 0 });
    expect(await broken()).toEqual([]);
  });

  test('run() ends with it, and nothing runs afterwards', async () => {
    const { worker } = rig();
    const one = worker(async () => 1, { autorun: false });
    const ran = one.run();
    await expect(one.run()).rejects.toThrow('worker of mail cannot run: it is running');
    await one.waitUntilReady();
    await one.close();
    await ran;
    await expect(one.run()).rejects.toThrow('worker of mail cannot run: it is closed');
  });

  test('works on a worker that never ran', async () => {
    const { worker } = rig();
    await worker(async () => 1, { autorun: false }).close();
  });

  test('by force does not wait: jobs in hand are told to abort, and go on with their locks', async () => {
    const { queue, worker, counts } = rig();
    const gate = new Gate();
    const one = worker(gate.processor);
    await queue.add('a', {});
    await gate.hasStarted(1);
    await one.close(true);
    const [id] = gate.started as [string];
    expect(gate.signals.get(id)?.aborted).toBe(true);
    await counts({ active: 1 });
    gate.open(id);
    await counts({ completed: 1 });
  });
});

describe('drain', () => {
  const drain = (report: Partial<Record<keyof DrainReport, unknown>>) => report;

  test('reports what finished, and gives aborted jobs back without counting an attempt', async () => {
    const { queue, worker, counts, broken } = rig();
    const gate = new Gate();
    const one = worker(
      async (job, token, signal) => {
        if (job.data.n === 0) return gate.processor(job, token, signal);
        gate.started.push(job.id);
        await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      },
      { concurrency: 3 },
    );
    await queue.addBulk(jobs(3));
    await gate.hasStarted(3);
    const hand = one.hand();
    expect(hand.map(({ queue: name, jobId }) => [name, jobId]).sort()).toEqual([
      ['mail', '1'],
      ['mail', '2'],
      ['mail', '3'],
    ]);
    expect(hand[0]?.token).toMatch(/^[\w-]+:\d+$/);
    const report = one.drain(within(1_000), { abortLeadMs: 800, onDeadline: 'return' });
    gate.open('1');
    expect(await report).toEqual(
      drain({
        finished: 1,
        aborted: 2,
        returned: [expect.objectContaining({ jobId: '2' }), expect.objectContaining({ jobId: '3' })],
        lost: [],
        lingering: [],
      }),
    );
    await counts({ completed: 1, waiting: 2, active: 0 });
    expect(await queue.getJob('2')).toMatchObject({ attemptsMade: 0, attemptsStarted: 1, stalledCounter: 0, failedReason: undefined });
    expect(await broken()).toEqual([]);
  });

  test('puts unfinished jobs back at the deadline, and drops what their processors still answer', async () => {
    const { queue, worker, counts, broken } = rig();
    const gate = new Gate();
    const one = worker(gate.processor, { concurrency: 2 });
    await queue.addBulk(jobs(3));
    await gate.hasStarted(2);
    const report = await one.drain(within(200), { abortLeadMs: 100, onDeadline: 'return' });
    expect(report).toMatchObject({ finished: 0, aborted: 0, lost: [], lingering: [] });
    expect(report.returned.map(({ jobId }) => jobId)).toEqual(['1', '2']);
    await counts({ waiting: 3, active: 0 });
    gate.openAll();
    const other = new Gate();
    worker(other.processor, { concurrency: 3 });
    await other.hasStarted(3);
    await counts({ active: 3, completed: 0 });
    other.openAll();
    await counts({ completed: 3 });
    expect((await queue.getJobs('completed')).every((job) => job.attemptsMade === 1)).toBe(true);
    expect(await broken()).toEqual([]);
  });

  test('lets jobs linger with their locks renewed, and commits them in the end', async () => {
    const { queue, worker, counts, redis, prefix } = rig();
    const runtime = ownRuntime();
    const gate = new Gate();
    const one = worker(gate.processor, { runtime, lockDuration: 1_000 });
    await queue.add('a', {});
    await gate.hasStarted(1);
    const report = await one.drain(within(100), { abortLeadMs: 50, onDeadline: 'linger' });
    expect(report).toMatchObject({ finished: 0, returned: [], lost: [], lingering: [{ queue: 'mail', jobId: '1' }] });
    expect(gate.signals.get('1')?.reason).toMatchObject({ code: 'JOB_ABORTED', cause: 'drain' });
    expect(runtime.hand()).toMatchObject([{ jobId: '1' }]);
    const lockedAt = Date.now();
    await until(async () => Date.now() - lockedAt > 1_500 && (await redis.exists(`${prefix}:mail:1:lock`)), {
      what: 'the lock to be renewed past its time',
    });
    gate.open('1');
    await counts({ completed: 1 });
    expect(runtime.hand()).toEqual([]);
  });

  test('a second call can only bring the deadline closer', async () => {
    const { queue, worker } = rig();
    const gate = new Gate();
    const one = worker(gate.processor);
    await queue.add('a', {});
    await gate.hasStarted(1);
    const first = one.drain(within(60_000), { abortLeadMs: 0, onDeadline: 'return' });
    const second = one.drain(within(50), { abortLeadMs: 0, onDeadline: 'return' });
    expect(await second).toBe(await first);
    expect((await first).returned).toHaveLength(1);
  });

  test('a call that returns jobs gives those back that an earlier one let linger', async () => {
    const { queue, worker, counts, broken } = rig();
    const runtime = ownRuntime();
    const gate = new Gate();
    const one = worker(gate.processor, { runtime, concurrency: 3 });
    await queue.addBulk(jobs(3));
    await gate.hasStarted(3);
    const first = await one.drain(within(50), { abortLeadMs: 0, onDeadline: 'linger' });
    expect(first.lingering).toHaveLength(3);
    const again = one.drain(within(200), { abortLeadMs: 0, onDeadline: 'return' });
    gate.open('2');
    const report = await again;
    expect(report).toMatchObject({ finished: 1, lost: [], lingering: [] });
    expect(report.returned.map(({ jobId }) => jobId)).toEqual(['1', '3']);
    expect(runtime.hand()).toEqual([]);
    await counts({ waiting: 2, completed: 1, active: 0 });
    expect(await one.drain(within(1), { abortLeadMs: 0, onDeadline: 'return' })).toBe(report);
    gate.openAll();
    expect(await broken()).toEqual([]);
  });

  test('a call that returns jobs overtakes one under way that would let them linger', async () => {
    const { queue, worker, counts } = rig();
    const runtime = ownRuntime();
    const gate = new Gate();
    const one = worker(gate.processor, { runtime });
    await queue.add('a', {});
    await gate.hasStarted(1);
    const closed = one.close(); // waits for ever
    const report = await one.drain(within(100), { abortLeadMs: 0, onDeadline: 'return' });
    expect(report).toMatchObject({ finished: 0, lingering: [], returned: [{ jobId: '1' }] });
    await closed;
    await counts({ waiting: 1, active: 0 });
    gate.openAll();
  });

  test('jobs that a fetch under way still brings go back unstarted', async () => {
    const { queue, worker, counts, broken } = rig();
    const runtime = ownRuntime();
    await queue.addBulk(jobs(50));
    const started: string[] = [];
    const one = worker(async (job) => void started.push(job.id), { runtime, concurrency: 50, autorun: false });
    await one.waitUntilReady();
    void one.run();
    await new Promise(setImmediate);
    await new Promise(setImmediate); // the fetch has left
    const report = await one.drain(within(5_000), { abortLeadMs: 0, onDeadline: 'return' });
    await counts({ active: 0, waiting: 50 - report.finished, completed: report.finished });
    expect(started).toHaveLength(report.finished);
    expect(await broken()).toEqual([]);
  });
});

describe('a runtime', () => {
  test('quiesces: what is in hand then is final', async () => {
    const { queue, worker, counts } = rig();
    const runtime = ownRuntime();
    const gate = new Gate();
    worker(gate.processor, { runtime, concurrency: 3 });
    await queue.addBulk(jobs(2));
    await gate.hasStarted(2);
    await runtime.quiesce();
    expect(runtime.hand().map(({ jobId }) => jobId)).toEqual(['1', '2']);
    await queue.add('a', {});
    gate.openAll();
    await counts({ completed: 2, waiting: 1 });
  });

  test('begins its lock tokens with its incarnation', async () => {
    const { queue, worker, redis, prefix } = rig();
    const runtime = ownRuntime({ incarnation: 'slot3-7' });
    const gate = new Gate();
    worker(gate.processor, { runtime });
    await queue.add('a', {});
    await gate.hasStarted(1);
    expect(await redis.get(`${prefix}:mail:1:lock`)).toMatch(/^slot3-7:\d+$/);
    gate.openAll();
    expect(() => new Runtime({ connection: testRedisUrl(), incarnation: 'a:b' })).toThrow('incarnation must be a text without ":"');
  });

  test('stops with what was settled committed, and ends its connections', async () => {
    const { queue, worker, counts } = rig();
    const runtime = ownRuntime();
    worker(async () => 1, { runtime, concurrency: 10 });
    await queue.addBulk(jobs(30));
    await counts({ completed: 30 });
    await runtime.stop(within(2_000));
    expect([runtime.state, runtime.uncommitted]).toEqual(['stopped', 0]);
    expect(runtime.connections.command.isClosed).toBe(true);
  });
});

test('cancelling aborts a job; its processor decides what follows', async () => {
  const { queue, worker, counts } = rig();
  const one = worker(
    (_job, _token, signal) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error(String(signal.reason))))),
  );
  const active = next(one, 'active');
  const job = await queue.add('a', {});
  await active;
  expect(one.cancelJob('nobody')).toBe(false);
  expect(one.cancelJob(job.id, 'not wanted')).toBe(true);
  await counts({ failed: 1 });
  expect((await queue.getJob(job.id))?.failedReason).toBe('not wanted');
});

describe('a Redis that was never reached', () => {
  let db = 0; // options of each test's own: nobody else shares the connection
  const nowhere = () => Promise.resolve({ host: '127.0.0.1', port: 1, db: ++db });
  const silent = async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(() => server.close());
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  };

  /** Each with a call under way that ends with the close, or, if that waits for it, with the limit of the connection. */
  const users = {
    worker: (connection: object) => {
      const one = new Worker('mail', async () => 1, { connection });
      return { one, call: one.rateLimit(5) };
    },
    'worker by hand': (connection: object) => {
      const one = new Worker('mail', null, { connection });
      return { one, call: one.getNextJob('token') };
    },
    queue: (connection: object) => {
      const one = new Queue('mail', { connection });
      return { one, call: one.add('a', {}) };
    },
    'flow producer': (connection: object) => {
      const one = new FlowProducer({ connection });
      return { one, call: one.add({ name: 'a', queueName: 'mail' }) };
    },
    'queue events': (connection: object) => {
      const one = new QueueEvents('mail', { connection });
      return { one, call: one.waitUntilReady() };
    },
  };

  test.each(
    Object.entries(users).flatMap(([name, make]) => [
      { name, make, where: 'before the first try', open: nowhere, tries: 0 },
      { name, make, where: 'between two tries', open: nowhere, tries: 1 },
      { name, make, where: 'while it says nothing', open: silent, tries: 0 },
    ]),
  )('$name: close does not wait for it, $where', async ({ make, open, tries }) => {
    const connection = await open();
    const { one, call } = make(connection);
    const ended = call.catch((error: unknown) => error);
    (one as Queue).on('error', () => undefined); // all of them have that event
    const onlooker = new Queue('other', { connection }); // shares the connection, and hears of each try
    const errors = collect(onlooker, 'error');
    await until(() => errors.length >= tries, { what: 'a try to fail' });
    await Promise.all([one.close(), onlooker.close()]);
    expect(await ended).toBeInstanceOf(ConnectionClosedError);
  });
});
