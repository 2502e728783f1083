import { ids, NOW, storeFixture } from '../../../../test/support/store-fixture.js';
import { newJob } from '../job/index.js';

type Fixture = Awaited<ReturnType<typeof storeFixture>>;

/** Adds `count` jobs and fetches them with the token of `held`. */
async function addAndFetch(f: Fixture, count: number, options = {}): Promise<string[]> {
  await f.producer.add({ queue: f.queue, now: NOW, jobs: Array.from({ length: count }, (_, at) => newJob('n', at, options, {}, NOW)) });
  const fetched = ids(await f.fetch(count));
  await f.events();
  return fetched;
}

test('completing and failing in one call: a bad lock in the middle stops only its own job', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 6);
  await f.redis('set', `${f.queue.base}2:lock`, 'somebody-else');
  await f.redis('del', `${f.queue.base}3:lock`);
  await f.redis('lrem', f.keys.active, 1, '4');
  await f.redis('sadd', f.keys.stalled, '1', '5', '6');
  const reply = await f.exchange({
    outcomes: [
      f.complete('1', { count: -1 }, '{"a":1}', NOW + 7),
      f.complete('2'),
      f.complete('3'),
      f.complete('4'),
      f.complete('none'),
      f.fail('5', { count: -1 }, 'it broke', 1),
      f.complete('6', { count: 0 }),
    ],
  });
  expect(reply.codes).toEqual([0, -6, -2, -3, -1, 0, 0]);
  expect(await f.list(f.keys.active)).toEqual(['3', '2']);
  expect(await f.zset(f.keys.completed)).toEqual([['1', NOW + 7]]);
  expect(await f.zset(f.keys.failed)).toEqual([['5', NOW]]);
  expect(await f.job('1')).toMatchObject({ returnvalue: '{"a":1}', finishedOn: String(NOW + 7), atm: '1' });
  expect(await f.job('5')).toMatchObject({ failedReason: 'it broke', stacktrace: '["at boom"]', finishedOn: String(NOW), atm: '1' });
  expect(await f.job('2')).not.toHaveProperty('finishedOn');
  expect(await f.exists(`${f.queue.base}6`)).toBe(false);
  expect(await f.exists(`${f.queue.base}1:lock`)).toBe(false);
  expect(await f.redis('smembers', f.keys.stalled)).toEqual([]);
  expect(await f.events()).toEqual([
    'completed jobId 1 returnvalue {"a":1} prev active',
    'failed jobId 5 failedReason it broke prev active',
    'retries-exhausted jobId 5 attemptsMade 1',
    'completed jobId 6 returnvalue null prev active',
  ]);
});

test('finishing and fetching is one call, and a second outcome of the same job finds its lock gone', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 1);
  await f.add('next');
  const reply = await f.exchange({ want: 1, outcomes: [f.complete('1'), f.complete('1', { count: -1 }, '2', NOW + 1)] });
  expect(reply.codes).toEqual([0, -2]);
  expect(ids(reply)).toEqual(['2']);
});

test('removing at once leaves nothing of the job, logs included', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 1);
  await f.redis('rpush', `${f.queue.base}1:logs`, 'row');
  await f.exchange({ outcomes: [f.complete('1', { count: 0 })] });
  expect(await f.allKeys()).toEqual(['mail:events', 'mail:id', 'mail:meta']);
});

test('retention by count keeps the newest', async () => {
  const f = await storeFixture();
  const all = await addAndFetch(f, 5);
  await f.exchange({ outcomes: all.map((id, at) => f.complete(id, { count: 2 }, 'null', NOW + at)) });
  expect(await f.zset(f.keys.completed)).toEqual([
    ['4', NOW + 3],
    ['5', NOW + 4],
  ]);
  expect(await f.exists(`${f.queue.base}3`)).toBe(false);
  expect((await f.events()).filter((event) => event.startsWith('removed'))).toEqual([]);
});

test('retention by age removes what is too old, at most `limit` a call', async () => {
  const f = await storeFixture();
  const all = await addAndFetch(f, 4);
  await f.exchange({ outcomes: all.slice(0, 3).map((id, at) => f.complete(id, { count: -1 }, 'null', NOW - 60_000 + at)) });
  await f.exchange({ now: NOW, outcomes: [f.complete('4', { count: -1, ageS: 30, limit: 2 })] });
  expect((await f.zset(f.keys.completed)).map(([id]) => id)).toEqual(['3', '4']);
});

