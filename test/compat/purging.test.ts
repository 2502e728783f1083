/** Twin queues: what Drover and BullMQ take out of a queue, how they configure it, and how they list it. */
import type * as v6 from 'bullmq-v6';
import { leftAfterObliterate } from '../support/invariants.js';
import { expectAlike, stocks, type Twins, twins } from '../support/twin.js';

/** Without the state `paused`, which version 5 alone has. */
function lessParked(counts: string | Record<string, number>): unknown {
  if (typeof counts === 'string') return counts.split('\n').filter((line) => !line.includes('state="paused"'));
  return { ...counts, paused: 0 };
}

describe.each(stocks)('as $version', ({ stock, isV5 }) => {
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
      const t = await full(await twins(stock));
      await expectAlike(t, (queue) => queue.clean(100_000, 0, type));
      await expectAlike(t, (queue) => queue.clean(0, 2, type));
      await expectAlike(t, (queue) => queue.clean(0, 0, type));
    });

    test('clean active: what nobody holds', async () => {
      const t = await full(await twins(stock));
      await t.prepare(async ({ queue, prefix, connection }) => {
        const worker = new stock.Worker('mail', null, { connection: { ...connection, maxRetriesPerRequest: null }, prefix });
        for (let n = 0; n < 3; n++) await worker.getNextJob(`token-${n}`);
        await worker.close();
        await t.redis.del(`${queue.toKey('')}8:lock`, `${queue.toKey('')}7:lock`);
      });
      await expectAlike(t, (queue) => queue.clean(0, 0, 'active'), false);
    });

    test.each([false, true])('drain, delayed: %s', async (delayed) => {
      const t = await full(await twins(stock));
      await t.prepare(({ queue }) => queue.upsertJobScheduler('tick', { pattern: '0 0 1 1 *' }, { name: 'tick' }));
      await expectAlike(t, (queue) => queue.drain(delayed));
    });

    test('the next iteration of a scheduler is cleaned and removed by nobody', async () => {
      const t = await full(await twins(stock));
      await t.prepare(({ queue }) => queue.upsertJobScheduler('tick', { pattern: '0 0 1 1 *' }, { name: 'tick' }));
      await expectAlike(t, (queue) => queue.clean(0, 0, 'delayed'));
      const [iteration] = await t.ours.getDelayed();
      expect(await expectAlike(t, (queue) => queue.remove(iteration?.id as string))).toMatchObject({ code: -8 });
    });

    test('obliterate leaves what is documented', async () => {
      const t = await full(await twins(stock));
      await t.prepare(async ({ queue, prefix, connection }) => {
        await queue.upsertJobScheduler('tick', { pattern: '0 0 1 1 *' }, { name: 'tick' });
        const flows = new stock.FlowProducer({ connection, prefix });
        const child = { name: 'child', queueName: 'elsewhere', opts: { jobId: 'child' } };
        await flows.add({ name: 'parent', queueName: 'mail', opts: { jobId: 'parent' }, children: [child] });
        await flows.close();
        await queue.rateLimit(600_000);
      });
      await expectAlike(t, (queue) => queue.obliterate({ count: 3 }));
      for (const prefix of t.prefixes) expect(await leftAfterObliterate(t.redis, 'mail', prefix)).toEqual([]);
      expect(await t.ours.getJobState('parent')).toBe('waiting-children');
      expect(await t.redis.get(t.ours.toKey('limiter'))).not.toBeNull();
    });

    test('obliterate refuses while jobs are active, unless forced', async () => {
      const t = await full(await twins(stock));
      await t.prepare(async ({ queue, prefix, connection }) => {
        const worker = new stock.Worker('mail', null, { connection: { ...connection, maxRetriesPerRequest: null }, prefix });
        await worker.getNextJob('token');
        await worker.close();
        if (isV5) await queue.pause(); // it parks what waits in a list of its own; Drover leaves it in wait
      });
      expect(await expectAlike(t, (queue) => queue.obliterate(), false)).toMatchObject({
        threw: 'Cannot obliterate queue with active jobs',
      });
      expect(await t.ours.isPaused()).toBe(true);
      await expectAlike(t, (queue) => queue.obliterate({ force: true }));
      expect(await t.redis.keys(`${t.prefixes[0]}:*`)).toEqual([]);
      expect(await leftAfterObliterate(t.redis, 'mail', t.prefixes[0])).toEqual([]);
    });

    test('removeOrphanedJobs', async () => {
      const t = await full(await twins(stock));
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
      const t = await full(await twins(stock));
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
        lessParked(await queue.exportPrometheusMetrics({ env: 'a"b' })),
        await queue.getCountsPerPriority([0, 1, 2, 9]),
        await queue.getDelayedCount(),
        isV5 ? 0 : await queue.getDelayedCount(Date.now()), // version 5 counts all of them
        await queue.count(),
        lessParked(await queue.getJobCounts()),
        await queue.getJobCounts('wait', 'completed'),
        await queue.getJobCountByTypes('wait', 'completed'),
        await queue.getJobState('nobody'),
        queue.qualifiedName,
        queue.toKey('x'),
      ]);
    });

    test('lists come in the same order, with the same content', async () => {
      const t = await full(await twins(stock));
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
});
