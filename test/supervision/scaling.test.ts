/** Scaling with real forks and a real Redis: counts, clamping, victims that finish their jobs, the guide's WorkerManager. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNode } from '../support/process-harness.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';
import { completed, fixture, privateDir, TestCluster, untilStatus } from './support.js';

test('the count has its new value when a verb was answered, and is met when the operation has ended', async () => {
  const { client } = await new TestCluster({ workers: 0, processes: { max: 2 } }).startReady();
  const count = async () => (await client.request({ type: 'worker_count' })).count;
  expect(await count()).toBe(0);
  const up = client.run({ type: 'scale_up', count: 6 }, { accepted: () => void seen.push(count()) });
  const seen: Promise<number>[] = [];
  expect((await up).reply).toMatchObject({ group: 'work', requested: 6, applied: 6, desired: 6 });
  expect(await Promise.all(seen)).toEqual([6]);
  const status = await client.request({ type: 'status' });
  expect(status.groups[0]?.workers).toEqual({ desired: 6, running: 6, starting: 0, draining: 0, parked: 0 });
  expect(status.processes.map(({ workers }) => Object.keys(workers).sort())).toEqual([
    ['work#1', 'work#3', 'work#5'],
    ['work#2', 'work#4', 'work#6'],
  ]);
  await client.run({ type: 'scale_down', count: 2 });
  expect((await client.request({ type: 'worker_count' })).workers).toEqual({ desired: 4, running: 4, starting: 0, draining: 0, parked: 0 });
  await client.run({ type: 'scale_to', count: 1 });
  const shrunk = await client.request({ type: 'status' });
  expect(shrunk.processes).toHaveLength(1);
  expect(Object.values(shrunk.processes).flatMap(({ workers }) => Object.keys(workers))).toEqual(['work#6']);
});

test('what is beyond a limit is clamped, and said', async () => {
  const { client } = await new TestCluster({ workers: 2, min: 1, max: 3 }).startReady();
  const ask = async (command: Parameters<typeof client.run>[0]) => (await client.run(command)).reply;
  expect(await ask({ type: 'scale_up', count: 10 })).toMatchObject({ requested: 10, applied: 1, desired: 3, reason: 'at_max' });
  expect(await ask({ type: 'scale_down', count: 10 })).toMatchObject({ requested: 10, applied: 2, desired: 1, reason: 'at_min' });
  expect(await ask({ type: 'scale_to', count: 1_000 })).toMatchObject({ requested: 1_000, applied: 3, desired: 3, reason: 'at_max' });
});

test('a repeat under the same key scales once', async () => {
  const { client } = await new TestCluster({ workers: 1 }).startReady();
  const first = await client.request({ type: 'scale_up' }, { key: 'k' });
  expect(await client.request({ type: 'scale_up' }, { key: 'k' })).toEqual(first);
  expect((await client.request({ type: 'worker_count' })).count).toBe(2);
});

test('a worker that goes finishes its job first, in a process that stays and in one that goes', async () => {
  const cluster = new TestCluster({ workers: 3, concurrency: 1 });
  const { client } = await cluster.startReady();
  await untilStatus(client, 'three workers to run', ({ groups }) => groups[0]?.workers.running === 3);
  const queue = cluster.queue();
  const gate = join(cluster.dir, 'gate');
  await queue.addBulk(Array.from({ length: 3 }, () => ({ name: 'j', data: { gate, runs: cluster.runs } })));
  await untilStatus(
    client,
    'every worker to have a job',
    ({ processes }) => processes.reduce((sum, each) => sum + each.jobsInHand, 0) === 3,
  );
  const steps: string[] = [];
  const down = client.run({ type: 'scale_to', count: 1 }, { progress: ({ state }) => void steps.push(state) });
  await untilStatus(client, 'two workers to drain', ({ groups }) => groups[0]?.workers.draining === 2);
  expect((await client.request({ type: 'worker_count' })).count).toBe(1);
  expect(steps).not.toContain('done');
  writeFileSync(gate, '');
  await down;
  await until(async () => (await completed(queue)) === 3, { what: 'the jobs to complete' });
  expect([...cluster.runCounts().values()]).toEqual([1, 1, 1]);
  expect((await client.request({ type: 'status' })).processes).toHaveLength(1);
});

test('a thousand workers, and back to none', async () => {
  const cluster = new TestCluster({ workers: 0, concurrency: 1 });
  const { client } = await cluster.startReady();
  await client.run({ type: 'scale_to', count: 1_000 });
  const counts = await client.request({ type: 'worker_count' });
  expect(counts.workers).toEqual({ desired: 1_000, running: 1_000, starting: 0, draining: 0, parked: 0 });
  const queue = cluster.queue();
  await queue.addBulk(Array.from({ length: 200 }, (_, n) => ({ name: 'j', data: { n } })));
  await until(async () => (await completed(queue)) === 200, { what: 'the jobs to complete' });
  await client.run({ type: 'scale_to', count: 0 });
  const status = await client.request({ type: 'status' });
  expect(status.groups[0]?.workers).toEqual({ desired: 0, running: 0, starting: 0, draining: 0, parked: 0 });
  expect(status.processes).toHaveLength(1);
});

/** Runs a script with a WorkerManager in it and reads the JSON that it prints. */
async function runManager(script: string, more: Record<string, unknown> = {}) {
  const prefix = freshPrefix();
  const options = { name: `manager-${prefix}`, queue: 'work', prefix, connection: testRedisUrl(), processes: { max: 2 }, ...more };
  const program = startNode(fixture(script), [], {
    env: { ...process.env, MANAGER_OPTIONS: JSON.stringify(options) },
    cwd: privateDir(),
  });
  expect(await program.exit(50_000)).toEqual({ code: 0, signal: null });
  return JSON.parse(program.stdout.split('\n').find((line) => line.startsWith('{')) ?? program.output);
}

