import type { Queue } from '@drover/core';
import * as v5 from 'bullmq-v5';
import * as v6 from 'bullmq-v6';
import { atEnd } from '../support/at-end.js';
import { testRedisUrl } from '../support/redis.js';
import { type EitherQueue, type Twins, twins } from '../support/twin.js';

/** The same operation on both; then results, keys, fields and events must agree, and the invariants hold. */
async function expectAlike(
  t: Twins,
  operation: (queue: EitherQueue, open: (name: string) => EitherQueue) => Promise<unknown>,
  isIdle = true,
): Promise<unknown> {
  const [ours, theirs] = await t.both(operation);
  expect(ours).toEqual(theirs);
  const [our, their] = await t.dumps();
  expect(our).toEqual(their);
  expect(await t.broken(isIdle)).toEqual([]);
  return ours;
}

const job = async (queue: EitherQueue, id: string) => {
  const found = await queue.getJob(id);
  if (!found) throw new Error(`no job ${id}`);
  return found;
};

test('promote: a delayed job becomes ready, a prioritized one in its class; another state is refused', async () => {
  const t = await twins();
  await t.prepare(async ({ queue }) => {
    await queue.add('a', {});
    await queue.add('b', {}, { delay: 100_000 });
    await queue.add('c', {}, { delay: 100_000, priority: 3 });
  });
  await expectAlike(t, async (queue) => (await job(queue, '2')).promote());
  await expectAlike(t, async (queue) => (await job(queue, '3')).promote());
  expect(await expectAlike(t, async (queue) => (await job(queue, '2')).promote())).toEqual({
    threw: 'Job 2 is not in the delayed state. promote',
    code: -3,
  });
});

test('promoteJobs: all delayed jobs, in batches', async () => {
  const t = await twins();
  await t.prepare(async ({ queue }) => {
    for (let n = 0; n < 5; n++) await queue.add(`d${n}`, {}, { delay: 100_000 + n * 1_000, ...(n === 2 ? { priority: 4 } : {}) });
  });
  await expectAlike(t, (queue) => queue.promoteJobs({ count: 2 }));
  expect(await t.ours.getJobCounts()).toMatchObject({ waiting: 5, delayed: 0 });
});

test('changeDelay: the job moves; one that is not delayed is refused', async () => {
  const t = await twins();
  await t.prepare(async ({ queue }) => {
    await queue.add('a', {}, { delay: 100_000 });
    await queue.add('b', {}, { delay: 200_000 });
    await queue.add('c', {});
  });
  await expectAlike(t, async (queue) => {
    const changed = await job(queue, '2');
    await changed.changeDelay(50_000);
    return [changed.delay, (await queue.getDelayed()).map(({ id }: { id: string }) => id)];
  });
  expect(await expectAlike(t, async (queue) => (await job(queue, '3')).changeDelay(5))).toMatchObject({ code: -3 });
});

test('changePriority: out of wait and prioritized, back into it, in front and behind', async () => {
  const t = await twins();
  await t.prepare(async ({ queue }) => {
    await queue.add('a', {});
    await queue.add('b', {});
    await queue.add('c', {}, { priority: 5 });
    await queue.add('d', {}, { priority: 5 });
    await queue.add('e', {}, { delay: 100_000 });
  });
  for (const [id, change] of [
    ['1', { priority: 5 }],
    ['2', { priority: 5, lifo: true }],
    ['3', { priority: 0 }],
    ['4', { lifo: true }],
    ['5', { priority: 9 }],
  ] as const) {
    await expectAlike(t, async (queue) => (await job(queue, id)).changePriority(change));
  }
});

test('updateData, updateProgress and logs', async () => {
  const t = await twins();
  await t.prepare(({ queue }) => queue.add('a', { n: 1 }, { keepLogs: 2 }));
  await expectAlike(t, async (queue) => {
    const a = await job(queue, '1');
    await a.updateData({ n: 2 });
    await a.updateProgress({ at: 50 });
    await queue.updateJobProgress('1', 60);
    const rows = [await a.log('one'), await a.log('two'), await a.log('three'), await queue.addJobLog('1', 'four')];
    const kept = [await queue.addJobLog('1', 'five', 2), await queue.getJobLogs('1'), await queue.getJobLogs('1', 0, 0, false)];
    await a.clearLogs(1);
    return [rows, kept, await queue.getJobLogs('1')];
  });
  await expectAlike(t, async (queue) => (await job(queue, '1')).clearLogs());
});

