import { ids, NOW, storeFixture } from '../../../../test/support/store-fixture.js';
import type { JobsOptions } from '../job/index.js';

type Fixture = Awaited<ReturnType<typeof storeFixture>>;

/** A parent in another queue that waits for children in this one; the children are fetched. */
async function family(f: Fixture, children: JobsOptions[], parentOptions: JobsOptions = {}) {
  const home = await storeFixture('parents', f.prefix);
  await home.add('parent', {}, { jobId: 'p', ...parentOptions });
  await home.redis('del', home.keys.wait, home.keys.prioritized, home.keys.delayed, home.keys.marker);
  await home.redis('zadd', home.keys.waitingChildren, NOW, 'p');
  await home.events();
  const parent = { id: 'p', queue: home.queue.qualified };
  for (const options of children) await f.add('child', {}, { ...options, parent });
  await f.fetch(children.length);
  await f.events();
  const key = (suffix: string) => `${home.queue.base}p:${suffix}`;
  return {
    home,
    processed: () => home.hash(key('processed')),
    tolerated: () => home.hash(key('failed')),
    unsuccessful: () => home.zset(key('unsuccessful')),
    pending: async () => ((await home.redis('smembers', key('dependencies'))) as string[]).sort(),
    isWaiting: async () => (await home.zset(home.keys.waitingChildren)).length === 1,
  };
}

test('the last child to complete releases the parent, with the values of all', async () => {
  const f = await storeFixture();
  const p = await family(f, [{}, {}]);
  await f.exchange({ outcomes: [f.complete('1', { count: -1 }, '"a"')] });
  expect(await p.isWaiting()).toBe(true);
  expect(await p.pending()).toEqual([`${f.queue.base}2`]);
  await f.exchange({ outcomes: [f.complete('2', { count: 0 }, '"b"')] });
  expect(await p.processed()).toEqual({ [`${f.queue.base}1`]: '"a"', [`${f.queue.base}2`]: '"b"' });
  expect(await p.isWaiting()).toBe(false);
  expect(await p.home.list(p.home.keys.wait)).toEqual(['p']);
  expect(await p.home.events()).toEqual(['waiting jobId p prev waiting-children']);
  expect(await p.home.zset(p.home.keys.marker)).toEqual([['0', 0]]);
});

test('a released parent goes where its priority or its delay says', async () => {
  const f = await storeFixture();
  const urgent = await family(f, [{}], { priority: 5 });
  await f.exchange({ outcomes: [f.complete('1')] });
  expect((await urgent.home.zset(urgent.home.keys.prioritized)).map(([id]) => id)).toEqual(['p']);

  const g = await storeFixture();
  const late = await family(g, [{}], { delay: 1_000 });
  await g.exchange({ outcomes: [g.complete('1', { count: -1 }, 'null', NOW + 1)] });
  expect(await late.home.zset(late.home.keys.delayed)).toEqual([['p', (NOW + 1_001) * 4096]]);
  expect(await late.home.events()).toEqual([`delayed jobId p delay ${NOW + 1_001}`]);
  expect(await late.home.zset(late.home.keys.marker)).toEqual([['1', NOW + 1_001]]);
});

test('failParentOnFailure: the parent is to fail at its next start, which is now', async () => {
  const f = await storeFixture();
  const p = await family(f, [{ failParentOnFailure: true }, {}]);
  await f.exchange({ outcomes: [f.fail('1')] });
  expect(await p.unsuccessful()).toEqual([[`${f.queue.base}1`, NOW]]);
  expect(await p.home.job('p')).toMatchObject({ defa: `child ${f.queue.base}1 failed` });
  expect(await p.home.list(p.home.keys.wait)).toEqual(['p']);
  expect(await p.pending()).toEqual([`${f.queue.base}2`]);
  expect(await p.home.events()).toEqual(['waiting jobId p prev waiting-children']);
});

test('failParentOnFailure: a delayed parent starts at once, an active one is refused completion', async () => {
  const f = await storeFixture();
  const p = await family(f, [{ failParentOnFailure: true }]);
  await p.home.redis('zrem', p.home.keys.waitingChildren, 'p');
  await p.home.redis('zadd', p.home.keys.delayed, NOW, 'p');
  await p.home.redis('hset', `${p.home.queue.base}p`, 'delay', 99);
  await f.exchange({ outcomes: [f.fail('1')] });
  expect(await p.home.list(p.home.keys.wait)).toEqual(['p']);
  expect(await p.home.job('p')).toMatchObject({ delay: '0' });
  expect(ids(await p.home.fetch(1))).toEqual(['p']);
  expect((await p.home.exchange({ outcomes: [p.home.complete('p')] })).codes).toEqual([-9]);
  expect((await p.home.exchange({ outcomes: [p.home.fail('p')] })).codes).toEqual([0]);
  expect(await p.home.job('p')).not.toHaveProperty('defa');
});

