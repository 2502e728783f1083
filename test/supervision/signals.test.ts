/** Signals to the primary and the codes that it ends with: the tables of control-plane sections 12 and 13. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventEnvelope, OperationStatus } from '@drover/cluster/protocol';
import { brokenInvariants } from '../support/invariants.js';
import { pidAlive } from '../support/process-harness.js';
import { until } from '../support/until.js';
import { completed, QUEUE, TestCluster, untilStatus } from './support.js';

/** Far longer than a test may take: whoever ends in time did not wait for it. */
const PATIENT = { deadline: '10m', abortLead: '5m' };

/** A cluster with one job in hand. */
async function busy({ drain = PATIENT, ignoresAbort = false }: { drain?: object; ignoresAbort?: boolean } = {}) {
  const cluster = new TestCluster({ workers: 2, concurrency: 1, drain });
  const { program, client } = await cluster.startReady();
  const queue = cluster.queue();
  const gate = join(cluster.dir, 'gate');
  await queue.add('j', { gate, ignoresAbort, runs: cluster.runs });
  const { processes } = await untilStatus(
    client,
    'the job to be in hand',
    (status) => status.processes.length === 2 && status.processes.some(({ jobsInHand }) => jobsInHand === 1),
  );
  const stops = () => program.output.split('\n').filter((line) => line.includes('"the primary stops"'));
  const modes = () => stops().map((line) => /"mode":"(\w+)"/.exec(line)?.[1]);
  const untilModes = (count: number) => until(() => modes().length === count, { what: `${count} stops` });
  const open = () => writeFileSync(gate, '');
  return { cluster, program, client, queue, pids: processes.map(({ pid }) => pid), modes, untilModes, open };
}

/** The job went back, uncharged, and nobody is left. */
async function expectReturned({ cluster, queue, pids }: Awaited<ReturnType<typeof busy>>): Promise<void> {
  const [job] = await queue.getJobs(['waiting']);
  expect(job).toMatchObject({ attemptsMade: 0, stalledCounter: 0 });
  expect(pids.filter(pidAlive)).toEqual([]);
  expect(await brokenInvariants(cluster.redis(), QUEUE, { prefix: cluster.prefix, isIdle: true })).toEqual([]);
}

test('SIGTERM drains; further ones change nothing: the job is waited for, and the code is 0', async () => {
  const { program, queue, modes, untilModes, open } = await busy();
  for (const count of [1, 2, 3]) {
    program.kill('SIGTERM');
    await untilModes(count);
  }
  expect(modes()).toEqual(['drain', 'drain', 'drain']);
  open();
  expect(await program.exit()).toEqual({ code: 0, signal: null });
  expect(await completed(queue)).toBe(1);
});

test('SIGINT drains, the second one aborts the jobs, and the third gives back what ignored that: 80', async () => {
  const rig = await busy({ ignoresAbort: true });
  for (const count of [1, 2, 3]) {
    rig.program.kill('SIGINT');
    await rig.untilModes(count);
  }
  expect(await rig.program.exit()).toEqual({ code: 80, signal: null });
  expect(rig.modes()).toEqual(['drain', 'fast', 'now']);
  await expectReturned(rig);
});

test.each([[['SIGQUIT']], [['SIGTERM', 'SIGQUIT']], [['SIGTERM', 'SIGINT', 'SIGINT']]] as const)(
  '%j aborts the jobs at once and gives them back: 80',
  async (signals) => {
    const rig = await busy();
    for (const [sent, signal] of signals.entries()) {
      rig.program.kill(signal);
      await rig.untilModes(sent + 1);
    }
    expect(await rig.program.exit()).toEqual({ code: 80, signal: null });
    expect(rig.modes().at(-1)).toBe('fast');
    await expectReturned(rig);
  },
);

test('a later stop sharpens the one under way and is the same operation; a gentler one does not soften it', async () => {
  const rig = await busy({ ignoresAbort: true });
  const draining: EventEnvelope[] = [];
  await rig.client.on('primary.draining', (event) => draining.push(event));
  const ended = new Promise<OperationStatus>(
    (resolve) => void rig.client.on('op', ({ data }) => resolve(data as unknown as OperationStatus)),
  );
  const replies = [];
  for (const command of [{ mode: 'drain', drainMs: 500_000 }, { mode: 'fast' }, { mode: 'drain' }, { mode: 'now' }] as const) {
    replies.push(await rig.client.request({ type: 'stop', ...command }));
  }
  expect(new Set(replies.map((reply) => 'opId' in reply && reply.opId)).size).toBe(1);
  expect(await ended).toMatchObject({ verb: 'stop', state: 'done', result: { exitCode: 80, drained: { finished: 0, lost: [] } } });
  expect((await rig.program.exit()).code).toBe(80);
  expect(rig.modes()).toEqual(['drain', 'fast', 'fast', 'now']);
  expect(draining).toHaveLength(1);
  await expectReturned(rig);
});

test.each(['SIGHUP', 'SIGUSR2', 'SIGTSTP', 'SIGCONT'] as const)(
  '%s without a terminal is noted at most, and the primary goes on',
  async (signal) => {
    const { program, client } = await new TestCluster().startReady();
    program.kill(signal);
    if (signal !== 'SIGCONT') await program.line(`"signal":"${signal}"`);
    expect((await client.request({ type: 'status' })).state).toBe('running');
    program.kill('SIGTERM');
    expect((await program.exit()).code).toBe(0);
  },
);

test('processes leave signals to their primary: a job goes on through all of them', async () => {
  const { program, client, queue, pids, open } = await busy();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGUSR2'] as const) {
    for (const pid of pids) process.kill(pid, signal);
  }
  open();
  await until(async () => (await completed(queue)) === 1, { what: 'the job to complete' });
  const { processes } = await client.request({ type: 'status' });
  expect(processes.map(({ pid, restarts }) => [pid, restarts])).toEqual(pids.map((pid) => [pid, 0]));
  program.kill('SIGTERM');
  expect((await program.exit()).code).toBe(0);
});

test('sizes that are to be remembered and have no private place: 78, one line, and the name stays free', async () => {
  const cluster = new TestCluster({ persistScale: true });
  const preload = join(import.meta.dirname, 'fixtures', 'no-private-place.mjs');
  const program = cluster.start({ nodeArgs: ['--import', preload], env: { OPEN_DIR: cluster.dir } });
  expect((await program.exit()).code).toBe(78);
  expect(program.stderr).toMatch(/^drover: persistScale needs a private directory, and there is none: [^\n]+\n$/);
  expect(program.stdout).toBe('');
});
