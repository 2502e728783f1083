import { DelayedError, RateLimitError, UnrecoverableError, WaitingChildrenError, WaitingError } from '@drover/core';
import { collect, Gate, rig } from '../support/engine.js';
import { next, until } from '../support/until.js';

describe('a processor that moves its own job', () => {
  test('to delayed: the run ends without a result, and no attempt is counted', async () => {
    const { queue, worker, counts, broken } = rig();
    const dueAt = Date.now() + 300;
    const starts: number[] = [];
    const one = worker(async (job, token) => {
      starts.push(Date.now());
      if (starts.length > 1) return 'done';
      await job.moveToDelayed(dueAt, token);
      throw new DelayedError();
    });
    const failed = collect(one, 'failed');
    await queue.add('a', {});
    await counts({ completed: 1 });
    expect(starts[1]).toBeGreaterThanOrEqual(dueAt);
    expect(await queue.getJob('1')).toMatchObject({ attemptsMade: 1, attemptsStarted: 2, returnvalue: 'done', delay: 0 });
    expect(failed).toEqual([]);
    expect(await broken()).toEqual([]);
  });

  test('to wait: it runs again at once, ahead of the others', async () => {
    const { queue, worker, counts, broken } = rig();
    const ran: string[] = [];
    await queue.addBulk(['a', 'b'].map((name) => ({ name, data: {} })));
    worker(async (job, token) => {
      ran.push(job.name);
      if (ran.length > 1) return;
      await job.moveToWait(token);
      throw new WaitingError();
    });
    await counts({ completed: 2 });
    expect(ran).toEqual(['a', 'a', 'b']);
    expect(await queue.getJob('1')).toMatchObject({ attemptsMade: 1, attemptsStarted: 2 });
    expect(await broken()).toEqual([]);
  });

  test('to waiting for children it has added: it runs again with their values', async () => {
    const { queue, worker, counts, broken } = rig();
    const values: unknown[] = [];
    const one = worker(
      async (job, token) => {
        if (job.name === 'child') return job.data.n;
        const known = await job.getChildrenValues();
        if (Object.keys(known).length > 0) {
          values.push(Object.values(known).sort());
          return 'parent';
        }
        const parent = { id: job.id, queue: job.queueQualifiedName };
        for (const n of [1, 2]) await queue.add('child', { n }, { parent });
        if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
        throw new Error('there are children to wait for');
      },
      { concurrency: 1 },
    );
    const failed = collect(one, 'failed');
    await queue.add('parent', {});
    await counts({ completed: 3, 'waiting-children': 0 });
    expect(values).toEqual([[1, 2]]);
    expect(failed).toEqual([]);
    expect(await broken()).toEqual([]);
  });

  test('with a token that is not that of its lock it is refused', async () => {
    const { queue, worker, counts } = rig();
    const codes: unknown[] = [];
    worker(async (job) => {
      for (const move of [() => job.moveToDelayed(Date.now() + 1, 'x'), () => job.moveToWait('x'), () => job.moveToCompleted(1, 'x')]) {
        await move().catch((error: { code: number }) => codes.push(error.code));
      }
    });
    await queue.add('a', {});
    await counts({ completed: 1 });
    expect(codes).toEqual([-6, -6, -6]);
  });
});

test.each([
  ['DelayedError', 'bullmq:movedToDelayed'],
  ['RateLimitError', 'bullmq:rateLimitExceeded'],
  ['UnrecoverableError', 'no use'],
])('an %s of another copy of the library is understood by its name or message', async (name, message) => {
  const { queue, worker, counts } = rig();
  let runs = 0;
  worker(async (job, token) => {
    if (++runs > 1) return 'done';
    if (name === 'DelayedError') await job.moveToDelayed(Date.now(), token);
    throw Object.assign(new Error(message), { name });
  });
  await queue.add('a', {}, { attempts: 5 });
  await counts(name === 'UnrecoverableError' ? { failed: 1 } : { completed: 1 });
  expect((await queue.getJob('1'))?.attemptsMade).toBe(1);
});

test('errors that steer a job are exported with the names that users catch', () => {
  for (const kind of [DelayedError, RateLimitError, UnrecoverableError, WaitingChildrenError, WaitingError])
    expect(new kind().name).toBe(kind.name);
});

test('all jobs of a worker are cancelled with one reason, and each decides what follows', async () => {
  const { queue, worker, counts } = rig();
  const one = worker(
    (job, _token, signal) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () =>
          job.name === 'tidy' ? resolve('tidied up') : reject(new Error(`gave up: ${signal.reason}`)),
        );
      }),
    { concurrency: 3 },
  );
  const active = collect(one, 'active');
  await queue.addBulk(['tidy', 'untidy', 'untidy'].map((name) => ({ name, data: {} })));
  await until(() => active.length === 3, { what: 'three runs' });
  one.cancelAllJobs('closing time');
  await counts({ completed: 1, failed: 2 });
  expect((await queue.getFailed()).map((job) => job.failedReason)).toEqual(['gave up: closing time', 'gave up: closing time']);
});

