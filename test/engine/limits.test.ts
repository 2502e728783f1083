import { Worker } from '@drover/core';
import { Gate, ownRuntime, type Rig, rig } from '../support/engine.js';
import { until } from '../support/until.js';

const jobs = (count: number) => Array.from({ length: count }, (_, n) => ({ name: 'a', data: { n } }));

interface Entry {
  readonly at: number;
  readonly event: string;
}

/** The event stream with the times at which Redis took each entry: the same clock that ends its rate windows. */
async function eventsOf({ redis, prefix }: Rig): Promise<Entry[]> {
  const entries = await redis.xrange(`${prefix}:mail:events`, '-', '+');
  return entries.map(([id, fields]) => ({ at: Number(id.split('-')[0]), event: fields[1] as string }));
}

/** Starts per rate window: a window begins with its first start and takes `durationMs`. */
function startsPerWindow(entries: readonly Entry[], durationMs: number): number[] {
  const windows: number[] = [];
  let endsAt = Number.NEGATIVE_INFINITY;
  for (const { at, event } of entries) {
    if (event !== 'active') continue;
    if (at >= endsAt) {
      windows.push(0);
      endsAt = at + durationMs;
    }
    windows[windows.length - 1] = (windows.at(-1) as number) + 1;
  }
  return windows;
}

function mostActive(entries: readonly Entry[]): number {
  let active = 0;
  let most = 0;
  for (const { event } of entries) {
    if (event === 'active') most = Math.max(most, ++active);
    else if (['completed', 'failed', 'stalled'].includes(event)) active--;
  }
  return most;
}

/** As many processes as a cluster has: each has its own connections, its own turns and its own places. */
function processes(one: Rig, count: number, options: Parameters<Rig['worker']>[1] = {}, processor = async (): Promise<number> => 1) {
  return Array.from({ length: count }, () =>
    one.worker(processor, { runtime: ownRuntime({ turnsInFlight: 4 }), concurrency: 50, ...options }),
  );
}

test('a rate limit of the workers is exact, however many want at once', async () => {
  const one = rig('mail', { streams: { events: { maxLen: 100_000 } } });
  const limiter = { max: 7, duration: 250 };
  await one.queue.pause();
  await one.queue.addBulk(jobs(45));
  processes(one, 6, { limiter });
  await one.queue.resume();
  await one.counts({ completed: 45 });
  const windows = startsPerWindow(await eventsOf(one), limiter.duration);
  expect(Math.max(...windows)).toBe(7);
  expect(windows.slice(0, -1)).toEqual(Array(6).fill(7));
  expect(await one.broken()).toEqual([]);
});

test('a rate limit of the queue is exact, and wins over that of the workers', async () => {
  const one = rig('mail', { streams: { events: { maxLen: 100_000 } } });
  await one.queue.setGlobalRateLimit(5, 250);
  await one.queue.addBulk(jobs(32));
  processes(one, 3);
  processes(one, 3, { limiter: { max: 100, duration: 250 } });
  await one.counts({ completed: 32 });
  expect(Math.max(...startsPerWindow(await eventsOf(one), 250))).toBe(5);
  expect(await one.queue.getGlobalRateLimit()).toEqual({ max: 5, duration: 250 });
});

test('jobs that wait for a rate window go on when it ends, although those who saw it end are busy', async () => {
  const one = rig();
  await one.queue.setGlobalRateLimit(2, 400);
  const gate = new Gate();
  const busy = one.worker(gate.processor, { runtime: ownRuntime(), concurrency: 2, drainDelay: 60 });
  await busy.waitUntilReady();
  await one.queue.addBulk(jobs(4));
  await gate.hasStarted(2);
  const idle = new Gate();
  await one.worker(idle.processor, { runtime: ownRuntime(), concurrency: 2, drainDelay: 60 }).waitUntilReady();
  await idle.hasStarted(2); // within the limit of a test, not after the poll of a minute
  gate.openAll();
  idle.openAll();
  await one.counts({ completed: 4 });
});

