import { collect, Gate, rig } from '../support/engine.js';
import { type PeerEvents, peers } from '../support/peers.js';
import { until } from '../support/until.js';

const jobs = (count: number) => Array.from({ length: count }, (_, n) => ({ name: 'a', data: { n } }));

/** Every completed and failed entry that a listener of the stream gets, as texts. */
function finishes(events: PeerEvents): string[] {
  const seen: string[] = [];
  events.on(
    'completed',
    (({ jobId, returnvalue }: { jobId: string; returnvalue: unknown }) =>
      void seen.push(`${jobId} completed ${JSON.stringify(returnvalue)}`)) as never,
  );
  events.on(
    'failed',
    (({ jobId, failedReason }: { jobId: string; failedReason: string }) => void seen.push(`${jobId} failed ${failedReason}`)) as never,
  );
  return seen;
}

describe.each(peers)('BullMQ $version', (peer) => {
  test('adds to a queue that Drover works: results, failures and events arrive', async () => {
    const { queue, prefix, url, worker, counts, broken } = rig();
    const where = { prefix, url };
    const theirs = peer.queue('mail', where);
    const seen = finishes(await peer.events('mail', where));
    worker(async (job) => {
      await job.updateProgress({ at: 1 });
      if (job.name === 'bad') throw new Error('no good');
      return { got: job.data };
    });
    const good = await theirs.add('good', { n: 1 });
    const bad = await theirs.add('bad', { n: 2 }, { attempts: 2, backoff: { type: 'fixed', delay: 50 } });
    await counts({ completed: 1, failed: 1 });
    await until(() => seen.length === 2, { what: 'both events' });
    expect(seen).toEqual([`${good.id} completed {"got":{"n":1}}`, `${bad.id} failed no good`]);
    expect(await theirs.getJob(good.id as string)).toMatchObject({ returnvalue: { got: { n: 1 } }, attemptsMade: 1, progress: { at: 1 } });
    const failed = await theirs.getJob(bad.id as string);
    expect(failed).toMatchObject({ failedReason: 'no good', attemptsMade: 2 });
    expect(failed?.stacktrace).toHaveLength(2);
    expect(await theirs.getJobCounts()).toMatchObject(await queue.getJobCounts());
    expect(await broken()).toEqual([]);
  });

  test('works a queue that Drover adds to: standard, delayed, prioritized, failing', async () => {
    const { queue, redis, prefix, url, counts, broken } = rig();
    const where = { prefix, url };
    const seen = finishes(await peer.events('mail', where));
    await queue.pause();
    const opts = { attempts: 2, backoff: { type: 'exponential', delay: 20 } };
    const added = await queue.addBulk([
      { name: 'plain', data: 1 },
      { name: 'low', data: 2, opts: { priority: 10 } },
      { name: 'high', data: 3, opts: { priority: 1 } },
      { name: 'late', data: 4, opts: { delay: 300 } },
      { name: 'bad', data: 5, opts },
    ]);
    await peer.worker(
      'mail',
      async (job) => {
        if (job.name === 'bad') throw new Error('theirs');
        return job.data;
      },
      where,
    );
    await queue.resume();
    await counts({ completed: 4, failed: 1 });
    await until(() => seen.length === 5, { what: 'all events' });
    expect([...seen].sort()).toEqual(
      added.map(({ id, name, data }) => (name === 'bad' ? `${id} failed theirs` : `${id} completed ${JSON.stringify(data)}`)),
    );
    const taken = (await redis.xrange(`${prefix}:mail:events`, '-', '+')).map(([, fields]) => fields.join(' '));
    const takenAt = (id?: string) => taken.indexOf(`event active jobId ${id} prev waiting`);
    expect(takenAt(added[2]?.id)).toBeGreaterThan(0);
    expect(takenAt(added[2]?.id)).toBeLessThan(takenAt(added[1]?.id)); // the stock worker starts jobs fetched together in any order
    expect(await queue.getJob(added[4]?.id as string)).toMatchObject({ failedReason: 'theirs', attemptsMade: 2 });
    expect((await queue.getJob(added[3]?.id as string))?.processedOn).toBeGreaterThanOrEqual((added[3]?.timestamp as number) + 300);
    expect(await broken()).toEqual([]);
  });

  test('shares a queue with Drover: each job runs once, on one side', async () => {
    const { queue, prefix, url, worker, counts, broken } = rig();
    const where = { prefix, url };
    const theirs = peer.queue('mail', where);
    const ours: string[] = [];
    const others: string[] = [];
    worker(async (job) => void ours.push(job.id), { concurrency: 5 });
    await peer.worker('mail', async (job) => void others.push(job.id as string), where, 5);
    for (let round = 0; round < 10; round++) {
      await Promise.all([queue.addBulk(jobs(50)), theirs.addBulk(jobs(50))]);
    }
    await counts({ completed: 1_000, active: 0, waiting: 0 });
    expect(new Set([...ours, ...others]).size).toBe(1_000);
    expect(ours.length + others.length).toBe(1_000);
    expect(await broken()).toEqual([]);
  });

  test('wakes an idle Drover worker, also with a delayed job, and is woken by Drover', async () => {
    const { queue, prefix, url, worker, counts } = rig();
    const where = { prefix, url };
    const theirs = peer.queue('mail', where);
    const gate = new Gate();
    const one = worker(gate.processor, { concurrency: 9, drainDelay: 60 });
    await one.waitUntilReady();
    await theirs.add('now', {});
    await gate.hasStarted(1);
    await theirs.add('soon', {}, { delay: 200 });
    await gate.hasStarted(2);
    gate.openAll();
    await counts({ completed: 2 });
    await one.close();
    const ran = collect(await peer.worker('mail', async () => 1, where), 'completed');
    await queue.add('now', {});
    await until(() => ran.length === 1, { what: 'their worker to run the job' });
  });

  test('pauses and resumes a queue that Drover works, and Drover theirs', async () => {
    const { queue, prefix, url, worker, counts } = rig();
    const where = { prefix, url };
    const theirs = peer.queue('mail', where);
    const gate = new Gate();
    await worker(gate.processor).waitUntilReady();
    await theirs.pause();
    expect(await queue.isPaused()).toBe(true);
    const job = await theirs.add('a', {});
    expect(gate.started).toEqual([]);
    await theirs.resume();
    await gate.hasStarted(1);
    expect(gate.started).toEqual([job.id]);
    gate.openAll();
    await counts({ completed: 1 });
  });

  test('recovers a job that Drover left, and Drover one of theirs', async () => {
    const { prefix, url, worker, queue, counts, redis } = rig();
    const where = { prefix, url };
    const theirs = peer.queue('mail', where);
    await queue.pause();
    const job = await theirs.add('a', {});
    await redis.lmove(`${prefix}:mail:wait`, `${prefix}:mail:active`, 'RIGHT', 'LEFT').then(async (id) => {
      if (id === null) await redis.lmove(`${prefix}:mail:paused`, `${prefix}:mail:active`, 'RIGHT', 'LEFT');
    });
    await queue.resume();
    worker(async () => 'recovered', { stalledInterval: 50 });
    await counts({ completed: 1 });
    expect(await theirs.getJob(job.id as string)).toMatchObject({ returnvalue: 'recovered' });
  });

  test('lists a Drover process among the workers of a queue', async () => {
    const { prefix, url, worker } = rig();
    const theirs = peer.queue('mail', { prefix, url });
    await worker(async () => 1).waitUntilReady();
    await until(async () => (await theirs.getWorkers()).length === 1, { what: 'one worker to be listed' });
  });
});
