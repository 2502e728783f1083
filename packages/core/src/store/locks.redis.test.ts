import { ids, NOW, type StoreFixture, storeFixture } from '../../../../test/support/store-fixture.js';
import { newJob } from '../job/index.js';

const RULES = { maxStalledCount: 1, stalledIntervalMs: 30_000, now: NOW };

async function addAndFetch(f: StoreFixture, count: number, token = 'host:held'): Promise<string[]> {
  await f.producer.add({ queue: f.queue, now: NOW, jobs: Array.from({ length: count }, (_, at) => newJob('n', at, {}, {}, NOW)) });
  const fetched = ids(await f.fetch(count, { token }));
  await f.events();
  return fetched;
}

/** The next check, as if the interval had passed. */
async function check(f: StoreFixture, rules = RULES): Promise<readonly string[]> {
  await f.redis('del', f.keys.stalledCheck);
  return (await f.consumer.moveStalled(f.queue, rules)).moved;
}

test('locks are extended by their own token alone, and are no longer suspected', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 3);
  await f.redis('sadd', f.keys.stalled, '1', '2');
  await f.redis('set', `${f.queue.base}2:lock`, 'other');
  await f.redis('del', `${f.queue.base}3:lock`);
  const locks = ['1', '2', '3'].map((jobId) => ({ jobId, token: 'host:held' }));
  expect(await f.consumer.extendLocks(f.queue, locks, 90_000)).toEqual(['2', '3']);
  expect(Number(await f.redis('pttl', `${f.queue.base}1:lock`))).toBeGreaterThan(80_000);
  expect(await f.redis('smembers', f.keys.stalled)).toEqual(['2']);
  expect(await f.consumer.extendLocks(f.queue, [], 1)).toEqual([]);
});

test('more locks than one call takes are extended all the same', async () => {
  const f = await storeFixture();
  const held = [...(await addAndFetch(f, 200)), ...(await addAndFetch(f, 200)), ...(await addAndFetch(f, 200))];
  const locks = [...held.map((jobId) => ({ jobId, token: 'host:held' })), { jobId: 'gone', token: 'x' }];
  expect(await f.consumer.extendLocks(f.queue, locks, 1_000)).toEqual(['gone']);
});

test('the stalled check takes two passes: suspected first, then back to the front of wait', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 2);
  await f.add('plain');
  await f.events();
  await f.redis('del', `${f.queue.base}1:lock`);
  expect(await check(f)).toEqual([]);
  expect(((await f.redis('smembers', f.keys.stalled)) as string[]).sort()).toEqual(['1', '2']);
  const refused = await f.consumer.moveStalled(f.queue, RULES); // somebody has checked within the interval
  expect(refused.moved).toEqual([]);
  expect(refused.nextMs).toBeLessThanOrEqual(RULES.stalledIntervalMs);
  expect(await check(f)).toEqual(['1']);
  expect(await f.list(f.keys.wait)).toEqual(['3', '1']);
  expect(await f.list(f.keys.active)).toEqual(['2']);
  expect(await f.job('1')).toMatchObject({ stc: '1' });
  expect(await f.job('1')).not.toHaveProperty('defa');
  expect(await f.events()).toEqual(['waiting jobId 1 prev active', 'stalled jobId 1']);
  expect(await f.redis('smembers', f.keys.stalled)).toEqual(['2']);
});

test('a job that stalls too often is marked to fail, unless a living scheduler depends on it', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 3);
  await f.redis('hset', `${f.queue.base}2`, 'rjk', 'nightly');
  await f.redis('hset', `${f.queue.base}3`, 'rjk', 'forgotten');
  await f.redis('zadd', f.keys.repeat, 1, 'nightly');
  for (const id of ['1', '2', '3']) await f.redis('del', `${f.queue.base}${id}:lock`);
  await check(f);
  expect([...(await check(f, { ...RULES, maxStalledCount: 0 }))].sort()).toEqual(['1', '2', '3']);
  const marks = await Promise.all(['1', '2', '3'].map(async (id) => (await f.job(id)).defa));
  expect(marks).toEqual(['job stalled more than allowable limit', undefined, 'job stalled more than allowable limit']);
});

test('an active id without a record is dropped, not brought back', async () => {
  const f = await storeFixture();
  await addAndFetch(f, 1);
  await f.redis('del', `${f.queue.base}1`, `${f.queue.base}1:lock`);
  await check(f);
  expect(await check(f)).toEqual([]);
  expect(await f.exists(`${f.queue.base}1`)).toBe(false);
  expect(await f.list(f.keys.active)).toEqual([]);
});