test('a cancelled job that fails is tried again as its options say', async () => {
  const { queue, worker, counts } = rig();
  let runs = 0;
  const one = worker((_job, _token, signal) => {
    if (++runs > 1) return Promise.resolve('second try');
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  });
  const active = next(one, 'active');
  const job = await queue.add('a', {}, { attempts: 2 });
  await active;
  expect(one.cancelJob(job.id)).toBe(true);
  await counts({ completed: 1 });
  expect(await queue.getJob(job.id)).toMatchObject({ attemptsMade: 2, returnvalue: 'second try' });
});

describe('finished jobs', () => {
  const many = (count: number, opts = {}) => Array.from({ length: count }, (_, n) => ({ name: 'a', data: { n }, opts }));

  test.each([
    { rule: true, kept: 0 },
    { rule: false, kept: 12 },
    { rule: 3, kept: 3 },
    { rule: { count: 4 }, kept: 4 },
    { rule: 0, kept: 0 },
    { rule: -1, kept: 12 },
  ])('removeOnComplete and removeOnFail $rule keep $kept', async ({ rule, kept }) => {
    const { queue, worker, counts, redis, prefix, broken } = rig();
    const ended = { completed: 0, failed: 0 };
    const one = worker(
      async (job) => {
        if (job.data.n % 2 === 1) throw new Error('odd');
      },
      { concurrency: 4 },
    );
    for (const event of ['completed', 'failed'] as const) one.on(event, () => void ended[event]++);
    await queue.addBulk(many(24, { removeOnComplete: rule, removeOnFail: rule }));
    await until(() => ended.completed + ended.failed === 24, { what: 'all to end' });
    await counts({ completed: kept, failed: kept, active: 0, waiting: 0 });
    expect((await redis.keys(`${prefix}:mail:[0-9]*`)).length).toBe(2 * kept);
    expect(await broken()).toEqual([]);
  });

  test('are kept by age, oldest first and no more than the limit at a time', async () => {
    const { queue, worker, counts, redis, prefix, broken } = rig();
    const keep = worker(async () => 1);
    await queue.addBulk(many(6));
    await counts({ completed: 6 });
    await keep.close();
    for (let id = 1; id <= 5; id++) {
      const finishedOn = Date.now() - 100_000 + id;
      await redis.zadd(`${prefix}:mail:completed`, finishedOn, String(id));
      await redis.hset(`${prefix}:mail:${id}`, 'finishedOn', finishedOn);
    }
    worker(async () => 1, { removeOnComplete: { age: 60, limit: 2 } });
    await queue.add('b', {});
    await counts({ completed: 5 });
    await queue.add('b', {}, { removeOnComplete: { age: 60 } });
    await counts({ completed: 3 });
    expect((await queue.getCompleted()).map(({ id }) => id).sort()).toEqual(['6', '7', '8']);
    expect(await broken()).toEqual([]);
  });

  test("the job's own rule wins over the worker's", async () => {
    const { queue, worker, counts } = rig();
    worker(async () => 1, { removeOnComplete: { count: 0 } });
    await queue.add('kept', {}, { removeOnComplete: false });
    await queue.add('gone', {});
    await counts({ completed: 1, waiting: 0, active: 0 });
    expect((await queue.getCompleted())[0]?.name).toBe('kept');
  });
});

test('the number of stack traces that a job keeps is its own', async () => {
  const { queue, worker, counts } = rig();
  worker(() => {
    throw new Error('again');
  });
  await queue.add('two', {}, { attempts: 4, stackTraceLimit: 2 });
  await queue.add('none', {}, { attempts: 2, stackTraceLimit: 0 });
  await counts({ failed: 2 });
  const failed = await queue.getFailed();
  expect(Object.fromEntries(failed.map((job) => [job.name, job.stacktrace.length]))).toEqual({ two: 2, none: 0 });
});

test('a log keeps as many rows as its job says', async () => {
  const { queue, worker, counts } = rig();
  worker(async (job) => {
    for (const row of ['one', 'two', 'three']) await job.log(row);
  });
  const job = await queue.add('a', {}, { keepLogs: 2 });
  await counts({ completed: 1 });
  expect(await queue.getJobLogs(job.id)).toEqual({ logs: ['two', 'three'], count: 2 });
});

test('a concurrency that is raised is used at once, and a lowered one as jobs end', async () => {
  const { queue, worker, counts } = rig();
  const gate = new Gate();
  const one = worker(gate.processor);
  await queue.addBulk(Array.from({ length: 8 }, () => ({ name: 'a', data: {} })));
  await gate.hasStarted(1);
  one.concurrency = 4;
  await gate.hasStarted(4);
  one.concurrency = 2;
  for (const id of gate.started.slice(0, 3)) gate.open(id);
  await gate.hasStarted(5);
  expect(gate.running).toBe(2);
  expect(() => {
    one.concurrency = 0;
  }).toThrow('concurrency must be an integer of at least 1');
  while (gate.started.length < 8) {
    gate.openAll();
    await gate.hasStarted(Math.min(8, gate.started.length + 1));
  }
  gate.openAll();
  await counts({ completed: 8 });
});