test('what is asked of a job that is gone is refused with the same code and words', async () => {
  const t = await twins();
  await t.prepare(({ queue }) => queue.add('a', {}));
  const held = await t.both(async (queue) => {
    const a = await job(queue, '1');
    await queue.remove('1');
    const attempts = [
      () => a.promote(),
      () => a.changeDelay(1),
      () => a.changePriority({ priority: 1 }),
      () => a.retry(),
      () => a.updateData({}),
      () => a.updateProgress(1),
      () => a.log('x'),
      () => a.remove(),
      () => a.getState(),
      () => queue.addJobLog('1', 'x'),
      () => queue.updateJobProgress('1', 1),
    ];
    const said = [];
    for (const attempt of attempts) said.push(await attempt().catch((error: Error & { code: number }) => [error.message, error.code]));
    return said;
  });
  expect(held[0]).toEqual(held[1]);
});

describe('retry', () => {
  test('one job: failed and completed, lifo and prioritized, with and without its past', async () => {
    const t = await twins();
    await t.prepare(async ({ queue, work }) => {
      await queue.addBulk([
        { name: 'bad-1', data: {} },
        { name: 'bad-2', data: {}, opts: { lifo: true } },
        { name: 'bad-3', data: {}, opts: { priority: 2 } },
        { name: 'good', data: {} },
      ]);
      await work(4);
      await queue.add('last', {});
    });
    for (const id of ['1', '2', '3']) await expectAlike(t, async (queue) => (await job(queue, id)).retry());
    await expectAlike(t, async (queue) =>
      (await job(queue, '4')).retry('completed', { resetAttemptsMade: true, resetAttemptsStarted: true }),
    );
    expect(await expectAlike(t, async (queue) => (await job(queue, '4')).retry())).toEqual({
      threw: 'Job 4 is not in the failed state. reprocessJob',
      code: -3,
    });
  });

  test('all failed ones, all completed ones, in batches', async () => {
    const t = await twins();
    await t.prepare(async ({ queue, work }) => {
      for (let n = 0; n < 5; n++) await queue.add(`bad-${n}`, {}, n === 2 ? { priority: 7 } : {});
      for (let n = 0; n < 3; n++) await queue.add(`good-${n}`, {});
      await work(8);
    });
    await expectAlike(t, (queue) => queue.retryJobs({ count: 2, timestamp: 1 }));
    expect(await t.ours.getJobCounts()).toMatchObject({ failed: 5 });
    await expectAlike(t, (queue) => queue.retryJobs({ count: 2 }));
    await expectAlike(t, (queue) => queue.retryJobs({ state: 'completed' }));
    expect(await t.ours.getJobCounts()).toMatchObject({ waiting: 8, failed: 0, completed: 0 });
  });
});

