import { ids, NOW, storeFixture } from '../../../../test/support/store-fixture.js';
import { newJob } from '../job/index.js';

type Fixture = Awaited<ReturnType<typeof storeFixture>>;

async function addMany(f: Fixture, count: number): Promise<void> {
  await f.producer.add({ queue: f.queue, now: NOW, jobs: Array.from({ length: count }, (_, at) => newJob('n', at, {}, {}, NOW)) });
  await f.events();
}

test('one job is locked, counted and told of, and comes decoded', async () => {
  const f = await storeFixture();
  await f.add('welcome', { to: 'a' }, { attempts: 2, removeOnComplete: true });
  await f.events();
  const reply = await f.exchange({ want: 1, token: 'host:7', now: NOW + 5, profile: { lockMs: 5_000, name: 'w1' } });
  expect(reply).toMatchObject({ codes: [], left: 0, limitedForMs: 0, isBlocked: false, nextDueAt: 0 });
  expect(reply.jobs).toEqual([
    {
      token: 'host:7',
      record: expect.objectContaining({
        id: '1',
        name: 'welcome',
        data: { to: 'a' },
        opts: { attempts: 2, removeOnComplete: true },
        timestamp: NOW,
        attemptsMade: 0,
        attemptsStarted: 1,
        processedOn: NOW + 5,
        processedBy: 'w1',
      }),
    },
  ]);
  expect(await f.redis('get', `${f.queue.base}1:lock`)).toBe('host:7');
  expect(Number(await f.redis('pttl', `${f.queue.base}1:lock`))).toBeGreaterThan(4_000);
  expect(await f.job('1')).toMatchObject({ processedOn: String(NOW + 5), pb: 'w1', ats: '1' });
  expect(await f.list(f.keys.active)).toEqual(['1']);
  expect(await f.events()).toEqual(['active jobId 1 prev waiting']);
  expect(await f.exists(f.keys.marker)).toBe(false); // nothing is left: the hint of the add would cost an empty fetch
});

test('many jobs come oldest first, in the same order in active, and the rest wakes somebody else', async () => {
  const f = await storeFixture();
  await addMany(f, 5);
  await f.redis('del', f.keys.marker);
  const reply = await f.fetch(3);
  expect(ids(reply)).toEqual(['1', '2', '3']);
  expect(reply.left).toBe(2);
  expect(await f.list(f.keys.active)).toEqual(['3', '2', '1']);
  expect(await f.zset(f.keys.marker)).toEqual([['0', 0]]);
  expect(ids(await f.fetch(10))).toEqual(['4', '5']);
});

test('prioritized jobs come after those in wait, most urgent first; their counter goes with the last', async () => {
  const f = await storeFixture();
  await f.add('late', {}, { priority: 9 });
  await f.add('soon', {}, { priority: 1 });
  await f.add('plain');
  const reply = await f.fetch(2);
  expect(ids(reply)).toEqual(['3', '2']);
  expect(reply.left).toBe(1);
  expect(await f.exists(f.keys.pc)).toBe(true);
  expect(ids(await f.fetch(2))).toEqual(['1']);
  expect(await f.exists(f.keys.pc)).toBe(false);
});

test('on a short queue a call takes its share, and at least one', async () => {
  const f = await storeFixture();
  await addMany(f, 9);
  expect(ids(await f.fetch(100, { share: 4 }))).toEqual(['1', '2', '3']);
  expect(ids(await f.fetch(100, { share: 4 }))).toEqual(['4', '5']);
  expect(ids(await f.fetch(100, { share: 100 }))).toEqual(['6']);
});

test('a paused queue gives nothing but promotes, without a hint', async () => {
  const f = await storeFixture();
  await f.add('a');
  await f.add('due', {}, { delay: 5 });
  await f.admin.pause(f.queue);
  const reply = await f.fetch(10, { now: NOW + 5 });
  expect(reply).toMatchObject({ jobs: [], left: 2, isBlocked: true, nextDueAt: 0 });
  expect(await f.list(f.keys.wait)).toEqual(['2', '1']);
  expect(await f.exists(f.keys.marker)).toBe(false);
});

test('the global concurrency is never exceeded, and a finish that frees a place wakes somebody', async () => {
  const f = await storeFixture();
  await addMany(f, 6);
  await f.admin.setGlobalConcurrency(f.queue, 4);
  expect(await f.fetch(3)).toMatchObject({ isBlocked: false, left: 3 });
  const second = await f.fetch(3);
  expect(ids(second)).toEqual(['4']);
  expect(second.isBlocked).toBe(true);
  expect(ids(await f.fetch(3))).toEqual([]);
  await f.redis('del', f.keys.marker);
  expect((await f.exchange({ outcomes: [f.complete('1')] })).isBlocked).toBe(false);
  expect(await f.zset(f.keys.marker)).toEqual([['0', 0]]);
  expect(ids(await f.exchange({ want: 3, outcomes: [f.complete('2')] }))).toEqual(['5', '6']);
});

