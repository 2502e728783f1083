/** Jobs that version 5 parks in a list of their own while a queue is paused: Drover sees them, moves them, and loses none. */
import type { Queue } from '@drover/core';
import * as v5 from 'bullmq-v5';
import * as v6 from 'bullmq-v6';
import { atEnd } from '../support/at-end.js';
import { testRedisUrl } from '../support/redis.js';
import { jobOf, twins } from '../support/twin.js';

describe('a queue that BullMQ 5 paused', () => {
  const parked = async () => {
    const t = await twins();
    const old = new v5.Queue('mail', { connection: { url: testRedisUrl() }, prefix: t.prefixes[0] });
    atEnd(() => old.close());
    for (let n = 1; n <= 4; n++) await old.add(`job-${n}`, {});
    await old.add('late', {}, { delay: 100_000 });
    await old.pause();
    const list = (name: string) => t.redis.lrange(`${t.prefixes[0]}:mail:${name}`, 0, -1);
    expect(await list('paused')).toEqual(['4', '3', '2', '1']);
    return { t, old, list, queue: t.ours };
  };
  const ids = (jobs: { id: string }[]) => jobs.map(({ id }) => id);

  test('is counted, listed and told as waiting', async () => {
    const { queue, t } = await parked();
    await t.theirs.close(); // a v6 client may add beside it: such jobs stand in `wait`
    const v6Queue = new v6.Queue('mail', { connection: { url: testRedisUrl() }, prefix: t.prefixes[0] });
    atEnd(() => v6Queue.close());
    await v6Queue.add('beside', {});
    expect(await queue.getJobCounts('waiting', 'paused')).toEqual({ waiting: 5, paused: 4 });
    expect(await queue.getCountsPerPriority([0])).toEqual({ 0: 5 });
    expect(await queue.count()).toBe(6);
    expect(ids(await queue.getWaiting())).toEqual(['1', '2', '3', '4', '6']);
    expect(ids(await queue.getWaiting(3, 4))).toEqual(['4', '6']);
    expect(ids(await queue.getJobs(['waiting', 'paused'], 0, 1))).toEqual(['6', '4']);
    expect(ids(await queue.getJobs('paused', 0, -1, true))).toEqual(['1', '2', '3', '4']);
    expect(await queue.getJobState('1')).toBe('waiting');
    await queue.resume();
    expect(ids(await queue.getWaiting())).toEqual(['1', '2', '3', '4', '6']);
    expect(await t.broken()).toEqual([]);
  });

  test('takes what becomes ready into the same list, so that no resume loses it', async () => {
    const { queue, old, list, t } = await parked();
    await (await jobOf(queue, '5')).promote();
    await queue.add('more', {});
    await (await jobOf(queue, '2')).changePriority({ priority: 3 });
    expect(await list('paused')).toEqual(['6', '5', '4', '3', '1']);
    expect(await list('wait')).toEqual([]);
    await old.resume();
    expect(await queue.getJobCounts()).toMatchObject({ waiting: 5, prioritized: 1 });
    expect(await t.broken()).toEqual([]);
  });

  test.each([
    ['remove', (queue: Queue) => queue.remove('2'), 3],
    ['clean', (queue: Queue) => queue.clean(0, 3, 'wait'), 1],
    ['drain', (queue: Queue) => queue.drain(), 0],
  ])('%s reaches the parked jobs', async (_name, operation, left) => {
    const { queue, t } = await parked();
    await operation(queue);
    expect(await queue.getWaitingCount()).toBe(left);
    expect(await t.broken()).toEqual([]);
  });

  test('obliterate takes all of it', async () => {
    const { queue, t } = await parked();
    await queue.obliterate();
    expect(await t.redis.keys(`${t.prefixes[0]}:*`)).toEqual([]);
  });
});
