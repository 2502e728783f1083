import { Gate, ownRuntime, rig } from '../support/engine.js';
import { peers } from '../support/peers.js';
import { type Either, expectSameInAllRoles, peerSides } from '../support/roles.js';
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

/** What the stream tells of starts: the most at once, and the most in a window that begins with a start. */
async function starts(redis: Either, key: string, windowMs: number) {
  let [active, most, endsAt, inWindow, mostInWindow] = [0, 0, 0, 0, 0];
  for (const [id, fields] of await redis.xrange(key, '-', '+')) {
    const at = Number(id.split('-')[0]);
    if (fields[1] === 'completed') active--;
    if (fields[1] !== 'active') continue;
    most = Math.max(most, ++active);
    if (at >= endsAt) [endsAt, inWindow] = [at + windowMs, 0];
    mostInWindow = Math.max(mostInWindow, ++inWindow);
  }
  return { most, mostInWindow };
}

describe.each(peerSides)('$name and Drover in turns', (peer) => {
  test('the limiter of a worker', async () => {
    await expectSameInAllRoles(peer, async ({ queue, work, redis, key }) => {
      await queue.addBulk(jobs(7));
      await work({ completed: 7 }, async () => 1, { limiter: { max: 3, duration: 120 }, concurrency: 5 });
      return (await starts(redis, key('events'), 115)).mostInWindow <= 3;
    });
  });

  test('the global rate limit that the other side has set', async () => {
    await expectSameInAllRoles(peer, async ({ queue, workers, work, redis, key }) => {
      await queue.setGlobalRateLimit(2, 100);
      await queue.addBulk(jobs(5));
      await work({ completed: 5 }, async () => 1, { concurrency: 5 });
      const told = [await workers.getGlobalRateLimit(), (await starts(redis, key('events'), 95)).mostInWindow <= 2];
      await queue.removeGlobalRateLimit();
      return [told, await workers.getGlobalRateLimit()];
    });
  });

  test('the global concurrency that the other side has set', async () => {
    await expectSameInAllRoles(peer, async ({ queue, workers, worker, work, counts, redis, key }) => {
      await queue.setGlobalConcurrency(2);
      await queue.addBulk(jobs(6));
      const told: unknown[] = [await workers.getGlobalConcurrency(), await workers.isMaxed()];
      const second = await worker(async () => 1, { concurrency: 5 });
      await work({ completed: 6 }, async () => 1, { concurrency: 5 });
      await second.close();
      await queue.removeGlobalConcurrency();
      await counts({ completed: 6 });
      return [...told, (await starts(redis, key('events'), 1)).most <= 2, await workers.getGlobalConcurrency()];
    });
  });

  test('rateLimit(ms): nothing starts until it is over, or until it is lifted', async () => {
    await expectSameInAllRoles(peer, async ({ queue, workers, worker, counts }) => {
      const ran: number[] = [];
      await queue.rateLimit(150);
      const endsAt = Date.now() + (await workers.getRateLimitTtl());
      await queue.add('a', {});
      const one = await worker(async () => void ran.push(Date.now()), { limiter: { max: 5, duration: 1_000 } });
      await counts({ completed: 1 });
      await one.close();
      await queue.rateLimit(600_000);
      const isLimited = (await workers.getRateLimitTtl()) > 500_000;
      await queue.removeRateLimitKey();
      await queue.add('b', {});
      const other = await worker(async () => 1, { limiter: { max: 5, duration: 1_000 } });
      await counts({ completed: 2 });
      await other.close();
      return { isLate: (ran[0] as number) >= endsAt - 5, isLimited };
    });
  });

  test('RateLimitError: the job goes back, no attempt is counted, and it runs when the time is over', async () => {
    await expectSameInAllRoles(peer, async ({ queue, worker, counts, working }) => {
      const one = await worker(
        async (job) => {
          if (job.attemptsStarted > 1) return 'second start';
          await one.rateLimit(60);
          throw working.library.Worker.RateLimitError();
        },
        { limiter: { max: 50, duration: 1_000 } },
      );
      await queue.addBulk([
        { name: 'a', data: {} },
        { name: 'b', data: {}, opts: { priority: 3 } },
      ]);
      await counts({ completed: 2 });
      await one.close();
      return [(await queue.getJob('1')).toJSON(), (await queue.getJob('2')).toJSON()];
    });
  });
});