test('the WorkerManager of the guide: no signal handlers, counts right at every step, and the name reachable from elsewhere', async () => {
  const seen = await runManager('manager.mjs', { processor: fixture('jobs.mjs') });
  expect(seen.counts).toEqual([0, 4, 2, 1, 1]);
  expect(seen.replies.map((reply: { desired: number }) => reply.desired)).toEqual([1, 4, 2, 1]);
  expect(seen.events).toEqual(['scale_up', 'scale_up', 'scale_down', 'scale_to']);
  expect(seen).toMatchObject({ processes: 1, report: { exitCode: 0 }, installed: [] });
});

test('acceptance 23: 5,000 workers on 4 processes, then none: counts right at each reply, one process and the memory of before left', async () => {
  const processes = { min: 1, max: 4 };
  const { rounds, report } = await runManager('thousands.mjs', { processor: fixture('jobs.mjs'), concurrency: 1, processes });
  for (const round of rounds) {
    expect(round).toMatchObject({ desired: [5_000, 0], counts: [5_000, 0], running: 5_000, processes: [4, 1] });
    expect(round.left).toEqual({ desired: 0, running: 0, starting: 0, draining: 0, parked: 0 });
  }
  const [first, second] = rounds.map(({ heapBytes }: { heapBytes: number }) => heapBytes);
  expect(second - first).toBeLessThan(5_000 * 200); // less than 200 bytes for each worker that was
  expect(report).toMatchObject({ exitCode: 0 });
}, 60_000);

test('a WorkerManager refuses a function as processor, and says why', async () => {
  const refused = await runManager('refused-manager.mjs');
  expect(refused).toMatchObject({ code: 'BAD_CONFIG', message: expect.stringMatching(/processor .*functions do not cross a fork/) });
});

test('a WorkerManager refuses to start inside a worker of node:cluster', async () => {
  const refused = await runManager('refused-manager.mjs', { asWorker: true, processor: fixture('jobs.mjs') });
  expect(refused).toMatchObject({ code: 'CLUSTER_WORKER', exitCode: 78 });
});

test('a WorkerManager whose processes cannot start tells that it gave up, and stops with 79; the host application lives on', async () => {
  const gaveUp = await runManager('refused-manager.mjs', { workers: 1, processor: fixture('throws-at-import.mjs') });
  expect(gaveUp).toEqual({ reason: expect.stringContaining('no table named users'), exitCode: 79 });
});
