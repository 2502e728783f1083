import { rig } from '../support/engine.js';
import { peers } from '../support/peers.js';

const MINUTE = 60_000;

test('finished jobs are counted per minute, newest first, as many minutes as the worker asks for', async () => {
  const { queue, worker, counts, redis, prefix, broken } = rig();
  const key = `${prefix}:mail:metrics:completed`;
  worker(
    async (job) => {
      if (job.data.bad) throw new Error('bad');
    },
    { metrics: { maxDataPoints: 3 } },
  );
  await queue.add('first', {});
  await counts({ completed: 1 });
  expect(await queue.getMetrics('completed')).toMatchObject({ meta: { count: 1, prevCount: 0 }, data: [], count: 0 });
  const age = async (minutes: number) => redis.hset(key, 'prevTS', Date.now() - minutes * MINUTE);
  await age(1);
  await queue.addBulk(Array.from({ length: 4 }, () => ({ name: 'a', data: {} })));
  await counts({ completed: 5 });
  expect((await queue.getMetrics('completed')).data.reduce((sum, n) => sum + n, 0)).toBeGreaterThan(0);
  await age(2);
  await queue.add('late', {});
  await counts({ completed: 6 });
  const metrics = await queue.getMetrics('completed');
  expect(metrics).toMatchObject({ meta: { count: 6 }, count: 3 });
  expect(metrics.data[0]).toBe(0); // a minute in which nothing finished
  await age(90);
  await queue.add('later', { bad: true });
  await queue.add('later', {});
  await counts({ completed: 7, failed: 1 });
  expect(await queue.getMetrics('completed')).toMatchObject({ meta: { count: 7 }, count: 3 });
  expect((await queue.getMetrics('completed', 0, 0)).data).toHaveLength(1);
  expect(await queue.getMetrics('failed')).toMatchObject({ meta: { count: 1 }, data: [], count: 0 });
  await expect(queue.getMetrics('waiting' as never)).rejects.toThrow('type must be "completed" or "failed"');
  expect(await broken()).toEqual([]);
});

test('without the option nothing is counted', async () => {
  const { queue, worker, counts } = rig();
  worker(async () => 1);
  await queue.add('a', {});
  await counts({ completed: 1 });
  expect(await queue.getMetrics('completed')).toEqual({ meta: { count: 0, prevTS: 0, prevCount: 0 }, data: [], count: 0 });
});

test.each(peers)('BullMQ $version reads and continues what Drover has counted', async (peer) => {
  const { queue, worker, counts, redis, prefix, url } = rig();
  const theirs = peer.queue('mail', { prefix, url });
  const ours = worker(async () => 1, { metrics: { maxDataPoints: 10 } });
  await queue.addBulk(Array.from({ length: 3 }, () => ({ name: 'a', data: {} })));
  await counts({ completed: 3 });
  await ours.close();
  await redis.hset(`${prefix}:mail:metrics:completed`, 'prevTS', Date.now() - 3 * MINUTE);
  await peer.worker('mail', async () => 1, { prefix, url }, { metrics: { maxDataPoints: 10 } });
  await queue.addBulk(Array.from({ length: 2 }, () => ({ name: 'a', data: {} })));
  await counts({ completed: 5 });
  const read = await theirs.getMetrics('completed');
  expect(await queue.getMetrics('completed')).toEqual(read);
  expect(read).toMatchObject({ meta: { count: 5 } });
  expect(read.data.length).toBeGreaterThanOrEqual(3);
});
