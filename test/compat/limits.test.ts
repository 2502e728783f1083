import { Gate, ownRuntime, rig } from '../support/engine.js';
import { peers } from '../support/peers.js';
import { until } from '../support/until.js';

const jobs = (count: number) => Array.from({ length: count }, (_, n) => ({ name: 'a', data: { n } }));

describe.each(peers)('BullMQ $version and Drover on one queue', (peer) => {
  test('never start more jobs at once than the global concurrency, nor more per window than the rate limit', async () => {
    const { queue, prefix, url, worker, counts, redis, broken } = rig('mail', { streams: { events: { maxLen: 100_000 } } });
    await queue.setGlobalConcurrency(4);
    await queue.setGlobalRateLimit(10, 200);
    await queue.pause();
    await queue.addBulk(jobs(60));
    for (let n = 0; n < 3; n++) worker(async () => 1, { runtime: ownRuntime(), concurrency: 20 });
    for (let n = 0; n < 2; n++) await peer.worker('mail', async () => 1, { prefix, url }, { concurrency: 20 });
    await queue.resume();
    await counts({ completed: 60 });
    let [active, most, endsAt, inWindow, mostInWindow] = [0, 0, 0, 0, 0];
    for (const [id, fields] of await redis.xrange(`${prefix}:mail:events`, '-', '+')) {
      const at = Number(id.split('-')[0]);
      if (fields[1] === 'completed') active--;
      if (fields[1] !== 'active') continue;
      most = Math.max(most, ++active);
      if (at >= endsAt) [endsAt, inWindow] = [at + 200, 0];
      mostInWindow = Math.max(mostInWindow, ++inWindow);
    }
    expect(most).toBeLessThanOrEqual(4);
    expect(mostInWindow).toBeLessThanOrEqual(10);
    expect(await broken()).toEqual([]);
  });

  test('a job taken by hand here is finished for a listener there, and one that they limit waits here', async () => {
    const { prefix, url, worker, counts, broken } = rig();
    const events = await peer.events('mail', { prefix, url });
    const seen: unknown[] = [];
    events.on('completed', (entry) => seen.push(entry));
    const theirs = peer.queue('mail', { prefix, url });
    const manual = worker(null as never);
    await theirs.add('a', { n: 1 });
    const job = await manual.getNextJob('by-hand');
    expect(job?.data).toEqual({ n: 1 });
    await job?.moveToCompleted({ by: 'hand' }, 'by-hand');
    await until(() => seen.length === 1, { what: 'the event' });
    expect(seen[0]).toMatchObject({ jobId: '1', returnvalue: { by: 'hand' } });
    const gate = new Gate();
    const limitedAt = Date.now();
    await theirs.rateLimit(300);
    await theirs.add('b', {});
    worker(gate.processor, { limiter: { max: 5, duration: 1_000 } });
    await gate.hasStarted(1);
    expect(Date.now() - limitedAt).toBeGreaterThanOrEqual(300);
    gate.openAll();
    await counts({ completed: 2 });
    expect(await broken()).toEqual([]);
  });
});
