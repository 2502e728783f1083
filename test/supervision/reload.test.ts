/** Rolling reload with real forks and a real Redis: nothing is lost, new code runs, a broken release changes nothing. */
import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ControlFailure } from '@drover/cluster/protocol';
import { until } from '../support/until.js';
import { completed, TestCluster, untilStatus } from './support.js';

const PROCESSES = 4;

/** A cluster of four processes that runs what the link `current` names, and a way to put another release in its place. */
function released() {
  const cluster = new TestCluster({
    processor: './current/processor.mjs',
    workers: PROCESSES,
    concurrency: 5,
    processes: { max: PROCESSES },
  });
  const release = (name: string, code: string): void => {
    const dir = join(cluster.dir, name);
    mkdirSync(dir);
    writeFileSync(join(dir, 'processor.mjs'), code);
    const link = join(cluster.dir, 'current');
    if (name !== 'one') unlinkSync(link);
    symlinkSync(dir, link);
  };
  release(
    'one',
    "import { setTimeout as delay } from 'node:timers/promises'; export default async () => { await delay(10); return 'one'; };",
  );
  return { cluster, release };
}

const isFull = ({ groups, processes }: { groups: { workers: { running: number } }[]; processes: { state: string }[] }): boolean =>
  groups[0]?.workers.running === PROCESSES && processes.every(({ state }) => state === 'ready');

test('under load nothing is lost or charged, the count stays, and the code of the new release runs', async () => {
  const { cluster, release } = released();
  const { client } = await cluster.startReady();
  await untilStatus(client, 'all workers to run', isFull);
  const queue = cluster.queue();
  await queue.addBulk(Array.from({ length: 4_000 }, () => ({ name: 'j', data: {} })));
  const before = await client.request({ type: 'status' });
  release(
    'two',
    "import { setTimeout as delay } from 'node:timers/promises'; export default async () => { await delay(10); return 'two'; };",
  );
  const counts: number[] = [];
  const reload = client.run(
    { type: 'reload', probationMs: 0 },
    { progress: () => void client.request({ type: 'worker_count' }).then(({ count }) => counts.push(count)) },
  );
  const busy = await client.request({ type: 'reload' }).catch((error: unknown) => error);
  const { result } = await reload;
  expect(busy).toMatchObject({ code: 'BUSY' });
  expect(result).toMatchObject({ generation: 2 });
  expect(counts.every((count) => count === PROCESSES)).toBe(true);
  const after = await client.request({ type: 'status' });
  const pids = new Set(before.processes.map(({ pid }) => pid));
  expect(after.processes).toHaveLength(PROCESSES);
  expect(after.processes.some(({ pid }) => pids.has(pid))).toBe(false);
  const last = await queue.add('last', {});
  await until(async () => (await completed(queue)) === 4_001, { what: 'all jobs to complete' });
  const jobs = await queue.getJobs(['completed']);
  expect(jobs.filter(({ attemptsMade, stalledCounter }) => attemptsMade !== 1 || stalledCounter > 0)).toEqual([]);
  expect(jobs.find(({ id }) => id === last.id)?.returnvalue).toBe('two');
});

test('a broken release leaves the old processes as they are', async () => {
  const { cluster, release } = released();
  const { client } = await cluster.startReady();
  const before = await untilStatus(client, 'all workers to run', isFull);
  release('two', "throw new Error('this release is broken');");
  const failure = await client.run({ type: 'reload', probationMs: 0 }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ControlFailure);
  expect(failure).toMatchObject({
    code: 'GAVE_UP',
    details: { replaced: [], stderrTail: expect.stringContaining('this release is broken') },
  });
  const after = await client.request({ type: 'status' });
  expect(after.processes.map(({ pid }) => pid)).toEqual(before.processes.map(({ pid }) => pid));
  expect(isFull(after)).toBe(true);
});

test('what is scaled during a reload is counted at once and carried out after it', async () => {
  const { cluster } = released();
  const { client } = await cluster.startReady();
  await untilStatus(client, 'all workers to run', isFull);
  const { opId } = await client.request({ type: 'reload', probationMs: 0 });
  await until(async () => (await client.request({ type: 'operation', opId })).state === 'running' || undefined, {
    what: 'the reload to begin',
  });
  const up = client.run({ type: 'scale_up', count: 2 });
  expect((await client.request({ type: 'worker_count' })).count).toBe(PROCESSES + 2);
  await up;
  expect((await client.request({ type: 'operation', opId })).state).toBe('done');
  const { groups, processes } = await client.request({ type: 'status' });
  expect(groups[0]?.workers).toMatchObject({ desired: PROCESSES + 2, running: PROCESSES + 2 });
  expect(processes).toHaveLength(PROCESSES);
});
