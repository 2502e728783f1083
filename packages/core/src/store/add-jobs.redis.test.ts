import { freshPrefix } from '../../../../test/support/redis.js';
import { NOW, storeFixture } from '../../../../test/support/store-fixture.js';
import { newJob } from '../job/index.js';

const score = (due: number) => due * 4096;

test('a standard job has exactly the documented fields, keys and events', async () => {
  const f = await storeFixture();
  expect(await f.add('welcome', { to: 'a/b' }, { attempts: 3, backoff: 500 })).toBe('1');
  expect(await f.job('1')).toEqual({
    name: 'welcome',
    data: '{"to":"a/b"}',
    opts: '{"attempts":3,"backoff":{"type":"fixed","delay":500}}',
    timestamp: String(NOW),
    delay: '0',
    priority: '0',
  });
  expect(await f.allKeys()).toEqual(['mail:1', 'mail:events', 'mail:id', 'mail:marker', 'mail:meta', 'mail:wait']);
  expect(await f.events()).toEqual(['added jobId 1 name welcome', 'waiting jobId 1']);
  expect(await f.zset(f.keys.marker)).toEqual([['0', 0]]);
  expect(await f.hash(f.keys.meta)).toEqual({ 'opts.maxLenEvents': '10000' });
});

test('jobs of one call keep their order: new ones on the left, lifo ones on the right', async () => {
  const f = await storeFixture();
  const jobs = [
    newJob('a', 1, {}, {}, NOW),
    newJob('b', 2, { lifo: true }, {}, NOW),
    newJob('c', 3, {}, {}, NOW),
    newJob('d', 4, { lifo: true }, {}, NOW),
  ];
  expect(await f.producer.add({ queue: f.queue, jobs, now: NOW })).toEqual(['1', '2', '3', '4']);
  expect(await f.list(f.keys.wait)).toEqual(['3', '1', '2', '4']);
  expect(await f.zset(f.keys.marker)).toEqual([
    ['0', 0],
    ['ready:2', 0],
    ['ready:3', 0],
    ['ready:4', 0],
  ]);
});

test('a delayed job stands at its due time, and jobs of one millisecond keep their order', async () => {
  const f = await storeFixture();
  await f.add('a', {}, { delay: 1_000 });
  await f.add('b', {}, { delay: 1_000, priority: 3 });
  await f.add('c', {}, { delay: 10 });
  expect(await f.zset(f.keys.delayed)).toEqual([
    ['3', score(NOW + 10)],
    ['1', score(NOW + 1_000)],
    ['2', score(NOW + 1_000) + 1],
  ]);
  expect(await f.events()).toEqual([
    'added jobId 1 name a',
    `delayed jobId 1 delay ${NOW + 1_000}`,
    'added jobId 2 name b',
    `delayed jobId 2 delay ${NOW + 1_000}`,
    'added jobId 3 name c',
    `delayed jobId 3 delay ${NOW + 10}`,
  ]);
  expect(await f.zset(f.keys.marker)).toEqual([['1', NOW + 10]]);
  expect(await f.job('2')).toMatchObject({ delay: '1000', priority: '3' });
});

test('prioritized jobs stand by priority and then in the order they came', async () => {
  const f = await storeFixture();
  await f.add('a', {}, { priority: 2 });
  await f.add('b', {}, { priority: 1 });
  await f.add('c', {}, { priority: 2 });
  expect(await f.zset(f.keys.prioritized)).toEqual([
    ['2', 2 ** 32 + 2],
    ['1', 2 * 2 ** 32 + 1],
    ['3', 2 * 2 ** 32 + 3],
  ]);
  expect(await f.events()).toContain('waiting jobId 2');
});

test('a custom id that is stored already keeps the first job and still consumes a number', async () => {
  const f = await storeFixture();
  await f.add('a', { first: true }, { jobId: 'mine' });
  expect(await f.add('b', { first: false }, { jobId: 'mine' })).toBe('mine');
  expect(await f.job('mine')).toMatchObject({ name: 'a', data: '{"first":true}' });
  expect(await f.list(f.keys.wait)).toEqual(['mine']);
  expect((await f.events()).at(-1)).toBe('duplicated jobId mine');
  expect(await f.redis('get', f.keys.id)).toBe('2');
});

