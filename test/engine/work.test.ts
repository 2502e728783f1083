import { RateLimitError, UnrecoverableError, Worker } from '@drover/core';
import { collect, Gate, rig } from '../support/engine.js';
import { next, until } from '../support/until.js';

describe('a worker', () => {
  test('runs jobs and stores their results', async () => {
    const { queue, worker, counts, broken } = rig();
    const completed = collect(
      worker(async (job) => ({ sum: job.data.a + job.data.b })),
      'completed',
    );
    const job = await queue.add('add', { a: 1, b: 2 });
    await counts({ completed: 1, active: 0 });
    const stored = await queue.getJob(job.id);
    expect(stored).toMatchObject({ name: 'add', data: { a: 1, b: 2 }, returnvalue: { sum: 3 }, attemptsMade: 1, attemptsStarted: 1 });
    expect(stored?.finishedOn).toBeGreaterThanOrEqual(stored?.processedOn as number);
    expect(await job.getState()).toBe('completed');
    await until(() => completed.length === 1, { what: 'the completed event' });
    expect(completed[0]).toMatchObject([{ id: job.id, returnvalue: { sum: 3 } }, { sum: 3 }, 'active']);
    expect(await broken()).toEqual([]);
  });

  test('tells what happens to a job, in order', async () => {
    const { queue, worker, counts } = rig();
    const told: unknown[] = [];
    const one = worker(async (job) => {
      await job.updateProgress(50);
      if (job.name === 'bad') throw new Error('no good');
      return 7;
    });
    one.on('active', (job, prev) => told.push(['active', job.name, prev]));
    one.on('progress', (job, progress) => told.push(['progress', job.name, progress]));
    one.on('completed', (job, result, prev) => told.push(['completed', job.name, result, prev]));
    one.on('failed', (job, error, prev) => told.push(['failed', job?.name, error.message, prev]));
    await queue.addBulk([
      { name: 'good', data: {} },
      { name: 'bad', data: {} },
    ]);
    await counts({ completed: 1, failed: 1 });
    await until(() => told.length === 6, { what: 'six events' });
    expect(told).toEqual([
      ['active', 'good', 'waiting'],
      ['progress', 'good', 50],
      ['completed', 'good', 7, 'active'],
      ['active', 'bad', 'waiting'],
      ['progress', 'bad', 50],
      ['failed', 'bad', 'no good', 'active'],
    ]);
  });

  test('says drained when the queue has run empty', async () => {
    const { queue, worker } = rig();
    await queue.add('a', {});
    const gate = new Gate();
    const one = worker(gate.processor);
    const drained = collect(one, 'drained');
    await gate.hasStarted(1);
    expect(drained).toEqual([]);
    const empty = next(one, 'drained');
    gate.openAll();
    await empty;
  });

  test('fails a job with its reason and stack trace when attempts are used up', async () => {
    const { queue, worker, counts, broken } = rig();
    const failed = collect(
      worker(() => {
        throw new Error('boom');
      }),
      'failed',
    );
    const job = await queue.add('a', {}, { attempts: 3 });
    await counts({ failed: 1 });
    const stored = await queue.getJob(job.id);
    expect(stored).toMatchObject({ failedReason: 'boom', attemptsMade: 3, attemptsStarted: 3 });
    expect(stored?.stacktrace).toHaveLength(3);
    await until(() => failed.length === 3, { what: 'three failed events' });
    expect(await broken()).toEqual([]);
  });

  test('waits between attempts as the back-off says, also by a strategy of its own', async () => {
    const { queue, worker, counts } = rig();
    const asked: unknown[] = [];
    const strategy = (attemptsMade: number, type?: string, error?: Error): number => {
      asked.push([attemptsMade, type, error?.message]);
      return attemptsMade * 10;
    };
    const options = { concurrency: 2, settings: { backoffStrategy: strategy } };
    const starts = new Map<string, number[]>();
    worker((job) => {
      starts.set(job.name, [...(starts.get(job.name) ?? []), Date.now()]);
      throw new Error('again');
    }, options);
    await queue.add('fixed', {}, { attempts: 2, backoff: 200 });
    await queue.add('own', {}, { attempts: 3, backoff: { type: 'own' } });
    await counts({ failed: 2 });
    const [first, second] = starts.get('fixed') as [number, number];
    expect(second - first).toBeGreaterThanOrEqual(200);
    expect(starts.get('own')).toHaveLength(3);
    expect(asked).toEqual([
      [1, 'own', 'again'],
      [2, 'own', 'again'],
    ]);
  });

  test('tries no further after an unrecoverable error', async () => {
    const { queue, worker, counts } = rig();
    worker(() => {
      throw new UnrecoverableError('never');
    });
    const job = await queue.add('a', {}, { attempts: 5 });
    await counts({ failed: 1 });
    expect(await queue.getJob(job.id)).toMatchObject({ attemptsMade: 1, failedReason: 'never' });
  });

  test('puts a rate limited job back without counting an attempt, and waits for the limit', async () => {
    const { queue, worker, counts } = rig();
    let runs = 0;
    worker(
      async () => {
        if (++runs > 1) return 'ok';
        await queue.rateLimit(300);
        throw new RateLimitError();
      },
      { limiter: { max: 10, duration: 1_000 } },
    );
    const startedAt = Date.now();
    const job = await queue.add('a', {});
    await counts({ completed: 1 });
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(290);
    expect(await queue.getJob(job.id)).toMatchObject({ attemptsMade: 1, attemptsStarted: 2 });
  });

  test('starts no more jobs per window than its limiter allows', async () => {
    const { queue, worker, counts } = rig();
    const starts: number[] = [];
    await queue.addBulk(Array.from({ length: 6 }, () => ({ name: 'a', data: {} })));
    worker(async () => void starts.push(Date.now()), { concurrency: 10, limiter: { max: 2, duration: 200 } });
    await counts({ completed: 6 });
    expect((starts[5] as number) - (starts[0] as number)).toBeGreaterThanOrEqual(390);
  });

  test('fails a job that was started too often, without running it', async () => {
    const { queue, worker, counts } = rig();
    let runs = 0;
    worker(
      () => {
        runs++;
        throw new Error('again');
      },
      { maxStartedAttempts: 2 },
    );
    await queue.add('a', {}, { attempts: 10 });
    await counts({ failed: 1 });
    expect(runs).toBe(2);
  });

  test('fails a job with a deferred failure, and one it cannot decode, without running them', async () => {
    const { queue, worker, counts, redis, prefix } = rig();
    await queue.pause();
    const [bad, garbled] = await queue.addBulk([
      { name: 'a', data: {} },
      { name: 'b', data: {} },
    ]);
    await redis.hset(`${prefix}:mail:${bad?.id}`, 'defa', 'child failed');
    await redis.hset(`${prefix}:mail:${garbled?.id}`, 'data', '{nope');
    const gate = new Gate();
    worker(gate.processor);
    await queue.resume();
    await counts({ failed: 2 });
    expect(gate.started).toEqual([]);
    expect((await queue.getJob(bad?.id as string))?.failedReason).toBe('child failed');
    expect((await queue.getJob(garbled?.id as string))?.failedReason).toContain('cannot be decoded');
  });

  test('refuses what no processor can be', () => {
    expect(() => new Worker('mail', 5 as never)).toThrow(
      'processor must be a function, the path or URL of a file, or null to process by hand',
    );
  });

  test('survives what its listeners throw', async () => {
    const { queue, worker, counts } = rig();
    const one = worker(async () => 1, { allowErrors: true });
    one.on('completed', () => {
      throw new Error('listener');
    });
    const told = next<[Error]>(one, 'error');
    await queue.add('a', {});
    expect((await told)[0].message).toBe('listener');
    await queue.add('a', {});
    await counts({ completed: 2 });
  });
});

describe('the order of jobs', () => {
  test('is first in first out, then by priority, and lifo goes ahead', async () => {
    const { queue, worker, counts } = rig();
    const seen: string[] = [];
    await queue.add('one', {});
    await queue.add('two', {});
    await queue.add('urgent', {}, { priority: 1 });
    await queue.add('later', {}, { priority: 9 });
    await queue.add('first', {}, { lifo: true });
    worker(async (job) => void seen.push(job.name));
    await counts({ completed: 5 });
    expect(seen).toEqual(['first', 'one', 'two', 'urgent', 'later']);
  });

  test('a delayed job runs when it is due, on a worker that waits', async () => {
    const { queue, worker, counts } = rig();
    let ranAt = 0;
    await worker(async () => {
      ranAt = Date.now();
    }).waitUntilReady();
    const job = await queue.add('a', {}, { delay: 300 });
    expect(await job.getState()).toBe('delayed');
    await counts({ completed: 1 });
    expect(ranAt - job.timestamp).toBeGreaterThanOrEqual(300);
  });
});