test('the jobs of a dead incarnation, and no others, are back at once by the stalled rule', async () => {
  const f = await storeFixture();
  const dead = await addAndFetch(f, 3, 'dead:1');
  const alive = await addAndFetch(f, 2, 'deadly:1');
  await f.redis('hset', `${f.queue.base}2`, 'stc', 1);
  expect([...(await f.admin.recoverDead(f.queue, 'dead', 1)).ids].sort()).toEqual(dead);
  expect(await f.list(f.keys.active)).toEqual([...alive].reverse());
  expect(ids(await f.fetch(3))).toEqual(['1', '2', '3']);
  expect(await f.job('1')).toMatchObject({ stc: '1' });
  expect(await f.job('2')).toMatchObject({ stc: '2', defa: 'job stalled more than allowable limit' });
  expect(await f.exists(f.keys.marker)).toBe(false);
  const told = await f.events();
  expect(told.slice(0, 6)).toEqual(['3', '2', '1'].flatMap((id) => [`waiting jobId ${id} prev active`, `stalled jobId ${id}`]));
  expect(await f.admin.recoverDead(f.queue, 'dead', 1)).toEqual({ ids: [], poisoned: [] });
});

test('a job in hand at two abnormal ends alone, or at three among others, is marked to fail; planned ends do not count', async () => {
  const f = await storeFixture();
  const end = (how: string, wasAlone: boolean) => ({ how, wasAlone });
  const die = async (jobs: number, abnormal?: ReturnType<typeof end>) => {
    const taken = ids(await f.fetch(jobs, { token: 'dead:1' }));
    expect(await f.admin.heldBy(f.queue, 'dead')).toBe(jobs);
    return { taken, ...(await f.admin.recoverDead(f.queue, 'dead', 10, abnormal)) };
  };
  await f.add('alone');
  expect((await die(1, end('killed by SIGSEGV', true))).poisoned).toEqual([]);
  expect((await die(1)).poisoned).toEqual([]);
  expect((await die(1, end('exited with 7', true))).poisoned).toEqual(['1']);
  expect((await f.job('1')).defa).toBe(
    'the job was in hand at 2 abnormal ends of its process, alone at 2 of them; the last: exited with 7',
  );
  await f.redis('del', f.keys.wait);
  await f.add('one');
  await f.add('two');
  expect((await die(2, end('exited with 1', false))).poisoned).toEqual([]);
  expect((await die(2, end('exited with 2', false))).poisoned).toEqual([]);
  expect([...(await die(2, end('exited with 3', false))).poisoned].sort()).toEqual(['2', '3']);
  expect((await f.job('3')).defa).toBe(
    'the job was in hand at 3 abnormal ends of its process, alone at 0 of them; the last: exited with 3',
  );
  expect(Number(await f.redis('pttl', `${f.queue.base}drover:exits`))).toBe(-2); // nothing left to count
});

test('the counts of ends expire, and are not those of a later job of the same id', async () => {
  const f = await storeFixture();
  const how = { how: 'exited with 1', wasAlone: true };
  await f.add('n');
  await f.fetch(1, { token: 'dead:1' });
  await f.admin.recoverDead(f.queue, 'dead', 10, how);
  expect(Number(await f.redis('pttl', `${f.queue.base}drover:exits`))).toBeGreaterThan(0);
  await f.redis('hset', `${f.queue.base}1`, 'timestamp', 1);
  await f.fetch(1, { token: 'dead:1' });
  expect((await f.admin.recoverDead(f.queue, 'dead', 10, how)).poisoned).toEqual([]);
});

test('a long active list is searched in windows, and every job of the dead is found', async () => {
  const f = await storeFixture();
  const dead: string[] = [];
  for (let round = 0; round < 14; round++) {
    const taken = await addAndFetch(f, 200, round % 2 === 0 ? 'dead:1' : 'alive:1');
    if (round % 2 === 0) dead.push(...taken);
  }
  expect([...(await f.admin.recoverDead(f.queue, 'dead', 1)).ids].sort()).toEqual(dead.sort());
  expect((await f.list(f.keys.active)).length).toBe(1_400);
});

test('pause and resume are told, and resume brings back what a v5 client parked, in order', async () => {
  const f = await storeFixture();
  for (let at = 0; at < 3; at++) await f.add('n');
  await f.events();
  await f.admin.pause(f.queue);
  expect(await f.hash(f.keys.meta)).toMatchObject({ paused: '1' });
  await f.redis('rpush', f.keys.paused, 'x', 'y');
  await f.admin.resume(f.queue);
  expect(await f.list(f.keys.wait)).toEqual(['3', '2', '1', 'x', 'y']);
  expect(await f.exists(f.keys.paused)).toBe(false);
  expect(await f.events()).toEqual(['paused', 'resumed']);
});