test('a child is stored with its parent and pending there; without the parent it is refused with -5 alone', async () => {
  const f = await storeFixture();
  await f.add('parent', {}, { jobId: 'p' });
  const parent = { id: 'p', queue: f.queue.qualified };
  const jobs = [
    newJob('lost', 1, { parent: { id: 'none', queue: f.queue.qualified } }, {}, NOW),
    newJob('child', 1, { parent, failParentOnFailure: true }, {}, NOW),
  ];
  const [lost, child] = await f.producer.add({ queue: f.queue, jobs, now: NOW });
  expect(lost).toMatchObject({ code: -5, status: 'ParentJobNotExist' });
  expect(await f.job(child as string)).toMatchObject({
    parentKey: `${f.queue.base}p`,
    parent: JSON.stringify({ id: 'p', queueKey: f.queue.qualified, fpof: true }),
  });
  expect(await f.redis('smembers', `${f.queue.base}p:dependencies`)).toEqual([f.queue.base + child]);
});

test('a duplicate of a completed job gives its value to the parent named now and releases it', async () => {
  const f = await storeFixture();
  await f.add('child', {}, { jobId: 'c' });
  await f.fetch(1);
  await f.exchange({ outcomes: [f.complete('c', { count: -1 }, '{"ok":1}')] });
  await f.add('parent', {}, { jobId: 'p' });
  await f.redis('lrem', f.keys.wait, 1, 'p');
  await f.redis('zadd', f.keys.waitingChildren, NOW, 'p');
  await f.events();
  expect(await f.add('child', {}, { jobId: 'c', parent: { id: 'p', queue: f.queue.qualified } })).toBe('c');
  expect(await f.hash(`${f.queue.base}p:processed`)).toEqual({ [`${f.queue.base}c`]: '{"ok":1}' });
  expect(await f.list(f.keys.wait)).toEqual(['p']);
  expect(await f.events()).toEqual(['waiting jobId p prev waiting-children', 'duplicated jobId c']);
});

test('a duplicate that is the child of another living parent is refused with -7', async () => {
  const f = await storeFixture();
  await f.add('p1', {}, { jobId: 'p1' });
  await f.add('p2', {}, { jobId: 'p2' });
  await f.add('child', {}, { jobId: 'c', parent: { id: 'p1', queue: f.queue.qualified } });
  const again = newJob('child', {}, { jobId: 'c', parent: { id: 'p2', queue: f.queue.qualified } }, {}, NOW);
  expect(await f.producer.add({ queue: f.queue, jobs: [again], now: NOW })).toEqual([expect.objectContaining({ code: -7 })]);
  await f.redis('del', `${f.queue.base}p1`);
  expect(await f.producer.add({ queue: f.queue, jobs: [again], now: NOW })).toEqual(['c']);
  expect(await f.job('c')).toMatchObject({ parentKey: `${f.queue.base}p2` });
});

test('no hint is written while the queue is paused or at its global concurrency', async () => {
  const f = await storeFixture();
  await f.admin.pause(f.queue);
  await f.add('a');
  expect(await f.exists(f.keys.marker)).toBe(false);
  await f.admin.resume(f.queue);
  expect((await f.zset(f.keys.marker)).length).toBe(1);
  await f.admin.setGlobalConcurrency(f.queue, 1);
  await f.fetch(1);
  await f.redis('del', f.keys.marker);
  await f.add('b');
  expect(await f.exists(f.keys.marker)).toBe(false);
});

test('while a v5 client has parked the ready jobs, new ones join them there', async () => {
  const f = await storeFixture();
  await f.add('a');
  await f.redis('hset', f.keys.meta, 'paused', 1);
  await f.redis('rename', f.keys.wait, f.keys.paused);
  await f.add('b');
  expect(await f.list(f.keys.paused)).toEqual(['2', '1']);
  expect(await f.exists(f.keys.wait)).toBe(false);
});

test('more jobs than one call takes go in several, and each gets its own id', async () => {
  const f = await storeFixture('bulk', freshPrefix());
  const jobs = Array.from({ length: 1_201 }, (_, at) => newJob('n', at, {}, {}, NOW));
  const added = await f.producer.add({ queue: f.queue, jobs, now: NOW });
  expect(added).toEqual(jobs.map((_, at) => String(at + 1)));
  expect((await f.list(f.keys.wait)).reverse()).toEqual(added);
  expect((await f.zset(f.keys.marker)).length).toBe(16);
});
