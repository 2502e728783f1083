/** Every way a run can end: one library adds, the other runs, and what the first reads afterwards is the same whoever ran it. */
import { type Either, type EitherProcessor, expectSameInAllRoles, peerSides, type Stage } from '../support/roles.js';
import { until } from '../support/until.js';

interface RunCase {
  readonly what: string;
  /** Options of jobs that are added, each with its place as data. */
  readonly jobs: readonly object[];
  readonly counts: Readonly<Record<string, number>>;
  readonly options?: object;
  /** Version 5 has another rule. */
  readonly since6?: true;
  readonly run: (stage: Stage) => EitherProcessor;
}

const fails = (): EitherProcessor => async (job) => {
  throw new Error(`no luck with ${job.id}, try ${job.attemptsMade + 1}`);
};
const failsUntil =
  (tries: number): (() => EitherProcessor) =>
  () =>
  async (job) => {
    if (job.attemptsMade < tries - 1) throw new Error(`try ${job.attemptsMade + 1}`);
    return `try ${job.attemptsMade + 1}`;
  };
/** Does `first` in the first run and ends well in the next. */
const once =
  (first: (job: Either, token: string, stage: Stage) => Promise<unknown>): RunCase['run'] =>
  (stage) =>
  async (job, token) => {
    if (job.attemptsStarted === 1) return first(job, token, stage);
    return `start ${job.attemptsStarted}`;
  };
const plain: RunCase['run'] = () => async (job) => `did ${job.id}`;
const some = (count: number, opts: object = {}) => Array.from({ length: count }, () => opts);

const cases: readonly RunCase[] = [
  {
    what: 'results of every kind',
    jobs: some(8),
    counts: { completed: 8 },
    run: () => async (job) => [undefined, null, 0, '', false, 'ä "/"', [], { deep: [{ a: null }] }][job.data.n],
  },
  { what: 'one attempt', jobs: [{}, { attempts: 1 }], counts: { failed: 2 }, run: fails },
  {
    what: 'attempts without back-off',
    jobs: [{ attempts: 3 }, { attempts: 2, lifo: true }, { attempts: 2, priority: 3 }],
    counts: { failed: 3 },
    run: fails,
  },
  {
    what: 'fixed back-off',
    jobs: [
      { attempts: 3, backoff: 15 },
      { attempts: 3, backoff: { type: 'fixed', delay: 10 } },
    ],
    counts: { completed: 2 },
    run: failsUntil(3),
  },
  { what: 'exponential back-off', jobs: [{ attempts: 3, backoff: { type: 'exponential', delay: 8 } }], counts: { failed: 1 }, run: fails },
  {
    what: 'back-off with jitter',
    jobs: [{ attempts: 2, backoff: { type: 'fixed', delay: 20, jitter: 0.5 } }],
    counts: { completed: 1 },
    run: failsUntil(2),
  },
  { what: 'prioritized, with back-off', jobs: [{ attempts: 2, backoff: 10, priority: 5 }], counts: { completed: 1 }, run: failsUntil(2) },
  {
    what: 'a strategy of the worker',
    jobs: [{ attempts: 4, backoff: { type: 'own', delay: 1 } }],
    counts: { failed: 1 },
    options: {
      settings: {
        backoffStrategy: (made: number, type: string, error: Error) =>
          type === 'own' && error.message.includes('try 3') ? -1 : 5 * (made - 1),
      },
    },
    run: fails,
  },
  {
    what: 'UnrecoverableError',
    jobs: [{ attempts: 5 }],
    counts: { failed: 1 },
    run:
      ({ working }) =>
      async () => {
        throw new working.library.UnrecoverableError('give up');
      },
  },
  {
    what: 'DelayedError after moveToDelayed',
    jobs: [{}, { priority: 2 }],
    counts: { completed: 2 },
    run: once(async (job, token, { working }) => {
      await job.moveToDelayed(Date.now() + 25, token);
      throw new working.library.DelayedError();
    }),
  },
  {
    what: 'WaitingError after moveToWait',
    jobs: [{}, { priority: 2 }],
    counts: { completed: 2 },
    run: once(async (job, token, { working }) => {
      await job.moveToWait(token);
      throw new working.library.WaitingError();
    }),
  },
  {
    what: 'WaitingChildrenError after moveToWaitingChildren',
    jobs: [{ jobId: 'parent' }],
    counts: { completed: 3 },
    run:
      ({ queue, working }) =>
      async (job, token) => {
        if (job.name === 'child') return job.data;
        const values = Object.values(await job.getChildrenValues());
        if (values.length > 0) return values.sort();
        const parent = { id: job.id, queue: job.queueQualifiedName };
        for (const nth of ['one', 'two']) await queue.add('child', nth, { parent, jobId: nth });
        if (!(await job.moveToWaitingChildren(token))) throw new Error('there are children');
        throw new working.library.WaitingChildrenError();
      },
  },
  {
    what: 'moveToWaitingChildren without children',
    jobs: [{}],
    counts: { completed: 1 },
    run: () => async (job, token) => job.moveToWaitingChildren(token),
  },
  {
    what: 'moves with another token',
    jobs: [{}],
    counts: { completed: 1 },
    run: () => async (job) => {
      const codes: unknown[] = [];
      const moves = [() => job.moveToDelayed(Date.now(), 'x'), () => job.moveToWait('x'), () => job.moveToCompleted(1, 'x', false)];
      for (const move of moves) await move().catch((error: Either) => codes.push(error.code));
      return codes;
    },
  },
  {
    what: 'maxStartedAttempts',
    since6: true,
    jobs: [{ attempts: 9 }],
    counts: { failed: 1 },
    options: { maxStartedAttempts: 2 },
    run: fails,
  },
  {
    what: 'what a run changes',
    jobs: [{ keepLogs: 2 }, { attempts: 2, stackTraceLimit: 1 }],
    counts: { completed: 1, failed: 1 },
    options: { name: 'inga' },
    run: () => async (job) => {
      for (const row of ['one', 'two', 'three']) await job.log(row);
      await job.updateData({ was: job.data });
      await job.updateProgress(50);
      await job.updateProgress({ at: ['x', 1] });
      if (job.id === '2') throw new Error('no luck');
    },
  },
  { what: 'retention by count', jobs: [...some(3, { removeOnComplete: 2 }), ...some(2)], counts: { completed: 4 }, run: plain },
  {
    what: 'retention of none',
    jobs: [{ removeOnComplete: true }, { removeOnComplete: { count: 0 } }, { removeOnComplete: -1 }],
    counts: { completed: 1 },
    run: plain,
  },
  {
    what: 'retention of failed jobs',
    jobs: [...some(3, { removeOnFail: { count: 1 } }), { removeOnFail: true }],
    counts: { failed: 1 },
    run: fails,
  },
  {
    what: "the worker's own retention",
    jobs: [...some(4), { removeOnComplete: false }, {}],
    counts: { completed: 2 },
    options: { removeOnComplete: { count: 2 } },
    run: plain,
  },
];

