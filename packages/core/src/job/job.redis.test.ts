import { ids, NOW, type StoreFixture, storeFixture } from '../../../../test/support/store-fixture.js';
import { ManualClock } from '../kit/index.js';
import { JobStore } from '../store/index.js';
import { Job } from './job.js';

async function runningJob(f: StoreFixture, options = {}): Promise<Job> {
  await f.add('n', { v: 1 }, options);
  const { jobs } = await f.fetch(1);
  await f.events();
  const [fetched] = jobs;
  if (!fetched) throw new Error('no job came');
  return new Job(f.queue, fetched.record, new JobStore(f.queue, f.scripts, new ManualClock(NOW)), fetched.token);
}

test('it shows its record with the names of BullMQ', async () => {
  const f = await storeFixture();
  const job = await runningJob(f, { attempts: 2, keepLogs: 3 });
  expect(job).toMatchObject({
    id: '1',
    name: 'n',
    data: { v: 1 },
    token: 'host:held',
    queueName: 'mail',
    attemptsStarted: 1,
    attemptsMade: 0,
  });
  expect(job.opts).toEqual({ attempts: 2, keepLogs: 3 });
  expect(job.queueQualifiedName).toBe(`${f.prefix}:mail`);
  expect(JSON.parse(JSON.stringify(job))).toMatchObject({ id: '1', data: { v: 1 }, opts: { attempts: 2, keepLogs: 3 } });
  expect(job.asJSON()).toMatchObject({ data: '{"v":1}', stacktrace: '[]' });
});

test('data, progress and logs are stored, and progress is told', async () => {
  const f = await storeFixture();
  const job = await runningJob(f, { keepLogs: 2 });
  await job.updateData({ v: 2 });
  await job.updateProgress({ percent: 40 });
  expect([await job.log('a'), await job.log('b'), await job.log('c')]).toEqual([1, 2, 2]);
  expect(await f.job('1')).toMatchObject({ data: '{"v":2}', progress: '{"percent":40}' });
  expect([job.data, job.progress]).toEqual([{ v: 2 }, { percent: 40 }]);
  expect(await f.events()).toEqual(['progress jobId 1 data {"percent":40}']);
  expect(await f.inspect.logs(f.queue, '1')).toEqual({ rows: ['b', 'c'], count: 2 });
  expect(await f.inspect.logs(f.queue, '1', 0, -1, 'newest')).toEqual({ rows: ['c', 'b'], count: 2 });
  await job.clearLogs();
  expect(await f.inspect.logs(f.queue, '1')).toEqual({ rows: [], count: 0 });
});

test('a job that is gone is not brought back by its updates', async () => {
  const f = await storeFixture();
  const job = await runningJob(f);
  await f.redis('del', `${f.queue.base}1`);
  for (const update of [job.updateData({}), job.updateProgress(1), job.log('x')]) {
    await expect(update).rejects.toMatchObject({ code: -1 });
  }
  expect(await f.exists(`${f.queue.base}1`)).toBe(false);
});

test('it can be moved by hand: delayed, to wait, completed', async () => {
  const f = await storeFixture();
  const job = await runningJob(f);
  await job.moveToDelayed(NOW + 500);
  expect(await job.isDelayed()).toBe(true);
  await expect(job.moveToWait()).rejects.toMatchObject({ code: -2, message: 'Missing lock for job 1. moveJobFromActiveToWait' });
  expect(ids(await f.fetch(1, { now: NOW + 500 }))).toEqual(['1']);
  await job.moveToWait();
  expect(await job.getState()).toBe('waiting');
  await f.fetch(1);
  await job.moveToCompleted('fine');
  expect(await job.isCompleted()).toBe(true);
  expect(await f.inspect.job(f.queue, '1')).toMatchObject({ returnvalue: 'fine', attemptsMade: 1 });
});

test('it fails by hand as its options say, and waits for children only if there are any', async () => {
  const f = await storeFixture();
  const job = await runningJob(f, { attempts: 2 });
  expect(await job.moveToWaitingChildren()).toBe(false);
  await f.add('child', {}, { parent: { id: '1', queue: f.queue.qualified } });
  await job.moveToFailed(new Error('first'));
  expect(await job.getState()).toBe('waiting');
  await f.redis('lrem', f.keys.wait, 1, '2');
  await f.fetch(1);
  expect(await job.moveToWaitingChildren()).toBe(true);
  expect(await job.isWaitingChildren()).toBe(true);
});

test('a locked job cannot be removed, a free one goes with its children, and its parent goes on', async () => {
  const f = await storeFixture();
  const job = await runningJob(f);
  await expect(job.remove()).rejects.toThrow('Job 1 could not be removed because it is locked by another worker');
  await job.moveToDelayed(NOW + 1_000);
  await f.add('child', {}, { jobId: 'c', parent: { id: '1', queue: f.queue.qualified } });
  await f.add('grandchild', {}, { jobId: 'g', parent: { id: 'c', queue: f.queue.qualified }, delay: 5 });
  await f.events();
  await job.remove();
  expect(await f.events()).toEqual(['removed jobId g prev delayed', 'removed jobId c prev wait', 'removed jobId 1 prev delayed']);
  expect((await f.allKeys()).filter((key) => /mail:(1|c|g)/.test(key))).toEqual([]);
  expect(await f.inspect.counts(f.queue)).toEqual({
    waiting: 0,
    active: 0,
    prioritized: 0,
    delayed: 0,
    waitingChildren: 0,
    completed: 0,
    failed: 0,
    parked: 0,
  });
});

test('the next iteration of a scheduler cannot be removed', async () => {
  const f = await storeFixture();
  await f.add('tick', {}, { jobId: 'repeat:nightly:123' });
  await f.redis('hset', `${f.queue.base}repeat:nightly:123`, 'rjk', 'nightly');
  await f.redis('zadd', f.keys.repeat, 123, 'nightly');
  expect(await f.admin.remove(f.queue, 'repeat:nightly:123')).toBe(-8);
  await f.redis('zadd', f.keys.repeat, 124, 'nightly');
  expect(await f.admin.remove(f.queue, 'repeat:nightly:123')).toBe(1);
});

test('states are listed in pages, in either order', async () => {
  const f = await storeFixture();
  for (let at = 0; at < 5; at++) await f.add('n', at);
  const data = async (...range: [number, number, 'oldest' | 'newest']) =>
    (await f.inspect.range(f.queue, 'wait', ...range)).map((job) => job.data);
  expect(await data(0, -1, 'oldest')).toEqual([0, 1, 2, 3, 4]);
  expect(await data(1, 2, 'oldest')).toEqual([1, 2]);
  expect(await data(0, 1, 'newest')).toEqual([4, 3]);
  await f.fetch(3);
  await f.exchange({ outcomes: ['1', '2', '3'].map((id, at) => f.complete(id, { count: -1 }, 'null', NOW + at)) });
  const finished = async (order: 'oldest' | 'newest') => (await f.inspect.range(f.queue, 'completed', 0, 1, order)).map(({ id }) => id);
  expect([await finished('newest'), await finished('oldest')]).toEqual([
    ['3', '2'],
    ['1', '2'],
  ]);
  expect((await f.inspect.jobs(f.queue, ['1', 'none', '4'])).map((job) => job?.id)).toEqual(['1', undefined, '4']);
});