describe('families', () => {
  /** A parent with children by fixed ids: one done, one failed with each policy, one pending, one locked. */
  const family = async (t: Twins) => {
    await t.prepare(async ({ prefix, connection, queue, work }) => {
      const flows = new v6.FlowProducer({ connection, prefix });
      const child = (name: string, opts: object = {}, children: object[] = []) => ({
        name,
        queueName: 'mail',
        data: {},
        opts: { jobId: name, ...opts },
        ...(children.length > 0 ? { children } : {}),
      });
      await flows.add({
        name: 'parent',
        queueName: 'par',
        opts: { jobId: 'parent' },
        children: [
          child('good'),
          child('bad-ignored', { ignoreDependencyOnFailure: true }),
          child('bad-plain'),
          child('late', { delay: 100_000 }),
          child('middle', {}, [child('grandchild', { delay: 100_000 })]),
        ],
      } as never);
      await work(3);
      await flows.close();
      await queue.add('bystander', {}, { delay: 100_000 });
    });
    return t;
  };

  test('dependencies are told alike', async () => {
    const t = await family(await twins({}, 'mail'));
    const [ours, theirs] = await t.both(async (_queue, open) => {
      const parents = open('par');
      const parent = await job(parents, 'parent');
      const all = await parent.getDependencies();
      const paged = await parent.getDependencies({ processed: {}, ignored: { count: 5 }, unprocessed: { cursor: 0 } });
      const told = [
        { ...all, unprocessed: all.unprocessed.sort() },
        { ...paged, unprocessed: paged.unprocessed.sort() },
        await parent.getDependenciesCount(),
        await parent.getDependenciesCount({ failed: true, processed: true }),
        await parent.getChildrenValues(),
        await parent.getIgnoredChildrenFailures(),
        await parent.getFailedChildrenValues(),
        await parents.getDependencies('parent', 'processed', 0, 5),
        (await parents.getDependencies('parent', 'pending', 0, -1)).total,
      ];
      return told;
    });
    expect(ours).toEqual(theirs);
  });

  test('a retried child is pending again', async () => {
    const t = await family(await twins());
    for (const id of ['bad-ignored', 'bad-plain']) await expectAlike(t, async (queue) => (await job(queue, id)).retry());
    await expectAlike(t, async (queue) => (await job(queue, 'good')).retry('completed'));
  });

  test('retryJobs makes children pending again', async () => {
    const t = await family(await twins());
    await expectAlike(t, (queue) => queue.retryJobs());
    await expectAlike(t, (queue) => queue.retryJobs({ state: 'completed' }));
  });

  test('removeChildDependency', async () => {
    const t = await family(await twins());
    for (const id of ['late', 'bad-plain', 'middle', 'grandchild', 'good']) {
      await expectAlike(t, async (queue) => (await job(queue, id)).removeChildDependency());
    }
    expect(await (await job(t.ours, 'late')).removeChildDependency()).toBe(false); // BullMQ throws -5 for "parent undefined"
  });

  test('remove: with and without children', async () => {
    const t = await family(await twins());
    await expectAlike(t, (queue) => queue.remove('late'));
    await expectAlike(t, (queue) => queue.remove('middle', { removeChildren: false }));
    await expectAlike(t, (queue) => queue.remove('bad-plain'));
    await expectAlike(t, (queue) => queue.remove('nobody'));
  });

  test('remove: the whole family', async () => {
    const t = await family(await twins());
    const [ours, theirs] = await t.both(async (_queue, open) => {
      const parents = open('par');
      const removed = await parents.remove('parent');
      return removed;
    });
    expect(ours).toEqual(theirs);
    const withoutOrder = (dump: Record<string, unknown>) => ({ ...dump, 'mail:events': [...(dump['mail:events'] as string[])].sort() });
    const [our, their] = await t.dumps();
    expect(withoutOrder(our)).toEqual(withoutOrder(their));
  });

  test('removeUnprocessedChildren', async () => {
    const t = await family(await twins());
    const [ours, theirs] = await t.both(async (_queue, open) => {
      const parents = open('par');
      await (await job(parents, 'parent')).removeUnprocessedChildren();
    });
    expect(ours).toEqual(theirs);
    const withoutOrder = (dump: Record<string, unknown>) => ({ ...dump, 'mail:events': [...(dump['mail:events'] as string[])].sort() });
    const [our, their] = await t.dumps();
    expect(withoutOrder(our)).toEqual(withoutOrder(their));
    expect(await t.broken()).toEqual([]);
  });
});

