/** Rolling reload with real forks and a real Redis: nothing is lost, new code runs, a broken release changes nothing. */
import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ControlClient, ControlFailure } from '@drover/cluster/protocol';
import { drover } from '../support/cli.js';
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

test('acceptance 9: a reload to a broken release leaves the old processes as they are, and ends with 1 on the command line', async () => {
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
  const { code, stdout, stderr } = await drover(['reload', '--socket', cluster.socket]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('the reload stopped at its first failure: process 4: ');
  const again = await client.request({ type: 'status' });
  expect(again.processes.map(({ pid }) => pid)).toEqual(before.processes.map(({ pid }) => pid));
  expect(again.generation).toBe(1);
});

test('acceptance 8: what is scaled during a reload is counted at once and carried out after it', async () => {
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

/** The slots that there are, and that no one is left over: not in status, and not as a process. */
async function slotsOf(client: ControlClient): Promise<number[]> {
  const { processes } = await client.request({ type: 'status' });
  expect(processes.map(({ state }) => state)).toEqual(processes.map(() => 'ready'));
  return processes.map(({ slot }) => slot);
}

test('acceptance 8: a reload during a drain waits until the drain is over', async () => {
  const cluster = new TestCluster({ workers: 2, concurrency: 1, processes: { max: 2 } });
  const { client } = await cluster.startReady();
  const before = await untilStatus(client, 'both workers to run', ({ groups }) => groups[0]?.workers.running === 2);
  const queue = cluster.queue();
  const gate = join(cluster.dir, 'gate');
  await queue.addBulk([1, 2].map(() => ({ name: 'j', data: { gate } })));
  await untilStatus(client, 'both to have a job in hand', ({ processes }) => processes.every(({ jobsInHand }) => jobsInHand === 1));
  const down = await client.request({ type: 'scale_down', count: 1 });
  const reload = await client.request({ type: 'reload', probationMs: 0 });
  const draining = await untilStatus(client, 'one to drain', ({ processes }) => processes.some(({ state }) => state === 'draining'));
  expect(draining.operations.find(({ opId }) => opId === reload.opId)?.state).toBe('accepted');
  expect(draining.processes).toHaveLength(2);
  writeFileSync(gate, '');
  expect(await client.request({ type: 'operation', opId: reload.opId, wait: true })).toMatchObject({ state: 'done' });
  expect(await client.request({ type: 'operation', opId: down.opId })).toMatchObject({ state: 'done' });
  expect(await slotsOf(client)).toHaveLength(1);
  const after = await client.request({ type: 'status' });
  expect(before.processes.map(({ pid }) => pid)).not.toContain(after.processes[0]?.pid);
  expect(await completed(queue)).toBe(2);
});

test('acceptance 8: a second reload is refused and names the first, and a restart or recycle, too', async () => {
  const { cluster } = released();
  const { client } = await cluster.startReady();
  await untilStatus(client, 'all workers to run', isFull);
  const { opId } = await client.request({ type: 'reload', probationMs: 0 });
  for (const command of [{ type: 'reload' }, { type: 'restart', slot: 0 }, { type: 'recycle' }] as const) {
    await expect(client.request(command)).rejects.toMatchObject({ code: 'BUSY', details: { opId } });
  }
  expect(await client.request({ type: 'operation', opId, wait: true })).toMatchObject({ state: 'done', result: { generation: 2 } });
  expect(await slotsOf(client)).toHaveLength(PROCESSES);
  expect((await client.run({ type: 'reload', probationMs: 0 })).result).toMatchObject({ generation: 3 });
  expect(await slotsOf(client)).toHaveLength(PROCESSES);
});

test('a stop during a reload wins: the reload fails with DRAINING and nothing is left', async () => {
  const { cluster } = released();
  const { program, client } = await cluster.startReady();
  await untilStatus(client, 'all workers to run', isFull);
  const reload = client.run({ type: 'reload', probationMs: 60_000 }).catch((error: unknown) => error);
  await untilStatus(client, 'a new one to be there', ({ processes }) => processes.length > PROCESSES);
  await client.run({ type: 'stop' });
  expect(await reload).toMatchObject({ code: 'DRAINING' });
  expect((await program.exit(10_000)).code).toBe(0);
});

test('SIGUSR2 reloads, without surplus when one process may be away instead', async () => {
  const { cluster } = released();
  const { program, client } = await cluster.startReady();
  await untilStatus(client, 'all workers to run', isFull);
  program.child.kill('SIGUSR2');
  await untilStatus(client, 'the second release', ({ generation, operations }) => generation === 2 && operations[0]?.state === 'done');
  let most = 0;
  const count = async (): Promise<void> => {
    most = Math.max(most, (await client.request({ type: 'status' })).processes.filter(({ state }) => state !== 'gone').length);
  };
  const { result } = await client.run({ type: 'reload', maxUnavailable: 1, probationMs: 0 }, { progress: () => void count() });
  expect(result).toMatchObject({ generation: 3, replaced: [...Array(PROCESSES).keys()].map(() => expect.any(Number)) });
  expect(most).toBeLessThanOrEqual(PROCESSES);
  expect(await slotsOf(client)).toHaveLength(PROCESSES);
});
