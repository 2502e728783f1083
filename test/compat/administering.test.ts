/**
 * One library administers a queue that the other fills and works: what the first is told, and what is left when the second has worked the
 * queue to its end, is the same whoever did which. `admin.test.ts` compares the keys right after each operation.
 */
import { leftAfterObliterate } from '../support/invariants.js';
import {
  droverSide,
  type Either,
  type EitherProcessor,
  expectSameInAllRoles,
  openStage,
  type PeerSide,
  peerSides,
  type Stage,
} from '../support/roles.js';
import { until } from '../support/until.js';

interface AdminCase {
  readonly what: string;
  /** What the working side adds before. */
  readonly jobs?: readonly { readonly name: string; readonly data?: unknown; readonly opts?: object }[];
  /** Whether the working side runs the jobs before: those named `bad` fail. */
  readonly isWorked?: boolean;
  readonly administer: (queue: Either, stage: Stage) => Promise<unknown>;
  /** Jobs that version 5 adds to a paused queue run before those that were there, as under version 6. */
  readonly inAnyOrder?: true;
}

const LATE = { delay: 600_000 };
const plain = (...names: string[]) => names.map((name) => ({ name }));
const late = (...names: string[]) => names.map((name) => ({ name, opts: LATE }));
const mixed = [...plain('a', 'b'), { name: 'urgent', opts: { priority: 2 } }, ...late('late')];
const IDLE = { waiting: 0, active: 0, prioritized: 0 };
const ids = (jobs: Either[]): string[] => jobs.map(({ id }) => id);
const told = (job: Either) => ({ name: job.name, data: job.data, progress: job.progress, delay: job.delay, priority: job.priority });

/** Runs until the job that fails can no more. */
const flaky: EitherProcessor = async (job) => {
  if (job.name.startsWith('bad') && job.attemptsStarted === 1) throw new Error('not at first');
  return `did ${job.name}`;
};
const job = async (queue: Either, id: string): Promise<Either> => {
  const found = await queue.getJob(id);
  if (!found) throw new Error(`no job ${id}`);
  return found;
};

