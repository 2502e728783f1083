/** Stock BullMQ workers in real processes of a cluster: scaled, killed, broken, drained. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Queue } from '@drover/core';
import type { Program } from '../support/process-harness.js';
import { until } from '../support/until.js';
import { completed, fixture, TestCluster, untilStatus } from './support.js';

interface Stock {
  readonly cluster: TestCluster;
  readonly program: Program;
  readonly queue: Queue;
  readonly breaking: string;
}

/** A cluster whose only group are stock workers. */
async function stockCluster(version: string, config: Record<string, unknown> = {}) {
  const cluster = new TestCluster({ processor: undefined, worker: fixture('stock-worker.mjs'), workers: 1, concurrency: 5, ...config });
  const breaking = join(cluster.dir, 'breaking');
  const program = cluster.start({ env: { STOCK_BULLMQ: version, STOCK_BREAK: breaking } });
  const client = await cluster.connect(program);
  await client.ready({ deadlineMs: 20_000 });
  return { cluster, program, client, queue: cluster.queue(), breaking } satisfies Stock & { client: typeof client };
}

const add = ({ queue, cluster }: Pick<Stock, 'queue' | 'cluster'>, count: number, data: object = {}) =>
  queue.addBulk(Array.from({ length: count }, () => ({ name: 'j', data: { runs: cluster.runs, ...data } })));

describe.each(['bullmq-v6', 'bullmq-v5'])('workers of %s', (version) => {
  test('scale 1 -> 4 -> 1 under load and lose nothing', async () => {
    const stock = await stockCluster(version);
    const { client, queue, cluster } = stock;
    await add(stock, 2_000, { ms: 20 });
    await until(async () => (await completed(queue)) > 20, { what: 'the first jobs' });
    await client.run({ type: 'scale_to', count: 4 });
    expect((await client.request({ type: 'worker_count' })).workers).toMatchObject({ desired: 4, running: 4 });
    const grown = await completed(queue);
    await until(async () => (await completed(queue)) > grown + 50, { what: 'jobs while there are four' });
    await client.run({ type: 'scale_to', count: 1 });
    expect((await client.request({ type: 'worker_count' })).workers).toMatchObject({ desired: 1, running: 1, draining: 0 });
    await until(async () => (await completed(queue)) === 2_000, { what: 'all jobs', limitMs: 30_000 });
    expect([...cluster.runCounts().values()]).toEqual(Array.from({ length: 2_000 }, () => 1)); // close() let each job end
  });

  test('of a process that was killed come back, and so do their jobs', async () => {
    const stock = await stockCluster(version, { workers: 2 });
    const { client, queue, cluster } = stock;
    const { processes } = await untilStatus(client, 'two workers to run', ({ groups }) => groups[0]?.workers.running === 2);
    const gate = join(cluster.dir, 'gate');
    await add(stock, 10, { gate });
    await until(async () => (await queue.getJobCounts('active')).active === 10, { what: 'all jobs to run' });
    process.kill(processes[0]?.pid as number, 'SIGKILL');
    await untilStatus(client, 'the process to be replaced', ({ processes: [first], groups }) => {
      return first?.pid !== processes[0]?.pid && groups[0]?.workers.running === 2;
    });
    writeFileSync(gate, '');
    await until(async () => (await completed(queue)) === 10, { what: 'all jobs', limitMs: 30_000 });
    const runs = [...cluster.runCounts().values()].sort();
    expect(runs).toHaveLength(10);
    expect(Math.max(...runs)).toBe(2);
  });
});

test('a worker whose run() rejects is restarted, and works again', async () => {
  const stock = await stockCluster('bullmq-v6', { workers: 2, processes: { max: 1 } });
  const { client, queue, breaking } = stock;
  writeFileSync(breaking, 'work#2\n');
  await until(
    async () => {
      const { items } = await client.request({ type: 'list', what: 'workers' });
      return items.some((item) => 'worker' in item && item.worker === 'work#2' && item.restarts > 0);
    },
    { what: 'a restart' },
  );
  rmSync(breaking);
  await untilStatus(client, 'both to run', ({ groups }) => groups[0]?.workers.running === 2);
  await add(stock, 20);
  await until(async () => (await completed(queue)) === 20, { what: 'the jobs' });
});

describe('drain', () => {
  test('waits for close(), which lets the jobs end; what it has in hand is shown as unknown', async () => {
    const stock = await stockCluster('bullmq-v6');
    const { client, cluster, program, queue } = stock;
    const gate = join(cluster.dir, 'gate');
    await add(stock, 3, { gate });
    await until(async () => (await queue.getJobCounts('active')).active === 3, { what: 'the jobs to run' });
    const { processes } = await client.request({ type: 'status' });
    expect(processes).toMatchObject([{ jobsInHand: 0, untold: 1 }]);
    const { items } = await client.request({ type: 'list', what: 'workers' });
    expect(items).toEqual([{ worker: 'work#1', slot: 0, state: 'running', restarts: 0 }]);
    program.kill('SIGTERM');
    await untilStatus(client, 'the drain', ({ state }) => state === 'draining');
    writeFileSync(gate, '');
    expect((await program.exit(20_000)).code).toBe(0);
    expect(await completed(queue)).toBe(3);
  });

  test('abandons a worker that has not closed at the deadline, and says so', async () => {
    const stock = await stockCluster('bullmq-v6', { drain: { deadline: '1s', abortLead: '200ms' } });
    const { cluster, program, queue } = stock;
    await add(stock, 1, { gate: join(cluster.dir, 'never'), ignoresAbort: true });
    await until(async () => (await queue.getJobCounts('active')).active === 1, { what: 'the job to run' });
    program.kill('SIGTERM');
    const { code } = await program.exit(20_000);
    expect({ code, output: program.output }).toMatchObject({ code: 81, output: expect.stringContaining('abandoned') });
  });
});
