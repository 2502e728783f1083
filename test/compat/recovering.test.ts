/** A worker of one library dies with jobs in hand; a worker of the other finds them, as its own kind would. */
import { fileURLToPath } from 'node:url';
import { brokenInvariants } from '../support/invariants.js';
import { startNode } from '../support/process-harness.js';
import { testRedisUrl } from '../support/redis.js';
import { droverSide, type Either, expectSameInAllRoles, openStage, peerSides, type Stage } from '../support/roles.js';
import { until } from '../support/until.js';

const ENDLESS = fileURLToPath(new URL('./fixtures/endless-worker.mjs', import.meta.url));
const HOLDER = { lockDuration: 40, skipStalledCheck: true, autorun: false };
const FINDER = { stalledInterval: 40 };

/** Takes so many jobs and never comes back: nobody renews what it holds. */
async function takeAndDie(stage: Stage, count: number, by = stage.acting): Promise<string[]> {
  const hand = await stage.worker(null, HOLDER, by);
  const taken: string[] = [];
  for (let n = 0; n < count; n++) taken.push((await hand.getNextJob(`token ${n}`, { block: false })).id);
  await hand.close(true);
  return taken;
}

describe.each(peerSides)('$name', (peer) => {
  test('jobs of every kind are given to the next worker, once each', async () => {
    await expectSameInAllRoles(peer, async (stage) => {
      const { queue, worker, counts } = stage;
      await queue.addBulk([
        { name: 'a', data: {} },
        { name: 'b', data: {}, opts: { attempts: 3 } },
        { name: 'c', data: {}, opts: { priority: 4 } },
      ]);
      const taken = await takeAndDie(stage, 3);
      const ran: string[] = [];
      const finder = await worker(async (job) => void ran.push(job.id), FINDER);
      const stalled: string[] = [];
      finder.on('stalled', (id: string) => void stalled.push(id));
      await counts({ completed: 3, active: 0 });
      await finder.close();
      const jobs = await Promise.all(taken.map(async (id) => (await queue.getJob(id)).toJSON()));
      return { taken, ran, stalled: stalled.sort(), jobs };
    });
  });

  test.each([0, 1])('more often than maxStalledCount %i it fails, without a run', async (maxStalledCount) => {
    await expectSameInAllRoles(peer, async (stage) => {
      const { queue, worker, counts, redis, key } = stage;
      await queue.add('a', {}, { attempts: 5 });
      let runs = 0;
      for (let deaths = 0; deaths < maxStalledCount; deaths++) {
        await takeAndDie(stage, 1);
        const watcher = await worker(null, { ...FINDER, maxStalledCount });
        await watcher.startStalledCheckTimer();
        await counts({ waiting: 1, active: 0 });
        await watcher.close();
      }
      await takeAndDie(stage, 1);
      const finder = await worker(async () => void runs++, { ...FINDER, maxStalledCount });
      await counts({ failed: 1, active: 0 });
      await finder.close();
      const job = await queue.getJob('1');
      return { runs, job: job.toJSON(), isDeferred: await redis.hexists(key('1'), 'defa') };
    });
  });

  test('what a living worker holds is not taken from it, however often the other looks', async () => {
    await expectSameInAllRoles(peer, async (stage) => {
      const { queue, worker, counts, redis, key, acting } = stage;
      let release = (): void => undefined;
      const isReleased = new Promise<void>((resolve) => {
        release = resolve;
      });
      await queue.add('a', {});
      let runs = 0;
      const hold = async (): Promise<void> => {
        runs++;
        await isReleased;
      };
      const holder = await worker(hold, { lockDuration: 1_000, lockRenewTime: 200, skipStalledCheck: true }, acting);
      await until(() => runs === 1, { what: 'the run' });
      const watcher = await worker(async () => void runs++, { stalledInterval: 20 });
      const found: string[] = [];
      watcher.on('stalled', (id: string) => void found.push(id));
      const first = await redis.get(key('stalled-check'));
      await until(async () => Number(await redis.get(key('stalled-check'))) > Number(first) + 1_200, {
        what: 'checks beyond the age of a lock',
      });
      release();
      await counts({ completed: 1 });
      await watcher.close();
      await holder.close();
      return { runs, found };
    });
  });

  test.each([
    { dies: peer, module: peer.module, finds: droverSide },
    { dies: droverSide, module: '@drover/core', finds: peer },
  ])('a process of $dies.name is killed with jobs in hand, and a worker of $finds.name runs them', async ({ module, finds, dies }) => {
    const { queue, redis, prefix, worker, counts } = await openStage(dies, finds);
    await queue.addBulk([1, 2, 3].map((n) => ({ name: 'a', data: n })));
    const program = startNode(ENDLESS, [module, testRedisUrl(), prefix]);
    for (const id of [1, 2, 3]) await program.line(`runs ${id}`);
    process.kill(program.pid, 'SIGKILL');
    await program.exited;
    const ran: string[] = [];
    const finder = await worker(async (job) => void ran.push(job.id), FINDER);
    await counts({ completed: 3, active: 0 });
    await finder.close();
    expect(ran.sort()).toEqual(['1', '2', '3']);
    expect(await queue.getJob('1')).toMatchObject({ attemptsMade: 1, attemptsStarted: 2, stalledCounter: 1 });
    expect(await brokenInvariants(redis, 'mail', { prefix, isIdle: true })).toEqual([]);
  });

  test('of two kinds of watchers at one queue, one recovers a job', async () => {
    await expectSameInAllRoles(peer, async (stage) => {
      const { queue, worker, counts, redis, key } = stage;
      await queue.addBulk([1, 2, 3].map((n) => ({ name: 'a', data: n })));
      await takeAndDie(stage, 3);
      const finders = await Promise.all([peer, droverSide].map((by) => worker(async () => 'found', FINDER, by)));
      await counts({ completed: 3 });
      for (const finder of finders) await finder.close();
      const events: Either[] = await redis.xrange(key('events'), '-', '+');
      return events
        .filter(([, fields]) => fields[1] === 'stalled')
        .map(([, fields]) => fields[3])
        .sort();
    });
  });
});
