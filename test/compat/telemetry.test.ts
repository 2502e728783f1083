/** Telemetry of the same sequence on both engines: the same spans, names, attributes, events and metrics. */
import * as drover from '@drover/core';
import * as v6 from 'bullmq-v6';
import { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.js';
import { comparableSpans, type RecordingTelemetry, recordingTelemetry } from '../support/recording-telemetry.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';

/** One engine with a queue of its own. The same calls go to both. */
interface Side {
  readonly telemetry: RecordingTelemetry;
  readonly prefix: string;
  // biome-ignore lint/suspicious/noExplicitAny: the same calls on two classes
  readonly queue: any;
  // biome-ignore lint/suspicious/noExplicitAny: the same calls on two classes
  worker(processor: any, options?: object): any;
  finished(id: string): Promise<unknown>;
}

type Engine = Pick<typeof v6, 'Queue' | 'Worker'>;
const ENGINES: readonly Engine[] = [drover as unknown as Engine, v6];
/** What each engine does at times of its own. */
const BACKGROUND = ['startStalledCheckTimer', 'moveStalledJobsToWait', 'extendLocks'];

const { hostname, port } = new URL(testRedisUrl());
const CONNECTION = { host: hostname, port: Number(port), maxRetriesPerRequest: null };
const redis = new Redis(testRedisUrl());
afterAll(() => redis.disconnect());

async function sideOf(engine: Engine, more: object = {}): Promise<Side> {
  const telemetry = recordingTelemetry();
  const prefix = freshPrefix();
  const where = { connection: CONNECTION, prefix, telemetry: telemetry as never };
  const queue = new engine.Queue('mail', { ...where, ...more });
  atEnd(() => queue.close());
  await queue.waitUntilReady();
  return {
    telemetry,
    prefix,
    queue,
    worker(processor, options = {}) {
      const worker = new engine.Worker('mail', processor, { ...where, ...options });
      worker.on('error', () => undefined);
      atEnd(() => worker.close());
      return worker;
    },
    finished: (id) => until(async () => (await redis.hget(`${prefix}:mail:${id}`, 'finishedOn')) !== null, { what: `job ${id} to finish` }),
  };
}

/** What both engines tell of the same sequence: [ours, theirs]. */
async function told(sequence: (side: Side) => Promise<void>): Promise<readonly [unknown, unknown]> {
  const results: unknown[] = [];
  for (const engine of ENGINES) {
    const side = await sideOf(engine);
    side.telemetry.clear();
    await sequence(side);
    await until(() => side.telemetry.spans.every(({ name, ends }) => ends > 0 || name.startsWith('moveStalled')), { what: 'spans to end' });
    const { spans, metrics, instruments } = side.telemetry;
    results.push({ spans: comparableSpans(spans, BACKGROUND), metrics: [...metrics], instruments });
  }
  return [results[0], results[1]];
}

const ignore = async (attempt: Promise<unknown>): Promise<void> => void (await attempt.catch(() => undefined));

describe('what a queue tells', () => {
  // biome-ignore lint/suspicious/noExplicitAny: the same calls on two classes
  const sequences: Record<string, (queue: any) => Promise<unknown>> = {
    add: (queue) => queue.add('a', { x: 1 }, { attempts: 2, delay: 50_000, jobId: 'one' }),
    'an add that is refused': (queue) => ignore(queue.add('a', {}, { jobId: '0' })),
    addBulk: (queue) =>
      queue.addBulk([
        { name: 'a', data: 1 },
        { name: 'b', data: 2, opts: { telemetry: { omitContext: true } } },
      ]),
    'addBulk of nothing': (queue) => queue.addBulk([]),
    'pause and resume': async (queue) => {
      await queue.pause();
      await queue.resume();
    },
    reads: async (queue) => {
      await queue.getJobCounts();
      await queue.getJob('1');
      await queue.isPaused();
      await queue.getMetrics('completed');
    },
    recordJobCountsMetric: async (queue) => {
      await queue.add('a', {});
      await queue.recordJobCountsMetric('waiting', 'delayed');
      await queue.recordJobCountsMetric();
    },
    limits: async (queue) => {
      await queue.rateLimit(10);
      await queue.removeRateLimitKey();
      await queue.setGlobalConcurrency(2);
      await queue.setGlobalRateLimit(1, 10);
    },
    'deduplication ids': async (queue) => {
      await queue.removeDeduplicationKey('x');
      await queue.removeDebounceKey('x');
    },
    trimEvents: (queue) => queue.trimEvents(5),
    clean: async (queue) => {
      await queue.add('a', {});
      await queue.clean(0, 10);
      await queue.clean(10, 0, 'failed');
    },
    'bulk moves': async (queue) => {
      await queue.retryJobs({ count: 3 });
      await queue.retryJobs();
      await queue.promoteJobs();
      await queue.promoteJobs({ count: 5 });
    },
    drain: async (queue) => {
      await queue.drain();
      await queue.drain(true);
    },
    'jobs by id': async (queue) => {
      const { id } = await queue.add('a', {});
      await queue.updateJobProgress(id, 50);
      await queue.addJobLog(id, 'row');
      await queue.remove(id);
      await queue.remove('none');
    },
    'what a job does': async (queue) => {
      const job = await queue.add('a', {}, { delay: 10_000 });
      await job.changeDelay(20_000);
      await job.updateData({});
      await job.updateProgress(1);
      await job.promote();
      await job.remove();
    },
    obliterate: (queue) => queue.obliterate({ force: true }),
    close: (queue) => queue.close(),
  };

  test.each(Object.keys(sequences))('%s', async (name) => {
    const sequence = sequences[name] as (queue: unknown) => Promise<unknown>;
    const [ours, theirs] = await told(async ({ queue }) => void (await sequence(queue)));
    expect(ours).toEqual(theirs);
  });
});

describe('what a run tells', () => {
  type Run = (job: { name: string; attemptsStarted: number } & Record<string, never>, token: string, side: Side) => Promise<unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: jobs of two classes
  const runs: Record<string, readonly [options: object, run: (job: any, token: string, side: Side) => Promise<unknown>]> = {
    'a result': [{}, async () => ({ r: 1 })],
    'no result': [{}, async () => undefined],
    'a job that adds one': [{}, async (job, _token, { queue }) => (job.name === 'a' ? (await queue.add('b', {})).id : 'done')],
    failure: [{}, () => Promise.reject(new Error('boom'))],
    'an unrecoverable one': [{ attempts: 3 }, () => Promise.reject(Object.assign(new Error('boom'), { name: 'UnrecoverableError' }))],
    'a second attempt': [{ attempts: 2 }, async (job) => again(job)],
    'a second attempt, later': [{ attempts: 2, backoff: 20 }, async (job) => again(job)],
    'a move to delayed': [
      {},
      async (job, token) => {
        if (job.attemptsStarted > 1) return 1;
        await job.moveToDelayed(Date.now() + 20, token);
        throw Object.assign(new Error('moved'), { name: 'DelayedError' });
      },
    ],
    'a move to wait': [
      {},
      async (job, token) => {
        if (job.attemptsStarted > 1) return 1;
        await job.moveToWait(token);
        throw Object.assign(new Error('moved'), { name: 'WaitingError' });
      },
    ],
    'a wait for a child': [
      {},
      async (job, token, { queue }) => {
        if (job.name === 'b' || job.attemptsStarted > 1) return 1;
        await queue.add('b', {}, { parent: { id: job.id, queue: job.queueQualifiedName } });
        if (!(await job.moveToWaitingChildren(token))) return 1;
        throw Object.assign(new Error('moved'), { name: 'WaitingChildrenError' });
      },
    ],
    'a trace of its own': [{ telemetry: { omitContext: true } }, async () => 1],
    'a trace that was given, without the one it was added in': [
      { telemetry: { omitContext: true, metadata: '["elsewhere"]' } },
      async () => 1,
    ],
  };
  const again = (job: { readonly attemptsStarted: number }): number => {
    if (job.attemptsStarted === 1) throw new Error('again');
    return 1;
  };

  test.each(Object.keys(runs))('%s', async (name) => {
    const [options, run] = runs[name] as readonly [object, Run];
    const [ours, theirs] = await told(async (side) => {
      const worker = side.worker((job: never, token: string) => run(job, token, side), { name: 'w' });
      await worker.waitUntilReady();
      const { id } = await side.queue.add('a', {}, options);
      await side.finished(id);
      if (name === 'a job that adds one') await side.finished('2');
      await until(
        () => side.telemetry.metrics.filter(([metric]) => metric === 'bullmq.jobs.completed' || metric === 'bullmq.jobs.failed').length > 0,
        {
          what: 'the end to be counted',
        },
      );
    });
    expect(ours).toEqual(theirs);
  });

  test('a job that is failed without being run', async () => {
    const [ours, theirs] = await told(async (side) => {
      const worker = side.worker(async () => 1);
      await worker.waitUntilReady();
      const key = `${side.prefix}:mail:bad`;
      await redis.hset(key, { name: 'a', data: '{}', opts: '{}', timestamp: 1, delay: 0, priority: 0, defa: 'child failed' });
      await redis.multi().rpush(`${side.prefix}:mail:wait`, 'bad').zadd(`${side.prefix}:mail:marker`, 0, '0').exec();
      await side.finished('bad');
      await until(() => side.telemetry.metrics.length >= 2, { what: 'the end to be counted' });
    });
    expect(ours).toEqual(theirs);
  });
});

describe('what a worker tells', () => {
  test.each([{}, { name: 'w' }])('when it is asked to do something: %j', async (options) => {
    const [ours, theirs] = await told(async (side) => {
      const worker = side.worker(async () => 1, options);
      await worker.waitUntilReady();
      await until(() => side.telemetry.spans.some((span) => span.name.startsWith('startStalled')), { what: 'it to run' });
      await worker.pause();
      worker.resume();
      await worker.pause(true);
      worker.resume();
      await worker.rateLimit(1);
      await worker.close();
    });
    expect(ours).toEqual(theirs);
  });

  test('when it is closed by force', async () => {
    const [ours, theirs] = await told(async (side) => {
      const worker = side.worker(async () => 1);
      await worker.waitUntilReady();
      await worker.close(true);
    });
    expect(ours).toEqual(theirs);
  });

  test('when jobs are taken and ended by hand', async () => {
    const [ours, theirs] = await told(async (side) => {
      const worker = side.worker(null);
      await worker.waitUntilReady();
      await worker.getNextJob('t', { block: false });
      for (const name of ['a', 'b', 'c', 'd']) await side.queue.add(name, {}, { attempts: name === 'b' ? 1 : 0 });
      const first = await worker.getNextJob('t');
      await first.moveToCompleted('r', 't', false);
      const second = await worker.getNextJob('t');
      await second.moveToFailed(new Error('bad'), 't');
      const third = await worker.getNextJob('t');
      await ignore(third.moveToCompleted('r', 'not its token', false));
      await third.moveToDelayed(Date.now() + 60_000, 't');
      const fourth = await worker.getNextJob('t');
      await fourth.moveToWait('t');
      await worker.close();
    });
    expect(ours).toEqual(theirs);
  });

  test('of locks that it renews and jobs that have stalled', async () => {
    for (const engine of ENGINES) {
      const side = await sideOf(engine);
      const dead = side.worker(null, { lockDuration: 50, skipStalledCheck: true });
      await side.queue.add('a', {});
      await dead.getNextJob('dead');
      side.telemetry.clear();
      const isOver = () => side.telemetry.spans.some(({ name }) => name.startsWith('extendLocks'));
      side.worker(() => until(isOver, { what: 'a renewal' }), { name: 'w', lockDuration: 400, lockRenewTime: 50, stalledInterval: 100 });
      await side.finished('1');
      const spans = comparableSpans(side.telemetry.spans) as { name: string; events: unknown[] }[];
      const who = { 'bullmq.queue.name': 'mail', 'bullmq.worker.id': 'some string', 'bullmq.worker.name': 'w' };
      const plain = { kind: 0, above: [], exceptions: 0, ends: 1 };
      expect(spans.find(({ name }) => name === 'extendLocks mail')).toEqual({
        ...plain,
        name: 'extendLocks mail',
        events: [],
        attributes: { ...who, 'bullmq.queue.operation': 'extendLocks', 'bullmq.worker.jobs.to.extend.locks': ['1'] },
      });
      expect(spans.find(({ name, events }) => name === 'moveStalledJobsToWait mail' && events.length > 0)).toEqual({
        ...plain,
        name: 'moveStalledJobsToWait mail',
        events: [['job stalled', { 'bullmq.job.id': '1' }]],
        attributes: { ...who, 'bullmq.queue.operation': 'moveStalledJobsToWait', 'bullmq.worker.stalled.jobs': ['1'] },
      });
    }
  });
});

describe('a trace across engines', () => {
  test.each([
    [0, 1],
    [1, 0],
  ])('begun by a producer of engine %i goes on in a worker of engine %i', async (from, to) => {
    const producer = await sideOf(ENGINES[from] as Engine);
    const other = ENGINES[to] as Engine;
    const telemetry = recordingTelemetry();
    const where = { connection: CONNECTION, prefix: producer.prefix };
    await producer.queue.add('a', {});
    await producer.queue.addBulk([{ name: 'b', data: 1 }]);
    const worker = new other.Worker('mail', async () => 1, { ...where, telemetry: telemetry as never });
    atEnd(() => worker.close());
    await producer.finished('2');
    const runs = telemetry.spans.filter(({ name }) => name === 'process mail');
    expect(runs.map(({ above }) => above)).toEqual([['add mail.a'], ['addBulk mail']]);
  });
});

test('names and kinds are those of BullMQ', () => {
  expect(drover.SpanKind).toEqual(v6.SpanKind);
  expect(drover.TelemetryAttributes).toEqual(v6.TelemetryAttributes);
  expect(drover.MetricNames).toEqual(v6.MetricNames);
});
