/** What becomes of jobs that end their process, ignore their signals or outlast every drain, and what outlives the primary. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventEnvelope } from '@drover/cluster/protocol';
import { brokenInvariants, completedTwice } from '../support/invariants.js';
import { pidAlive } from '../support/process-harness.js';
import { until } from '../support/until.js';
import { completed, fixture, privateDir, QUEUE, TestCluster, untilStatus } from './support.js';

const inHand = ({ processes }: { processes: readonly { jobsInHand: number }[] }) =>
  processes.reduce((sum, { jobsInHand }) => sum + jobsInHand, 0);

test('a job that ends its process each time fails unrun after two such ends, and says why', async () => {
  const cluster = new TestCluster({
    processor: fixture('crash-jobs.mjs'),
    workers: 1,
    concurrency: 1,
    maxStalledCount: 10,
    processes: { max: 1 },
  });
  const { client } = await cluster.startReady();
  const poison: EventEnvelope[] = [];
  await client.on('poison', (event) => poison.push(event));
  const queue = cluster.queue();
  const job = await queue.add('j', { crash: true });
  await until(async () => (await job.getState()) === 'failed', { what: 'the job to fail', limitMs: 25_000 });
  const failed = await queue.getJob(job.id as string);
  expect(failed?.failedReason).toBe(
    'the job was in hand at 2 abnormal ends of its process, alone at 2 of them; the last: killed by SIGKILL',
  );
  const [slot] = (await client.request({ type: 'status' })).processes;
  expect(slot?.restarts).toBe(2);
  expect(poison.map(({ data }) => data)).toEqual([
    { count: 1, jobs: [{ queue: QUEUE, jobId: job.id, startedAt: 0 }], how: 'killed by SIGKILL' },
  ]);
  expect(await brokenInvariants(cluster.redis(), QUEUE, { prefix: cluster.prefix, isIdle: true })).toEqual([]);
});

test('acceptance 1: the primary is killed, also with a job that ignores its signal: no orphan is left, and its jobs are back in wait, untouched', async () => {
  const cluster = new TestCluster({ workers: 2, concurrency: 2, health: { orphanDeadline: '2s' } });
  const { program, client } = await cluster.startReady();
  await untilStatus(client, 'both workers to run', ({ groups }) => groups[0]?.workers.running === 2);
  const queue = cluster.queue();
  const gate = join(cluster.dir, 'never');
  await queue.addBulk([true, true, false, false].map((ignoresAbort) => ({ name: 'j', data: { gate, ignoresAbort } })));
  const { processes } = await untilStatus(client, 'four jobs to be in hand', (status) => inHand(status) === 4);
  program.kill('SIGKILL');
  await until(() => processes.every(({ pid }) => !pidAlive(pid)), { what: 'the processes to end', limitMs: 10_000 });
  const waiting = await queue.getJobs(['waiting']);
  expect(waiting.map(({ attemptsMade, stalledCounter }) => [attemptsMade, stalledCounter])).toEqual(Array(4).fill([0, 0]));
  expect(await brokenInvariants(cluster.redis(), QUEUE, { prefix: cluster.prefix, isIdle: true })).toEqual([]);
});

test('acceptance 6: processes that live longer than a simple limit allows, but never long, end in 79', async () => {
  const backoff = { base: '10ms', cap: '10ms', resetAfter: '20s' };
  const supervision = { backoff, maxConsecutiveFailures: 4, processes: { maxRestarts: 100 } };
  const cluster = new TestCluster({ processor: fixture('crash-jobs.mjs'), workers: 1, concurrency: 1, processes: { max: 1 }, supervision });
  const program = cluster.start();
  const queue = cluster.queue();
  await queue.addBulk(Array.from({ length: 10 }, () => ({ name: 'j', data: { crash: true, afterMs: 1_500 } })));
  expect((await program.exit(40_000)).code).toBe(79);
  expect(program.stderr).toContain('failed 4 times in a row; process 0: killed by SIGKILL');
});

test('acceptance 7: a scale down with jobs in hand loses and doubles none, shows its progress, and ends by its deadline', async () => {
  const cluster = new TestCluster({ workers: 4, concurrency: 5, drain: { deadline: '2s', abortLead: '500ms' } });
  const { client } = await cluster.startReady();
  await untilStatus(client, 'four workers to run', ({ groups }) => groups[0]?.workers.running === 4);
  const queue = cluster.queue();
  const gate = join(cluster.dir, 'gate');
  const jobs = Array.from({ length: 20 }, (_, n) => ({ name: 'j', data: { runs: cluster.runs, ...(n % 2 ? { ms: 100 } : { gate }) } }));
  await queue.addBulk([...jobs, ...Array.from({ length: 100 }, () => ({ name: 'j', data: { ms: 10, runs: cluster.runs } }))]);
  await untilStatus(client, 'jobs to be in hand', (status) => inHand(status) >= 10);
  const { reply, result } = await client.run({ type: 'scale_down', count: 3 });
  expect(reply).toMatchObject({ applied: 3, desired: 1 });
  expect(result).toMatchObject({ desired: 1 });
  writeFileSync(gate, '');
  await until(async () => (await completed(queue)) === 120, { what: 'all jobs to complete', limitMs: 20_000 });
  const redis = cluster.redis();
  expect(await completedTwice(redis, QUEUE, cluster.prefix)).toEqual([]);
  expect(await brokenInvariants(redis, QUEUE, { prefix: cluster.prefix, isIdle: true })).toEqual([]);
});

test('acceptance 22: a job that ignores its signal in a process that lives on lingers: it is reported, and runs once', async () => {
  const drain = { deadline: '500ms', abortLead: '200ms' };
  const cluster = new TestCluster({ workers: 2, concurrency: 1, processes: { max: 1 }, drain });
  const { client } = await cluster.startReady();
  await untilStatus(client, 'both workers to run', ({ groups }) => groups[0]?.workers.running === 2);
  const queue = cluster.queue();
  const gate = join(cluster.dir, 'gate');
  await queue.addBulk([1, 2].map(() => ({ name: 'j', data: { gate, ignoresAbort: true, runs: cluster.runs } })));
  await untilStatus(client, 'both jobs to be in hand', (status) => inHand(status) === 2);
  const lingering: EventEnvelope[] = [];
  await client.on('worker.lingering', (event) => lingering.push(event));
  await client.run({ type: 'scale_down' });
  expect(lingering).toHaveLength(1);
  expect(await queue.getJobCounts('active', 'waiting')).toEqual({ active: 2, waiting: 0 });
  writeFileSync(gate, '');
  await until(async () => (await completed(queue)) === 2, { what: 'both jobs to complete' });
  expect([...cluster.runCounts().values()]).toEqual([1, 1]);
});

test('with onTimeout replace such a process is replaced, and the job runs again in the next one', async () => {
  const drain = { deadline: '500ms', abortLead: '200ms', onTimeout: 'replace' };
  const cluster = new TestCluster({ workers: 2, concurrency: 1, processes: { max: 1 }, drain });
  const { client } = await cluster.startReady();
  const before = await untilStatus(client, 'both workers to run', ({ groups }) => groups[0]?.workers.running === 2);
  const queue = cluster.queue();
  const gate = join(cluster.dir, 'gate');
  await queue.addBulk([1, 2].map(() => ({ name: 'j', data: { gate, ignoresAbort: true } })));
  await untilStatus(client, 'both jobs to be in hand', (status) => inHand(status) === 2);
  await client.run({ type: 'scale_down' });
  const after = await untilStatus(client, 'another process to work', ({ processes: [slot], groups }) => {
    return slot?.state === 'ready' && slot.incarnation !== before.processes[0]?.incarnation && groups[0]?.workers.running === 1;
  });
  expect(after.processes[0]?.lastExit).toMatchObject({ class: 'planned', code: 90 });
  writeFileSync(gate, '');
  await until(async () => (await completed(queue)) === 2, { what: 'both jobs to complete' });
});

test.each([
  { rule: 'stall', code: 81, state: 'active' },
  { rule: 'fail', code: 0, state: 'failed' },
] as const)('a job that went back as often as it may: $rule', async ({ rule, code, state }) => {
  const drain = { deadline: '300ms', abortLead: '100ms', maxReturns: 1, onMaxReturns: rule };
  const cluster = new TestCluster({ workers: 1, concurrency: 1, processes: { max: 1 }, drain });
  const queue = cluster.queue();
  const job = await queue.add('j', { gate: join(cluster.dir, 'never'), ignoresAbort: true });
  const codes: (number | null)[] = [];
  for (const _ of [1, 2]) {
    const { program, client } = await cluster.startReady();
    await untilStatus(client, 'the job to be in hand', (status) => inHand(status) === 1);
    await client.run({ type: 'stop' });
    codes.push((await program.exit()).code);
  }
  expect(codes).toEqual([80, code]);
  expect(await job.getState()).toBe(state);
});

test('with persistScale a size outlives the primary; WORKER_COUNT beats it, and a broken file is ignored', async () => {
  const cluster = new TestCluster({ workers: 1, persistScale: true });
  const env = { XDG_RUNTIME_DIR: privateDir() };
  const run = async (more: NodeJS.ProcessEnv = {}, command?: number) => {
    const program = cluster.start({ env: { ...env, ...more } });
    const client = await cluster.connect(program);
    await client.ready({ deadlineMs: 20_000 });
    if (command !== undefined) await client.run({ type: 'scale_to', count: command });
    const { workers } = await client.request({ type: 'worker_count' });
    await client.run({ type: 'stop' });
    await program.exit();
    return { desired: workers.desired, output: program.output };
  };
  expect((await run({}, 3)).desired).toBe(3);
  expect((await run()).desired).toBe(3);
  expect((await run({ WORKER_COUNT: '2' })).desired).toBe(2);
  writeFileSync(join(env.XDG_RUNTIME_DIR, 'drover', `${cluster.name}.state.json`), '{"v":1,"siz');
  const { desired, output } = await run();
  expect(desired).toBe(1);
  expect(output.split('the remembered sizes are ignored')).toHaveLength(2);
});
