/** A whole cluster whose Redis goes away. `OUTAGE_MS=30000` makes it as long as the acceptance names it. */
import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from '@drover/core';
import { atEnd } from '../support/at-end.js';
import { startOwnRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { completed, QUEUE, TestCluster } from './support.js';

const OUTAGE_MS = Number(process.env.OUTAGE_MS ?? 4_000);
const PROCESSES = 16;

test(
  'acceptance 5: 16 processes outlive their Redis being down, none is restarted, and work goes on',
  async () => {
    const redis = await startOwnRedis();
    const cluster = new TestCluster({ connection: redis.url, workers: PROCESSES, processes: { min: PROCESSES, max: PROCESSES } });
    const client = await cluster.connect(cluster.start());
    const pids = () =>
      until(
        async () => {
          const { processes } = await client.request({ type: 'status' });
          return processes.length === PROCESSES && processes.every(({ state }) => state === 'ready') && processes.map(({ pid }) => pid);
        },
        { what: 'all processes to be ready', limitMs: 90_000, everyMs: 200 },
      );
    const before = await pids();
    await redis.kill();
    await delay(OUTAGE_MS);
    expect((await client.request({ type: 'status' })).processes.map(({ pid }) => pid)).toEqual(before);
    await redis.restart();
    const queue = new Queue(QUEUE, { connection: redis.url, prefix: cluster.prefix });
    atEnd(() => queue.close());
    await queue.addBulk(Array.from({ length: 100 }, () => ({ name: 'j', data: {} })));
    await until(async () => (await completed(queue)) === 100, { what: 'the jobs to complete', limitMs: 30_000 });
    expect(await pids()).toEqual(before);
  },
  150_000 + OUTAGE_MS,
);