describe('purging', () => {
  /** Some jobs in each state, and two schedulers with their next iterations. */
  const full = async (t: Twins) => {
    await t.prepare(async ({ queue, work }) => {
      for (let n = 0; n < 3; n++)
        await queue.addBulk([
          { name: 'good', data: {} },
          { name: 'bad', data: {} },
        ]);
      await work(6);
      for (let n = 0; n < 3; n++) {
        await queue.add('ready', {});
        await queue.add('urgent', {}, { priority: n + 1 });
        await queue.add('late', {}, { delay: 100_000 + n });
      }
      await queue.add('unique', {}, { deduplication: { id: 'one' } });
    });
    return t;
  };

  test.each(['completed', 'failed', 'wait', 'delayed', 'prioritized', 'active', 'paused'])('clean %s', async (type) => {
    const t = await full(await twins());
    await expectAlike(t, (queue) => queue.clean(100_000, 0, type));
    await expectAlike(t, (queue) => queue.clean(0, 2, type));
    await expectAlike(t, (queue) => queue.clean(0, 0, type));
  });

  test('clean active: what nobody holds', async () => {
    const t = await full(await twins());
    await t.prepare(async ({ queue, prefix, connection }) => {
      const worker = new v6.Worker('mail', null, { connection: { ...connection, maxRetriesPerRequest: null }, prefix });
      for (let n = 0; n < 3; n++) await worker.getNextJob(`token-${n}`);
      await worker.close();
      await t.redis.del(`${queue.toKey('')}8:lock`, `${queue.toKey('')}7:lock`);
    });
    await expectAlike(t, (queue) => queue.clean(0, 0, 'active'), false);
  });

  test.each([false, true])('drain, delayed: %s', async (delayed) => {
    const t = await full(await twins());
    await t.prepare(({ queue }) => queue.upsertJobScheduler('tick', { pattern: '0 0 1 1 *' }, { name: 'tick' }));
    await expectAlike(t, (queue) => queue.drain(delayed));
  });

  test('the next iteration of a scheduler is cleaned and removed by nobody', async () => {
    const t = await full(await twins());
    await t.prepare(({ queue }) => queue.upsertJobScheduler('tick', { pattern: '0 0 1 1 *' }, { name: 'tick' }));
    await expectAlike(t, (queue) => queue.clean(0, 0, 'delayed'));
    const [iteration] = await t.ours.getDelayed();
    expect(await expectAlike(t, (queue) => queue.remove(iteration?.id as string))).toMatchObject({ code: -8 });
  });

  test('obliterate leaves what is documented', async () => {
    const t = await full(await twins());
    await t.prepare(({ queue }) => queue.upsertJobScheduler('tick', { pattern: '0 0 1 1 *' }, { name: 'tick' }));
    await expectAlike(t, (queue) => queue.obliterate({ count: 3 }));
    expect(await t.redis.keys(`${t.prefixes[0]}:*`)).toEqual([]);
  });

  test('obliterate refuses while jobs are active, unless forced', async () => {
    const t = await full(await twins());
    await t.prepare(async ({ prefix, connection }) => {
      const worker = new v6.Worker('mail', null, { connection: { ...connection, maxRetriesPerRequest: null }, prefix });
      await worker.getNextJob('token');
      await worker.close();
    });
    expect(await expectAlike(t, (queue) => queue.obliterate(), false)).toMatchObject({ threw: 'Cannot obliterate queue with active jobs' });
    expect(await t.ours.isPaused()).toBe(true);
    await expectAlike(t, (queue) => queue.obliterate({ force: true }));
    expect(await t.redis.keys(`${t.prefixes[0]}:*`)).toEqual([]);
  });

  test('removeOrphanedJobs', async () => {
    const t = await full(await twins());
    await t.prepare(async ({ queue }) => {
      await queue.upsertJobScheduler('tick', { pattern: '0 0 1 1 *' }, { name: 'tick' });
      const base = queue.toKey('');
      await t.redis.lrem(`${base}wait`, 0, '7');
      await t.redis.rpush(`${base}7:logs`, 'row');
      await t.redis.zrem(`${base}failed`, '2');
    });
    expect(await expectAlike(t, (queue) => queue.removeOrphanedJobs())).toBe(2);
    expect(await expectAlike(t, (queue) => queue.removeOrphanedJobs())).toBe(0);
  });

  test('limits and configuration', async () => {
    const t = await full(await twins());
    await expectAlike(t, async (queue) => [
      await queue.setGlobalConcurrency(3),
      await queue.setGlobalConcurrency(4),
      await queue.getGlobalConcurrency(),
      await queue.isMaxed(),
      await queue.setGlobalRateLimit(5, 1_000),
      await queue.getGlobalRateLimit(),
      await queue.getMeta(),
      await queue.removeGlobalConcurrency(),
      await queue.removeGlobalRateLimit(),
      await queue.getGlobalConcurrency(),
      await queue.getGlobalRateLimit(),
      await queue.removeRateLimitKey(),
      await queue.removeDeprecatedPriorityKey(),
      await queue.getVersion(),
      await queue.exportPrometheusMetrics({ env: 'a"b' }),
      await queue.getCountsPerPriority([0, 1, 2, 9]),
      await queue.getDelayedCount(),
      await queue.getDelayedCount(Date.now()),
      await queue.count(),
      await queue.getJobCounts(),
      await queue.getJobCounts('wait', 'completed'),
      await queue.getJobCountByTypes('wait', 'completed'),
      await queue.getJobState('nobody'),
      queue.qualifiedName,
      queue.toKey('x'),
    ]);
  });

  test('lists come in the same order, with the same content', async () => {
    const t = await full(await twins());
    const [ours, theirs] = await t.both(async (queue) => {
      const lists: unknown[] = [];
      const names = 'Waiting Active Delayed Prioritized Completed Failed WaitingChildren'.split(' ');
      for (const name of names) {
        for (const range of [[], [0, 0], [1, 2]]) lists.push((await queue[`get${name}`](...range)).map(({ id }: { id: string }) => id));
      }
      for (const asc of [true, false]) {
        for (const types of [['wait'], ['completed', 'failed'], ['delayed', 'prioritized', 'wait']]) {
          lists.push((await queue.getJobs(types, 0, 3, asc)).map(({ id }: { id: string }) => id));
        }
      }
      lists.push((await queue.getFailed()).map((failed: v6.Job) => failed.toJSON()));
      lists.push((await queue.getCompleted()).map((completed: v6.Job) => completed.asJSON()));
      return lists;
    });
    expect(ours).toEqual(theirs);
  });
});