const cases: readonly AdminCase[] = [
  {
    what: 'promote',
    jobs: [...plain('a'), ...late('b'), { name: 'c', opts: { ...LATE, priority: 2 } }],
    administer: async (queue) => [await (await job(queue, '2')).promote(), await (await job(queue, '3')).promote()],
  },
  { what: 'promoteJobs', jobs: late('a', 'b', 'c'), administer: (queue) => queue.promoteJobs({ count: 2 }) },
  {
    what: 'changeDelay',
    jobs: late('a', 'b'),
    administer: async (queue) => [await (await job(queue, '2')).changeDelay(15), await (await job(queue, '1')).changeDelay(30)],
  },
  {
    what: 'changePriority',
    jobs: [...plain('a', 'b'), { name: 'c', opts: { priority: 5 } }, { name: 'd', opts: { priority: 5 } }],
    administer: async (queue) => {
      for (const [id, change] of [
        ['1', { priority: 7 }],
        ['2', { priority: 5, lifo: true }],
        ['3', { priority: 0 }],
        ['4', { priority: 1 }],
      ] as const)
        await (await job(queue, id)).changePriority(change);
    },
  },
  {
    what: 'updateData, updateProgress, log',
    jobs: [{ name: 'a', data: { n: 1 }, opts: { keepLogs: 2 } }],
    administer: async (queue) => {
      const one = await job(queue, '1');
      await one.updateData({ n: 2, 'x/y': [] });
      await one.updateProgress({ at: 50 });
      await queue.updateJobProgress('1', 60);
      for (const row of ['one', 'two']) await one.log(row);
      await queue.addJobLog('1', 'three');
      return [told(await job(queue, '1')), await queue.getJobLogs('1')];
    },
  },
  {
    what: 'retry of a failed job',
    jobs: plain('bad', 'good'),
    isWorked: true,
    administer: async (queue) => (await job(queue, '1')).retry(),
  },
  {
    what: 'retry of a completed job',
    jobs: plain('good'),
    isWorked: true,
    administer: async (queue) => (await job(queue, '1')).retry('completed', { resetAttemptsMade: true, resetAttemptsStarted: true }),
  },
  {
    what: 'retryJobs',
    jobs: plain('bad 1', 'good', 'bad 2', 'bad 3'),
    isWorked: true,
    administer: (queue) => queue.retryJobs({ count: 2 }),
  },
  {
    what: 'retryJobs of completed ones',
    jobs: plain('one', 'two'),
    isWorked: true,
    administer: (queue) => queue.retryJobs({ state: 'completed' }),
  },
  {
    what: 'remove',
    jobs: mixed,
    administer: async (queue) => [
      await queue.remove('1'),
      await queue.remove('3'),
      await (await job(queue, '4')).remove(),
      await queue.remove('nobody'),
    ],
  },
  {
    what: 'remove of finished jobs',
    jobs: plain('bad', 'good', 'kept'),
    isWorked: true,
    administer: async (queue) => [await queue.remove('1'), await queue.remove('2')],
  },
  ...['wait', 'delayed', 'prioritized'].map((type) => ({
    what: `clean ${type}`,
    jobs: mixed,
    administer: async (queue: Either) => (await queue.clean(0, 0, type)).sort(),
  })),
  ...['completed', 'failed'].map((type) => ({
    what: `clean ${type}`,
    jobs: plain('bad', 'good', 'also good'),
    isWorked: true,
    administer: async (queue: Either) => (await queue.clean(0, 1, type)).length,
  })),
  { what: 'drain', jobs: mixed, administer: (queue) => queue.drain() },
  { what: 'drain of delayed jobs, too', jobs: mixed, administer: (queue) => queue.drain(true) },
  {
    what: 'removeOrphanedJobs',
    jobs: mixed,
    administer: async (queue, { redis, key }) => {
      await redis.lrem(key('wait'), 0, '2');
      await redis.rpush(key('2:logs'), 'row');
      return [await queue.removeOrphanedJobs(), await queue.removeOrphanedJobs()];
    },
  },
  {
    what: 'obliterate',
    jobs: [...mixed, { name: 'one', opts: { deduplication: { id: 'x' } } }],
    administer: async (queue, { redis, prefix, workers }) => {
      await queue.obliterate({ count: 2 });
      const left = [await leftAfterObliterate(redis, 'mail', prefix), await workers.isPaused()];
      await workers.addBulk(mixed.map((add) => ({ data: {}, ...add })));
      return left;
    },
  },
  {
    what: 'pause and resume of a filled queue',
    inAnyOrder: true,
    jobs: mixed,
    administer: async (queue, { workers }) => {
      await queue.pause();
      const states = [await queue.isPaused(), await workers.isPaused()];
      await workers.addBulk([...plain('while paused'), { name: 'urgent', opts: { priority: 1 } }].map((add) => ({ data: {}, ...add })));
      const counted = [
        await queue.count(),
        await workers.count(),
        await workers.getJobState('1'),
        await queue.getCountsPerPriority([0, 1, 2]),
      ];
      await queue.resume();
      return [states, counted, await workers.isPaused()];
    },
  },
  {
    what: 'trimEvents',
    jobs: plain('a', 'b'),
    administer: async (queue, { redis, key }) => {
      const trimmed = await queue.trimEvents(0);
      return [trimmed, await redis.xlen(key('events'))];
    },
  },
  {
    what: 'getters and counts',
    jobs: [...plain('bad', 'good'), ...late('late', 'later'), { name: 'later and urgent', opts: { ...LATE, priority: 3 } }],
    isWorked: true,
    administer: async (queue, { workers }) => {
      await workers.addBulk([...plain('x', 'y', 'z'), { name: 'urgent', opts: { priority: 3 } }].map((add) => ({ data: {}, ...add })));
      const lists: unknown[] = [];
      for (const state of 'Waiting Active Delayed Prioritized Completed Failed WaitingChildren'.split(' ')) {
        lists.push(ids(await queue[`get${state}`]()), ids(await queue[`get${state}`](1, 1)), await queue[`get${state}Count`]());
      }
      for (const asc of [true, false]) lists.push(ids(await queue.getJobs(['delayed', 'completed', 'wait'], 0, 2, asc)));
      const types = ['wait', 'active', 'completed', 'failed', 'delayed', 'prioritized', 'waiting-children'];
      return [
        ...[lists, await queue.getJobCounts(...types), await queue.getJobCountByTypes('wait', 'failed'), await queue.count()],
        ...[await queue.getCountsPerPriority([0, 1, 3]), await queue.getJobState('3')],
        ...[await (await job(queue, '1')).isFailed(), (await job(queue, '2')).toJSON(), await queue.getJob('nobody')],
      ];
    },
  },
];