test('jobs that only have to be failed do not count', async () => {
  const one = rig();
  await one.queue.pause();
  await one.queue.addBulk(jobs(10));
  for (let id = 1; id <= 8; id++) await one.redis.hset(`${one.prefix}:mail:${id}`, 'defa', 'its child failed');
  one.worker(async () => 1, { concurrency: 10, limiter: { max: 2, duration: 600_000 } });
  await one.queue.resume();
  await one.counts({ failed: 8, completed: 2 });
});

test('queue.rateLimit holds limited workers back until it ends, or is lifted', async () => {
  const one = rig();
  const { queue } = one;
  await queue.rateLimit(60_000);
  expect(await queue.getRateLimitTtl(10)).toBeGreaterThan(50_000);
  await queue.addBulk(jobs(3));
  const gate = new Gate();
  const limited = one.worker(gate.processor, { limiter: { max: 10, duration: 100 }, maximumRateLimitDelay: 100, concurrency: 3 });
  await limited.waitUntilReady();
  expect(gate.started).toEqual([]);
  await queue.removeRateLimitKey();
  await gate.hasStarted(3);
  gate.openAll();
  await one.counts({ completed: 3 });
});

test.each([
  { name: 'with a limiter', limiter: { max: 100, duration: 1_000 } },
  { name: 'without one', limiter: undefined },
])('a rate limit error puts its job back, and the worker waits as long as the limit holds: $name', async ({ limiter }) => {
  const one = rig();
  const { queue } = one;
  const starts: number[] = [];
  const worker: Worker = one.worker(
    async () => {
      starts.push(Date.now());
      if (starts.length > 1) return 'ok';
      await worker.rateLimit(400);
      throw Worker.RateLimitError();
    },
    { ...(limiter ? { limiter } : {}), concurrency: 5 },
  );
  const job = await queue.add('a', {});
  await one.counts({ completed: 1 });
  expect(starts).toHaveLength(2);
  expect((starts[1] as number) - (starts[0] as number)).toBeGreaterThanOrEqual(395);
  expect(await queue.getJob(job.id)).toMatchObject({ attemptsMade: 1, attemptsStarted: 2, failedReason: undefined });
  expect(await one.broken()).toEqual([]);
});

test('the global concurrency is exact, however many want at once, and always used', async () => {
  const one = rig('mail', { streams: { events: { maxLen: 100_000 } } });
  await one.queue.setGlobalConcurrency(5);
  await one.queue.addBulk(jobs(400));
  processes(one, 6, {}, async () => {
    await new Promise(setImmediate);
    return 1;
  });
  await one.counts({ completed: 400 });
  expect(mostActive(await eventsOf(one))).toBe(5);
  expect(await one.broken()).toEqual([]);
});

test('a place that frees is used by an idle process, and so is one that a higher global concurrency gives', async () => {
  const one = rig();
  await one.queue.setGlobalConcurrency(1);
  const [first, second] = [new Gate(), new Gate()];
  await one.worker(first.processor, { runtime: ownRuntime(), drainDelay: 60 }).waitUntilReady();
  await one.queue.add('a', {});
  await first.hasStarted(1);
  await one.worker(second.processor, { runtime: ownRuntime(), drainDelay: 60, concurrency: 3 }).waitUntilReady();
  await one.queue.addBulk(jobs(3));
  await one.counts({ active: 1, waiting: 3 });
  await one.queue.setGlobalConcurrency(3);
  await second.hasStarted(2);
  await one.counts({ active: 3, waiting: 1 });
  second.open(second.started[0] as string);
  await until(() => first.started.length + second.started.length === 4, { what: 'the fourth start' });
  first.openAll();
  second.openAll();
  await one.queue.removeGlobalConcurrency();
  await one.counts({ completed: 4 });
});

test('both limits together', async () => {
  const one = rig('mail', { streams: { events: { maxLen: 100_000 } } });
  await one.queue.setGlobalConcurrency(3);
  await one.queue.setGlobalRateLimit(4, 200);
  await one.queue.addBulk(jobs(20));
  processes(one, 4);
  await one.counts({ completed: 20 });
  const events = await eventsOf(one);
  expect(mostActive(events)).toBeLessThanOrEqual(3);
  expect(Math.max(...startsPerWindow(events, 200))).toBeLessThanOrEqual(4);
});