test('continueParentOnFailure: the parent goes on although a sibling is pending', async () => {
  const f = await storeFixture();
  const p = await family(f, [{ continueParentOnFailure: true }, {}]);
  await f.exchange({ outcomes: [f.fail('1', { count: -1 }, 'no luck')] });
  expect(await p.tolerated()).toEqual({ [`${f.queue.base}1`]: 'no luck' });
  expect(await p.home.list(p.home.keys.wait)).toEqual(['p']);
  expect(ids(await p.home.fetch(1))).toEqual(['p']);
  expect((await p.home.exchange({ outcomes: [p.home.complete('p')] })).codes).toEqual([-4]);
});

test('ignoreDependencyOnFailure: the parent waits for the siblings and knows of the failure', async () => {
  const f = await storeFixture();
  const p = await family(f, [{ ignoreDependencyOnFailure: true }, {}]);
  await f.exchange({ outcomes: [f.fail('1', { count: -1 }, 'no luck')] });
  expect(await p.tolerated()).toEqual({ [`${f.queue.base}1`]: 'no luck' });
  expect(await p.isWaiting()).toBe(true);
  await f.exchange({ outcomes: [f.complete('2')] });
  expect(await p.home.list(p.home.keys.wait)).toEqual(['p']);
});

test('removeDependencyOnFailure: the parent goes on and knows nothing of the child', async () => {
  const f = await storeFixture();
  const p = await family(f, [{ removeDependencyOnFailure: true }]);
  await f.exchange({ outcomes: [f.fail('1')] });
  expect(await p.tolerated()).toEqual({});
  expect(await p.home.list(p.home.keys.wait)).toEqual(['p']);
});

test('without a policy the parent waits for the failed child, unless the child is erased', async () => {
  const f = await storeFixture();
  const p = await family(f, [{}, {}]);
  await f.exchange({ outcomes: [f.fail('1')] });
  expect(await p.pending()).toEqual([`${f.queue.base}1`, `${f.queue.base}2`]);
  await f.exchange({ outcomes: [f.fail('2', { count: 0 })] });
  expect(await p.pending()).toEqual([`${f.queue.base}1`]);
  expect(await p.isWaiting()).toBe(true);
});

test('a child evicted by retention no longer holds its parent', async () => {
  const f = await storeFixture();
  const p = await family(f, [{}]);
  await f.exchange({ outcomes: [f.fail('1', { count: 1 })] });
  expect(await p.isWaiting()).toBe(true);
  await f.add('other');
  await f.fetch(1);
  await f.exchange({ outcomes: [f.fail('2', { count: 1 })] });
  expect(await p.isWaiting()).toBe(false);
  expect(await p.home.list(p.home.keys.wait)).toEqual(['p']);
});

test('an outcome sees what the outcomes before it in the same call have done: child first, then its parent', async () => {
  const f = await storeFixture();
  await f.add('parent', {}, { jobId: 'p' });
  await f.add('child', {}, { jobId: 'c', parent: { id: 'p', queue: f.queue.qualified } });
  await f.fetch(2);
  expect((await f.exchange({ outcomes: [f.complete('p'), f.complete('c'), f.complete('p')] })).codes).toEqual([-4, 0, 0]);
});

test('waiting for children: with some the job leaves active, without any nothing changes', async () => {
  const f = await storeFixture();
  await f.add('parent', {}, { jobId: 'p' });
  await f.add('alone', {}, { jobId: 'q' });
  await f.fetch(2);
  await f.add('child', {}, { jobId: 'c', parent: { id: 'p', queue: f.queue.qualified } });
  await f.events();
  const reply = await f.exchange({ outcomes: [f.held('p', { kind: 'wait-children' }), f.held('q', { kind: 'wait-children' })] });
  expect(reply.codes).toEqual([0, 1]);
  expect(await f.zset(f.keys.waitingChildren)).toEqual([['p', NOW]]);
  expect(await f.list(f.keys.active)).toEqual(['q']);
  expect(await f.exists(`${f.queue.base}q:lock`)).toBe(true);
  expect(await f.events()).toEqual(['waiting-children jobId p prev active']);
  await f.redis('zadd', `${f.queue.base}q:unsuccessful`, 1, 'x');
  expect((await f.exchange({ outcomes: [f.held('q', { kind: 'wait-children' })] })).codes).toEqual([-9]);
});

test('a parent whose record names it by key alone is found', async () => {
  const f = await storeFixture();
  const p = await family(f, [{}]);
  await f.redis('hdel', `${f.queue.base}1`, 'parent');
  await f.exchange({ outcomes: [f.complete('1')] });
  expect(await p.home.list(p.home.keys.wait)).toEqual(['p']);
});