describe.each(peerSides)('$name', (peer) => {
  test.each(cases)('$what', async ({ jobs = [], isWorked = false, inAnyOrder, administer }) => {
    await expectSameInAllRoles(peer, async (stage) => {
      const { queue, workers, work } = stage;
      await workers.addBulk(jobs.map(({ name, data = {}, opts = {} }) => ({ name, data, opts })));
      if (isWorked) await work(IDLE, flaky);
      const result = await administer(queue, stage);
      const ran: string[] = [];
      const remote = await stage.redis.zcount(stage.key('delayed'), (Date.now() + 1_000) * 4_096, '+inf');
      await work({ ...IDLE, delayed: remote }, async (one) => void ran.push(one.name));
      return { result: result ?? null, ran: inAnyOrder ? ran.sort() : ran };
    });
  });

  test('pause and resume while the other side works', async () => {
    await expectSameInAllRoles(peer, async ({ queue, workers, worker, counts }) => {
      const ran: string[] = [];
      const one = await worker(async (run) => void ran.push(run.name), { drainDelay: 1 });
      await workers.add('before', {});
      await counts({ completed: 1 });
      await queue.pause();
      await workers.addBulk(['one', 'two'].map((name) => ({ name, data: {} })));
      await queue.add('soon', {}, { delay: 20 });
      await counts({ delayed: 0 }); // only a fetch promotes it: the worker has looked
      const whilePaused = [...ran];
      await queue.resume();
      await counts({ completed: 4 });
      await one.close();
      return { whilePaused, ran: ran.sort() };
    });
  });

  test('what is held is neither removed nor cleaned, and obliterated by force only', async () => {
    await expectSameInAllRoles(peer, async ({ queue, workers, worker, redis, prefix }) => {
      const hand = await worker(null, { skipStalledCheck: true });
      await workers.addBulk(['a', 'b'].map((name) => ({ name, data: {} })));
      await hand.getNextJob('mine', { block: false });
      const refusals = [
        await queue.remove('1'),
        await (await job(queue, '1')).remove().catch((error: Error) => error.message),
        await queue.clean(0, 0, 'active'),
        await queue.obliterate().catch((error: Error) => error.message),
      ];
      await queue.obliterate({ force: true });
      return { refusals, left: await leftAfterObliterate(redis, 'mail', prefix) };
    });
  });
});

describe.each(peerSides)('$name and Drover know of each other', (peer: PeerSide) => {
  test.each([
    [peer, droverSide],
    [droverSide, peer],
  ])('getWorkers of %#', async (acting, working) => {
    const { queue, worker } = await openStage(acting, working);
    expect(await queue.getWorkers()).toEqual([]);
    const one = await worker(async () => 1);
    await until(async () => (await queue.getWorkersCount()) === 1, { what: 'one worker to be listed' });
    const [listed] = await queue.getWorkers();
    expect(listed).toMatchObject({ name: expect.stringContaining('mail') });
    await one.close();
  });
});