test('a rate limit gives exactly its jobs per window, counted from its first', async () => {
  const f = await storeFixture();
  await addMany(f, 6);
  const profile = { lockMs: 1_000, limiter: { max: 4, durationMs: 60_000 } };
  expect(await f.fetch(3, { profile })).toMatchObject({ limitedForMs: 0 });
  const second = await f.fetch(3, { profile });
  expect(ids(second)).toEqual(['4']);
  expect(second.limitedForMs).toBeGreaterThan(59_000);
  expect(await f.redis('get', f.keys.limiter)).toBe('4');
  const third = await f.fetch(3, { profile });
  expect(third).toMatchObject({ jobs: [], left: 2 });
  expect(third.limitedForMs).toBeGreaterThan(59_000);
  await f.redis('del', f.keys.limiter);
  expect(ids(await f.fetch(3, { profile }))).toEqual(['5', '6']);
});

test("the queue's own limit wins over the worker's, whose duration counts", async () => {
  const f = await storeFixture();
  await addMany(f, 3);
  await f.admin.setGlobalRateLimit(f.queue, { max: 1, durationMs: 5_000 });
  const reply = await f.fetch(3, { profile: { lockMs: 1_000, limiter: { max: 100, durationMs: 60_000 } } });
  expect(ids(reply)).toEqual(['1']);
  expect(reply.limitedForMs).toBeGreaterThan(59_000);
});

test('a limit set by hand holds workers with a limiter only', async () => {
  const f = await storeFixture();
  await addMany(f, 2);
  await f.admin.rateLimit(f.queue, 60_000);
  const limited = await f.fetch(1, { profile: { lockMs: 1_000, limiter: { max: 10, durationMs: 1 } } });
  expect(limited.jobs).toEqual([]);
  expect(limited.limitedForMs).toBeGreaterThan(59_000);
  expect(ids(await f.fetch(1))).toEqual(['1']);
});

test('jobs that only have to be failed do not count against the limit', async () => {
  const f = await storeFixture();
  await addMany(f, 3);
  await f.redis('hset', `${f.queue.base}1`, 'defa', 'child failed');
  const reply = await f.fetch(3, { profile: { lockMs: 1_000, limiter: { max: 1, durationMs: 60_000 } } });
  expect(ids(reply)).toEqual(['1', '2']);
  expect(reply.jobs[0]?.record.deferredFailure).toBe('child failed');
  expect(await f.redis('get', f.keys.limiter)).toBe('1');
});

test('due jobs are promoted in order, told of, and handed out by the same call', async () => {
  const f = await storeFixture();
  await f.add('a', {}, { delay: 20 });
  await f.add('b', {}, { delay: 10 });
  await f.add('c', {}, { delay: 15, priority: 1 });
  await f.add('d', {}, { delay: 5_000 });
  await f.events();
  const reply = await f.fetch(2, { now: NOW + 20 });
  expect(ids(reply)).toEqual(['2', '1']);
  expect(reply).toMatchObject({ left: 1, nextDueAt: NOW + 5_000 });
  expect(await f.job('1')).toMatchObject({ delay: '0' });
  expect(await f.events()).toEqual([
    'waiting jobId 2 prev delayed',
    'waiting jobId 3 prev delayed',
    'waiting jobId 1 prev delayed',
    'active jobId 2 prev waiting',
    'active jobId 1 prev waiting',
  ]);
});

test('a caller that is full leaves the time of the next job for somebody idle', async () => {
  const f = await storeFixture();
  await f.add('later', {}, { delay: 5_000 });
  await f.add('now');
  await f.redis('del', f.keys.marker);
  await f.fetch(1);
  expect(await f.zset(f.keys.marker)).toEqual([['1', NOW + 5_000]]);
});

test('ids without a record and leftovers of v4 are dropped, and others come instead', async () => {
  const f = await storeFixture();
  await addMany(f, 2);
  await f.redis('hset', `${f.queue.base}0:1`, 'name', 'a marker of v4 with a record after all');
  await f.redis('rpush', f.keys.wait, 'ghost', '0:1');
  const reply = await f.fetch(2);
  expect(ids(reply)).toEqual(['1', '2']);
  expect(reply.left).toBe(0);
  expect(await f.list(f.keys.active)).toEqual(['2', '1']);
  expect(await f.exists(`${f.queue.base}ghost`)).toBe(false);
});

test('a job that was deleted while it was delayed is not brought back by its promotion', async () => {
  const f = await storeFixture();
  await f.add('a', {}, { delay: 5 });
  await f.redis('del', `${f.queue.base}1`);
  expect(await f.fetch(1, { now: NOW + 10 })).toMatchObject({ jobs: [], left: 0, nextDueAt: 0 });
  expect(await f.exists(`${f.queue.base}1`)).toBe(false);
});

test('jobs that a v5 client left parked in a queue that is not paused are found once wait is empty', async () => {
  const f = await storeFixture();
  await addMany(f, 2);
  await f.redis('rename', f.keys.wait, f.keys.paused);
  await f.add('new');
  const reply = await f.fetch(2);
  expect(ids(reply)).toEqual(['3', '1']);
  expect(reply.left).toBe(1);
  expect(ids(await f.fetch(2))).toEqual(['2']);
  expect(await f.exists(f.keys.paused)).toBe(false);
});

test('a record that cannot be decoded stops nobody else', async () => {
  const f = await storeFixture();
  await addMany(f, 3);
  await f.redis('hset', `${f.queue.base}2`, 'data', '{not json');
  const reply = await f.fetch(3);
  expect(ids(reply)).toEqual(['1', '2', '3']);
  expect(reply.jobs.map(({ undecodable }) => undecodable === undefined)).toEqual([true, false, true]);
  expect(reply.jobs[1]?.undecodable).toContain('job 2 cannot be decoded: data:');
});
