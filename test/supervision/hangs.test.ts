/** Processes whose event loop stands still: killed before any of their locks can run out. Numbers are those of control-plane section 23. */
import { join } from 'node:path';
import { pidAlive } from '../support/process-harness.js';
import { testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';
import { completed, fixture, QUEUE, TestCluster, untilStatus } from './support.js';

const processor = fixture('hanging-jobs.mjs');
const locks = { lockDuration: '8s', lockRenewTime: '2s' };

async function hanging(config: Record<string, unknown> = {}) {
  const cluster = new TestCluster({ processor, workers: 2, concurrency: 1, ...locks, ...config });
  const started = await cluster.startReady();
  await untilStatus(started.client, 'both workers to run', ({ groups }) => groups[0]?.workers.running === 2);
  const queue = cluster.queue();
  const runs = `${cluster.prefix}-runs`;
  await queue.add('j', { runs, url: testRedisUrl() });
  return { ...started, cluster, queue, runs, redis: cluster.redis() };
}

test('acceptance 3: an endless loop is killed before its lock runs out; the job runs once more, never two at a time', async () => {
  const { client, queue, runs, redis } = await hanging({ health: { hangAfter: '3s', captureStack: true } });
  const suspects: number[] = [];
  await client.on('process.suspect', ({ data }) => suspects.push(data.slot as number));
  await until(async () => (await completed(queue)) === 1, { what: 'the job to complete', limitMs: 30_000 });
  expect(await redis.hvals(runs)).toEqual(['2']);
  expect(await redis.get(`${runs}:overlaps`)).toBeNull();
  const [job] = await queue.getCompleted();
  expect(job).toMatchObject({ stalledCounter: 1, returnvalue: 2 });
  const { document } = await client.request({ type: 'show', what: 'restarts' });
  const slots = document.slots as { slot: number; exits: Record<string, unknown>[] }[];
  const exits = slots.flatMap(({ exits: each }) => each);
  expect(exits).toEqual([
    expect.objectContaining({
      ...{ class: 'abnormal', cause: 'hang', signal: 'SIGKILL', jobs: [expect.objectContaining({ jobId: job?.id })] },
      reason: expect.stringMatching(/^its event loop stood still for \d+ ms$/),
      stderrTail: expect.stringMatching(/standing still for \d+ ms, in\n {4}at spin \(file:.*hanging-jobs\.mjs:\d+:\d+\)\n/),
    }),
  ]);
  expect(suspects).toHaveLength(1);
  if (process.env.HANG_TIMES) console.log(`hangAfter 3 s: ${String(exits[0]?.reason)}`);
});

test('a process that goes on after its locks ran out ends itself, even when no primary could kill it', async () => {
  const cluster = new TestCluster({ workers: 1, concurrency: 1, processes: { max: 1 }, lockDuration: '5s', lockRenewTime: '2s' });
  const { program, client } = await cluster.startReady();
  await untilStatus(client, 'the worker to run', ({ groups }) => groups[0]?.workers.running === 1);
  const queue = cluster.queue();
  const job = await queue.add('j', { gate: join(cluster.dir, 'gate') });
  const { processes } = await untilStatus(client, 'the job to be in hand', (status) => status.processes[0]?.jobsInHand === 1);
  const { pid } = processes[0] as (typeof processes)[number];
  const redis = cluster.redis();
  program.kill('SIGSTOP');
  process.kill(pid, 'SIGSTOP');
  const lock = `${cluster.prefix}:${QUEUE}:${job.id}:lock`;
  await until(async () => (await redis.exists(lock)) === 0, { what: 'the lock to run out' });
  process.kill(pid, 'SIGCONT');
  await until(() => !pidAlive(pid), { what: 'the process to be gone' });
  program.kill('SIGCONT');
  const after = await untilStatus(
    client,
    'the slot to have another process',
    ({ processes: [slot] }) => slot?.state === 'ready' && slot.pid !== pid,
  );
  expect(after.processes[0]?.lastExit).toMatchObject({ cause: 'hang' });
});

test('a blocked process is gone by the orphan deadline when its primary was killed', async () => {
  const { program, client, redis, runs } = await hanging({ lockDuration: '60s', lockRenewTime: '30s', health: { orphanDeadline: '2s' } });
  const { processes } = await client.request({ type: 'status' });
  await until(async () => (await redis.hvals(runs)).length === 1, { what: 'the job to run' });
  program.kill('SIGKILL');
  await until(() => processes.every(({ pid }) => !pidAlive(pid)), { what: 'all processes to be gone', limitMs: 8_000 });
});
