/** What is left after the worst: processes and primaries that are killed, frozen, or cannot start. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventEnvelope } from '@drover/cluster/protocol';
import { brokenInvariants, completedTwice } from '../support/invariants.js';
import { pidAlive } from '../support/process-harness.js';
import { testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';
import { completed, fixture, QUEUE, TestCluster, untilStatus } from './support.js';

const inHand = ({ processes }: { processes: readonly { jobsInHand: number }[] }) =>
  processes.reduce((sum, { jobsInHand }) => sum + jobsInHand, 0);

test('acceptance 2: a process that is killed with jobs in hand is replaced, and every job completes once', async () => {
  const cluster = new TestCluster({ workers: 2, concurrency: 5 });
  const { client } = await cluster.startReady();
  await untilStatus(client, 'both workers to run', ({ groups }) => groups[0]?.workers.running === 2);
  const queue = cluster.queue();
  const gate = join(cluster.dir, 'gate');
  const held = Array.from({ length: 10 }, () => ({ name: 'j', data: { gate, runs: cluster.runs } }));
  await queue.addBulk([...held, ...Array.from({ length: 40 }, () => ({ name: 'j', data: { ms: 5, runs: cluster.runs } }))]);
  const before = await untilStatus(client, 'ten jobs to be in hand', (status) => inHand(status) === 10);
  const victim = before.processes[1] as (typeof before.processes)[number];
  process.kill(victim.pid, 'SIGKILL');
  const after = await untilStatus(client, 'the slot to have another process', ({ processes }) => {
    const slot = processes[1];
    return slot?.state === 'ready' && slot.incarnation !== victim.incarnation;
  });
  expect(after.processes[1]).toMatchObject({ restarts: 1, lastExit: { class: 'abnormal', signal: 'SIGKILL' } });
  expect((await client.request({ type: 'worker_count' })).count).toBe(2);
  writeFileSync(gate, '');
  await until(async () => (await completed(queue)) === 50, { what: 'all jobs to complete', limitMs: 20_000 });
  const runs = cluster.runCounts();
  expect([...runs.values()].filter((count) => count > 2)).toEqual([]);
  expect([...runs.values()].filter((count) => count === 2).length).toBeLessThanOrEqual(5);
  const redis = cluster.redis();
  expect(await completedTwice(redis, QUEUE, cluster.prefix)).toEqual([]);
  expect(await brokenInvariants(redis, QUEUE, { prefix: cluster.prefix, isIdle: true })).toEqual([]);
});

test('acceptance 2: a process killed with 50 jobs in hand: each of them runs to its end once, and is completed once', async () => {
  const cluster = new TestCluster({ processor: fixture('counted-jobs.mjs'), workers: 2, concurrency: 50 });
  const { client } = await cluster.startReady();
  await untilStatus(client, 'both workers to run', ({ groups }) => groups[0]?.workers.running === 2);
  const queue = cluster.queue();
  const counter = `${cluster.prefix}-ends`;
  const data = { gate: join(cluster.dir, 'gate'), counter, url: testRedisUrl() };
  await queue.addBulk(Array.from({ length: 100 }, () => ({ name: 'j', data })));
  const before = await untilStatus(client, 'a hundred jobs to be in hand', (status) => inHand(status) === 100);
  const victim = before.processes[1] as (typeof before.processes)[number];
  expect(victim.jobsInHand).toBe(50);
  process.kill(victim.pid, 'SIGKILL');
  await untilStatus(client, 'the new process to have its jobs', (status) => inHand(status) === 100 && status.processes[1]?.restarts === 1);
  writeFileSync(data.gate, '');
  await until(async () => (await completed(queue)) === 100, { what: 'all jobs to complete', limitMs: 20_000 });
  const redis = cluster.redis();
  const ends = await redis.hgetall(counter);
  expect(Object.keys(ends)).toHaveLength(100);
  expect(Object.values(ends).filter((count) => count !== '1')).toEqual([]);
  expect(await completedTwice(redis, QUEUE, cluster.prefix)).toEqual([]);
  const jobs = await queue.getCompleted(0, -1);
  expect(jobs.filter((job) => job.stalledCounter === 1)).toHaveLength(50);
  expect(jobs.filter((job) => job.attemptsMade !== 1)).toEqual([]);
  expect(await brokenInvariants(redis, QUEUE, { prefix: cluster.prefix, isIdle: true })).toEqual([]);
});

test('when the primary is killed its processes give their jobs back and end', async () => {
  const cluster = new TestCluster({ workers: 2, concurrency: 2, health: { orphanDeadline: '2s' } });
  const { program, client } = await cluster.startReady();
  await untilStatus(client, 'both workers to run', ({ groups }) => groups[0]?.workers.running === 2);
  const queue = cluster.queue();
  await queue.addBulk(Array.from({ length: 4 }, () => ({ name: 'j', data: { gate: join(cluster.dir, 'never') } })));
  const { processes } = await untilStatus(client, 'four jobs to be in hand', (status) => inHand(status) === 4);
  program.kill('SIGKILL');
  await program.exit();
  await until(() => processes.every(({ pid }) => !pidAlive(pid)), { what: 'the processes to end', limitMs: 10_000 });
  expect(await queue.getJobCounts('waiting', 'active')).toEqual({ waiting: 4, active: 0 });
});

test('acceptance 4: a module that throws at import ends the primary with 79, one line that says why, and few forks', async () => {
  const cluster = new TestCluster({ processor: fixture('throws-at-import.mjs'), workers: 2 });
  const program = cluster.start();
  expect((await program.exit(25_000)).code).toBe(79);
  const gaveUp = program.stderr.split('\n').filter((line) => line.startsWith('drover: '));
  expect(gaveUp).toEqual([expect.stringContaining('no table named users')]);
  const forks = program.stdout.split('\n').filter((line) => line.includes('"a process has ended"'));
  expect(forks.length).toBeGreaterThanOrEqual(5);
  expect(forks.length).toBeLessThanOrEqual(12);
});

test('acceptance 21: a worker that fails each start: its group gives up, then the process, then the primary, which names the first cause', async () => {
  const brakes = { maxRestarts: 1 };
  const supervision = { workers: brakes, processes: brakes, backoff: { base: '10ms', cap: '20ms' } };
  const cluster = new TestCluster({
    processor: undefined,
    worker: fixture('failing-worker.mjs'),
    workers: 1,
    processes: { max: 1 },
    supervision,
  });
  const program = cluster.start();
  const client = await cluster.connect(program);
  const events: EventEnvelope[] = [];
  await client.on('*', (event) => events.push(event));
  expect((await program.exit(25_000)).code).toBe(79);
  const line = (text: string): number => program.stdout.split('\n').findIndex((each) => each.includes(text));
  const order = ['"the supervisor of a group gave up"', '"a process has ended"', '"the primary gives up"'].map(line);
  expect(order.every((at) => at >= 0)).toBe(true);
  expect([...order].sort((a, b) => a - b)).toEqual(order);
  const ladder = events.map(({ topic }) => topic).filter((topic) => ['group.failed', 'process.exited', 'primary.gave_up'].includes(topic));
  expect(ladder.at(-1)).toBe('primary.gave_up');
  expect(JSON.stringify(events.findLast(({ topic }) => topic === 'primary.gave_up')?.data)).toContain('no licence for this worker');
  expect(program.stderr).toContain('no licence for this worker');
});

test('a process that is frozen is killed and replaced before its locks run out', async () => {
  const cluster = new TestCluster({ workers: 2, concurrency: 1, lockDuration: '10s', lockRenewTime: '5s' });
  const { client } = await cluster.startReady();
  await untilStatus(client, 'both workers to run', ({ groups }) => groups[0]?.workers.running === 2);
  const queue = cluster.queue();
  const gate = join(cluster.dir, 'gate');
  await queue.addBulk(Array.from({ length: 2 }, () => ({ name: 'j', data: { gate } })));
  const before = await untilStatus(client, 'two jobs to be in hand', (status) => inHand(status) === 2);
  const victim = before.processes[0] as (typeof before.processes)[number];
  process.kill(victim.pid, 'SIGSTOP');
  await untilStatus(client, 'the slot to be suspect', ({ processes }) => processes[0]?.suspect === true);
  await untilStatus(client, 'the slot to have another process', ({ processes }) => {
    const slot = processes[0];
    return slot?.state === 'ready' && slot.incarnation !== victim.incarnation;
  });
  expect(pidAlive(victim.pid)).toBe(false);
  writeFileSync(gate, '');
  await until(async () => (await completed(queue)) === 2, { what: 'both jobs to complete' });
});

test('a stop gives unfinished jobs back at the deadline and exits with 80', async () => {
  const cluster = new TestCluster({ workers: 2, concurrency: 1, defaults: undefined, drain: { deadline: '1s', abortLead: '500ms' } });
  const { program, client } = await cluster.startReady();
  await untilStatus(client, 'both workers to run', ({ groups }) => groups[0]?.workers.running === 2);
  const queue = cluster.queue();
  await queue.addBulk(Array.from({ length: 2 }, () => ({ name: 'j', data: { gate: join(cluster.dir, 'never'), ignoresAbort: true } })));
  await untilStatus(client, 'two jobs to be in hand', (status) => inHand(status) === 2);
  const { result } = await client.run({ type: 'stop', drainMs: 1_000 });
  expect(result).toMatchObject({ exitCode: 80, drained: { finished: 0, lost: [] } });
  expect((await program.exit()).code).toBe(80);
  expect(await queue.getJobCounts('waiting', 'active')).toEqual({ waiting: 2, active: 0 });
});