test('retention of failed jobs is their own', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 3);
  await f.exchange({ outcomes: [f.fail('1', { count: 1 }), f.complete('2', { count: 1 }), f.fail('3', { count: 1 })] });
  expect((await f.zset(f.keys.failed)).map(([id]) => id)).toEqual(['3']);
  expect((await f.zset(f.keys.completed)).map(([id]) => id)).toEqual(['2']);
});

test('another attempt at once goes behind the others, or in front with lifo', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 2);
  await f.add('other');
  await f.events();
  const outcome = { kind: 'retry', reason: 'again', stacktrace: '["x"]' } as const;
  await f.exchange({ outcomes: [f.held('1', { ...outcome, lifo: false }), f.held('2', { ...outcome, lifo: true })] });
  expect(await f.list(f.keys.wait)).toEqual(['1', '3', '2']);
  expect(await f.job('1')).toMatchObject({ failedReason: 'again', stacktrace: '["x"]', atm: '1', ats: '1' });
  expect(await f.events()).toEqual(['waiting jobId 1 prev active', 'waiting jobId 2 prev active']);
  expect(await f.zset(f.keys.marker)).toEqual([['0', 0]]);
});

test('a retry of a prioritized job goes back to its class, after due jobs', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 1, { priority: 4 });
  await f.add('due', {}, { delay: 1, priority: 4 });
  await f.exchange({ now: NOW + 5, outcomes: [f.held('1', { kind: 'retry', reason: '', stacktrace: '[]', lifo: false })] });
  expect((await f.zset(f.keys.prioritized)).map(([id]) => id)).toEqual(['2', '1']);
});

test('back-off counts an attempt, a delay by hand does not; both are told with their due time', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 2);
  await f.exchange({
    outcomes: [
      f.held('1', { kind: 'delay', delayMs: 700, countsAttempt: true, reason: 'later', stacktrace: '["y"]' }, NOW + 1),
      f.held('2', { kind: 'delay', delayMs: 300, countsAttempt: false }),
    ],
  });
  expect(await f.zset(f.keys.delayed)).toEqual([
    ['2', (NOW + 300) * 4096],
    ['1', (NOW + 701) * 4096],
  ]);
  expect(await f.job('1')).toMatchObject({ atm: '1', delay: '700', failedReason: 'later', stacktrace: '["y"]' });
  const second = await f.job('2');
  expect(second).toMatchObject({ delay: '300', ats: '1' });
  expect(second).not.toHaveProperty('atm');
  expect(second).not.toHaveProperty('failedReason');
  expect(await f.events()).toEqual([`delayed jobId 1 delay ${NOW + 701}`, `delayed jobId 2 delay ${NOW + 300}`]);
  expect(await f.zset(f.keys.marker)).toEqual([['1', NOW + 300]]);
});

test('a job put back goes to the front of its class, attempts untouched', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 1);
  await addAndFetch(f, 1, { priority: 3 });
  await f.add('plain');
  await f.add('same', {}, { priority: 3 });
  await f.events();
  expect((await f.exchange({ outcomes: [f.held('1', { kind: 'wait' }), f.held('2', { kind: 'wait' })] })).codes).toEqual([0, 0]);
  expect(await f.list(f.keys.wait)).toEqual(['3', '1']);
  expect((await f.zset(f.keys.prioritized))[0]).toEqual(['2', 3 * 2 ** 32]);
  expect(await f.job('1')).not.toHaveProperty('atm');
  expect(await f.exists(`${f.queue.base}1:lock`)).toBe(false);
  expect(await f.events()).toEqual(['waiting jobId 1 prev active', 'waiting jobId 2 prev active']);
});

test('drained is told once, when the last job has left and nothing comes back', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 2);
  await f.exchange({ want: 1, outcomes: [f.complete('1')] });
  expect((await f.events()).at(-1)).toContain('completed');
  await f.exchange({ want: 1, outcomes: [f.complete('2')] });
  expect((await f.events()).at(-1)).toBe('drained');
  await f.exchange({ want: 1 });
  expect(await f.events()).toEqual([]);
});

test('drained is not told while a delayed job will come back to the caller that asks for one', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 2);
  await f.add('later', {}, { delay: 60_000 });
  await f.events();
  await f.exchange({ want: 1, outcomes: [f.complete('1'), f.complete('2')] });
  expect(await f.events()).not.toContain('drained');
});