describe('a queue that BullMQ 5 paused', () => {
  const parked = async () => {
    const t = await twins();
    const old = new v5.Queue('mail', { connection: { url: testRedisUrl() }, prefix: t.prefixes[0] });
    atEnd(() => old.close());
    for (let n = 1; n <= 4; n++) await old.add(`job-${n}`, {});
    await old.add('late', {}, { delay: 100_000 });
    await old.pause();
    const list = (name: string) => t.redis.lrange(`${t.prefixes[0]}:mail:${name}`, 0, -1);
    expect(await list('paused')).toEqual(['4', '3', '2', '1']);
    return { t, old, list, queue: t.ours };
  };
  const ids = (jobs: { id: string }[]) => jobs.map(({ id }) => id);

  test('is counted, listed and told as waiting', async () => {
    const { queue, t } = await parked();
    await t.theirs.close(); // a v6 client may add beside it: such jobs stand in `wait`
    const v6Queue = new v6.Queue('mail', { connection: { url: testRedisUrl() }, prefix: t.prefixes[0] });
    atEnd(() => v6Queue.close());
    await v6Queue.add('beside', {});
    expect(await queue.getJobCounts('waiting', 'paused')).toEqual({ waiting: 5, paused: 4 });
    expect(await queue.getCountsPerPriority([0])).toEqual({ 0: 5 });
    expect(await queue.count()).toBe(6);
    expect(ids(await queue.getWaiting())).toEqual(['1', '2', '3', '4', '6']);
    expect(ids(await queue.getWaiting(3, 4))).toEqual(['4', '6']);
    expect(ids(await queue.getJobs(['waiting', 'paused'], 0, 1))).toEqual(['6', '4']);
    expect(ids(await queue.getJobs('paused', 0, -1, true))).toEqual(['1', '2', '3', '4']);
    expect(await queue.getJobState('1')).toBe('waiting');
    await queue.resume();
    expect(ids(await queue.getWaiting())).toEqual(['1', '2', '3', '4', '6']);
    expect(await t.broken()).toEqual([]);
  });

  test('takes what becomes ready into the same list, so that no resume loses it', async () => {
    const { queue, old, list, t } = await parked();
    await (await job(queue, '5')).promote();
    await queue.add('more', {});
    await (await job(queue, '2')).changePriority({ priority: 3 });
    expect(await list('paused')).toEqual(['6', '5', '4', '3', '1']);
    expect(await list('wait')).toEqual([]);
    await old.resume();
    expect(await queue.getJobCounts()).toMatchObject({ waiting: 5, prioritized: 1 });
    expect(await t.broken()).toEqual([]);
  });

  test.each([
    ['remove', (queue: Queue) => queue.remove('2'), 3],
    ['clean', (queue: Queue) => queue.clean(0, 3, 'wait'), 1],
    ['drain', (queue: Queue) => queue.drain(), 0],
  ])('%s reaches the parked jobs', async (_name, operation, left) => {
    const { queue, t } = await parked();
    await operation(queue);
    expect(await queue.getWaitingCount()).toBe(left);
    expect(await t.broken()).toEqual([]);
  });

  test('obliterate takes all of it', async () => {
    const { queue, t } = await parked();
    await queue.obliterate();
    expect(await t.redis.keys(`${t.prefixes[0]}:*`)).toEqual([]);
  });
});