describe.each(peerSides)('$name', (peer) => {
  test.each(cases.filter(({ since6 }) => !(since6 && peer.isV5)))('$what', async ({ jobs, counts, options, run }) => {
    await expectSameInAllRoles(peer, async (stage) => {
      const added = await stage.queue.addBulk(jobs.map((opts, n) => ({ name: 'job', data: { n }, opts })));
      await stage.work({ waiting: 0, prioritized: 0, delayed: 0, active: 0, 'waiting-children': 0, ...counts }, run(stage), options);
      const read: unknown[] = [];
      for (const { id } of added) {
        const job = await stage.queue.getJob(id);
        read.push(job ? [job.toJSON(), await job.getState()] : 'gone');
      }
      return read;
    });
  });

  test('retention by age, with a limit', async () => {
    await expectSameInAllRoles(peer, async ({ queue, work, redis, key }) => {
      await queue.addBulk(some(5).map((_, n) => ({ name: 'job', data: { n } })));
      await work({ completed: 5 });
      for (const id of [1, 2, 3, 4]) {
        await redis.zadd(key('completed'), Date.now() - 100_000 + id, id);
      }
      await queue.add('job', {}, { removeOnComplete: { age: 60, limit: 3 } });
      await work({ completed: 3, waiting: 0, active: 0 });
      await queue.add('job', {}, { removeOnComplete: { age: 60 } });
      await work({ completed: 3, waiting: 0, active: 0 });
      return (await queue.getCompleted()).map(({ id }: Either) => id).sort();
    });
  });

  test('cancelJob: the signal is aborted, and the run fails for a retry', async () => {
    await expectSameInAllRoles(peer, async ({ queue, worker, counts }) => {
      let runs = 0;
      const started: string[] = [];
      const one = await worker((job, _token, signal) => {
        if (++runs > 1) return Promise.resolve('second try');
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('cancelled')));
          started.push(job.id);
        });
      });
      await queue.add('job', {}, { attempts: 2 });
      await until(() => started.length === 1, { what: 'the run' });
      const told = [one.cancelJob('nobody'), one.cancelJob('1')];
      await counts({ completed: 1 });
      await one.close();
      return told;
    });
  });

  test('a lost lock: the result is dropped, and the stalled check gives the job to the next', async () => {
    await expectSameInAllRoles(peer, async ({ queue, worker, counts, redis, key }) => {
      let isLost = false;
      const loser = await worker(
        async (job) => {
          await redis.set(key(`${job.id}:lock`), 'of somebody else', 'PX', 100);
          isLost = true;
          return 'too late';
        },
        { skipStalledCheck: true },
      );
      await queue.add('job', {});
      await until(() => isLost, { what: 'the run' });
      await loser.close();
      const isStillActive = (await queue.getActiveCount()) === 1;
      const finder = await worker(async () => 'found', { stalledInterval: 50 });
      await counts({ completed: 1 });
      await finder.close();
      return { isStillActive, result: (await queue.getJob('1')).returnvalue };
    });
  });

  test('metrics: minutes are counted by one and read and continued by the other', async () => {
    await expectSameInAllRoles(peer, async ({ queue, workers, work, redis, key }) => {
      await until(() => Date.now() % 60_000 < 55_000, { what: 'a minute that lasts' });
      const metrics = { metrics: { maxDataPoints: 5 } };
      const flaky: EitherProcessor = async (job) => {
        if (job.name === 'bad') throw new Error('no');
      };
      await queue.addBulk(['bad', 'a', 'b', 'c'].map((name) => ({ name, data: {} })));
      await work({ completed: 3, failed: 1 }, flaky, metrics);
      const minute = Math.floor(Date.now() / 60_000) * 60_000;
      for (const type of ['completed', 'failed']) await redis.hset(key(`metrics:${type}`), 'prevTS', minute - 150_000);
      await queue.addBulk(['bad', 'd', 'e'].map((name) => ({ name, data: {} })));
      await work({ completed: 5, failed: 2 }, flaky, metrics);
      const told = [
        await queue.getMetrics('completed'),
        await queue.getMetrics('failed', 0, 1),
        await workers.getMetrics('completed', 1, 2),
      ];
      const lines = `${await queue.exportPrometheusMetrics()}${await queue.exportPrometheusMetrics({ env: 'x' })}`.split('\n');
      return [told, lines.filter((line) => !line.includes('state="paused"'))]; // version 5 counts what it parked as a state
    });
  });
});