test('a second try of an outcome that the first had stored is told as done and does nothing', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 3);
  const outcomes = [f.complete('1', { count: -1 }, '5', NOW + 9), f.fail('2'), f.complete('3', { count: 0 })];
  expect((await f.exchange({ outcomes })).codes).toEqual([0, 0, 0]);
  await f.events();
  const before = [await f.job('1'), await f.job('2')];
  expect((await f.exchange({ outcomes })).codes).toEqual([0, 0, -1]);
  expect([await f.job('1'), await f.job('2')]).toEqual(before);
  expect(await f.events()).toEqual([]);
  expect((await f.exchange({ outcomes: [f.complete('1', { count: -1 }, '5', NOW + 10)] })).codes).toEqual([-2]);
});

test('metrics count the jobs of a call and close the minutes that have passed', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 5);
  const profile = { lockMs: 1_000, maxMetricsSize: 10 };
  const key = `${f.queue.base}metrics:completed`;
  await f.exchange({ profile, outcomes: [f.complete('1'), f.complete('2'), f.fail('3')] });
  expect(await f.hash(key)).toEqual({ count: '2', prevTS: String(NOW), prevCount: '0' });
  expect(await f.hash(`${f.queue.base}metrics:failed`)).toMatchObject({ count: '1' });
  await f.exchange({ profile, now: NOW + 180_000, outcomes: [f.complete('4'), f.complete('5')] });
  expect(await f.list(`${key}:data`)).toEqual(['0', '0', '2']);
  expect(await f.hash(key)).toEqual({ count: '4', prevTS: String(NOW + 180_000), prevCount: '2' });
});

test('a deduplication id is freed by its own job, unless it has a time to live', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 4);
  for (const [id, dedup] of [
    ['1', 'a'],
    ['2', 'b'],
    ['3', 'c'],
  ] as const)
    await f.redis('hset', f.queue.base + id, 'deid', dedup);
  await f.redis('set', `${f.queue.base}de:a`, '1');
  await f.redis('set', `${f.queue.base}de:b`, '2', 'PX', 60_000);
  await f.redis('set', `${f.queue.base}de:c`, '4');
  await f.exchange({ outcomes: [f.complete('1'), f.fail('2'), f.complete('3')] });
  expect(await f.exists(`${f.queue.base}de:a`)).toBe(false);
  expect(await f.redis('get', `${f.queue.base}de:b`)).toBe('2');
  expect(await f.redis('get', `${f.queue.base}de:c`)).toBe('4');
});

test('the job kept back while its deduplication id was active is added when that one finishes', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 1);
  await f.redis('hset', `${f.queue.base}1`, 'deid', 'a');
  await f.redis('set', `${f.queue.base}de:a`, '1');
  await f.redis('hset', `${f.queue.base}dn:a`, 'name', 'last', 'data', '{"v":2}', 'opts', '{"attempts":0,"priority":2,"de":{"id":"a"}}');
  const reply = await f.exchange({ want: 1, now: NOW + 3, outcomes: [f.complete('1', { count: 0 }, 'null', NOW + 2)] });
  expect(reply.jobs[0]?.record).toMatchObject({
    id: '2',
    name: 'last',
    data: { v: 2 },
    priority: 2,
    timestamp: NOW + 2,
    deduplicationId: 'a',
  });
  expect(await f.redis('get', `${f.queue.base}de:a`)).toBe('2');
  expect(await f.exists(`${f.queue.base}dn:a`)).toBe(false);
  expect(await f.events()).toEqual([
    'added jobId 2 name last',
    'waiting jobId 2',
    'completed jobId 1 returnvalue null prev active',
    'active jobId 2 prev waiting',
  ]);
});

test.each([
  { name: 'deep in a long list', pick: (all: string[]) => all.slice(1_000, 1_030) },
  { name: 'at the oldest end of a long list', pick: (all: string[]) => all.slice(0, 30) },
  { name: 'at the newest end of a long list', pick: (all: string[]) => all.slice(-30) },
])('outcomes $name leave active in order, each with its status', async ({ pick }) => {
  const f = await storeFixture();
  const all: string[] = [];
  for (let round = 0; round < 12; round++) all.push(...(await addAndFetch(f, 200)));
  const picked = pick(all);
  const missing = all[500] as string;
  await f.redis('lrem', f.keys.active, 0, missing);
  const rest = (await f.list(f.keys.active)).filter((id) => !picked.includes(id));
  const reply = await f.exchange({ outcomes: [...picked.map((id) => f.complete(id)), f.complete(missing)] });
  expect(reply.codes).toEqual([...picked.map(() => 0), -3]);
  expect(await f.list(f.keys.active)).toEqual(rest);
});
