import { fileURLToPath } from 'node:url';
import { type Job, Queue } from '@drover/core';
import { atEnd } from '../support/at-end.js';
import { pidAlive, startNode } from '../support/process-harness.js';
import { freshPrefix, startOwnRedis, testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';
import { ForkedHost, group, HOST } from './forked-host.js';

/** A queue nobody else has, and a group that consumes it with `processor.mjs`. */
function jobs() {
  const prefix = freshPrefix();
  const queue = new Queue('mail', { connection: testRedisUrl(), prefix });
  atEnd(() => queue.close());
  const base = group('processor.mjs', { prefix });
  return { queue, config: { ...base, module: { ...base.module, kind: 'processor' as const } } };
}

async function running(host: ForkedHost, workers: string[], jobCount: number): Promise<void> {
  await host.ask({ type: 'start_workers', group: 'mail', workers });
  await host.fact('heartbeat', ({ jobsInHand }) => jobsInHand === jobCount);
}

const stateOf = async (job: Job): Promise<string> => job.getState();

describe('jobs in a process', () => {
  test('are run by its workers, counted in heartbeats, and finished by a drain', async () => {
    const { queue, config } = jobs();
    const added = await Promise.all([1, 2, 3].map(() => queue.add('send', { ms: 1_500 })));
    const host = await ForkedHost.ready(config);
    await running(host, ['mail#1'], 3);
    expect(host.told('heartbeat').at(-1)?.workers).toEqual({ 'mail#1': 3 });
    await expect(host.drain(20_000)).resolves.toMatchObject({ left: 3 });
    expect(await host.exit()).toEqual({ code: 0, signal: null });
    expect(host.told('drained')).toEqual([
      expect.objectContaining({ report: { finished: 3, aborted: 0, returned: [], lost: [], lingering: [] } }),
    ]);
    expect(await Promise.all(added.map(stateOf))).toEqual(['completed', 'completed', 'completed']);
  });

  test('that do not end by the deadline are given back, attempts untouched, and it exits 94', async () => {
    const { queue, config } = jobs();
    const deaf = await queue.add('deaf', { ms: 600_000, obeys: false });
    const obedient = await queue.add('obedient', { ms: 600_000 });
    const host = await ForkedHost.ready(config);
    await running(host, ['mail#1', 'mail#2'], 2);
    await host.drain(1_500, 1_000);
    expect(await host.exit()).toEqual({ code: 94, signal: null });
    const report = host.told('drained')[0]!.report;
    expect(report).toMatchObject({ finished: 0, aborted: 1, lost: [], lingering: [] });
    expect(report.returned.map(({ jobId }) => jobId).sort()).toEqual([deaf.id, obedient.id].sort());
    expect(host.told('drain_progress').at(-1)).toMatchObject({ left: 1, jobs: [{ queue: 'mail', jobId: deaf.id }] });
    expect(await Promise.all([deaf, obedient].map(stateOf))).toEqual(['waiting', 'waiting']);
    expect((await queue.getJob(deaf.id as string))?.attemptsMade).toBe(0);
  });

  test.each(['fast', 'now'] as const)('%s does not wait for the deadline', async (mode) => {
    const { queue, config } = jobs();
    await queue.add('deaf', { ms: 600_000, obeys: false });
    const host = await ForkedHost.ready(config);
    await running(host, ['mail#1'], 1);
    await host.drain(600_000, 200, mode);
    expect(await host.exit()).toEqual({ code: 94, signal: null });
    expect(host.told('drained')[0]?.report.returned).toHaveLength(1);
  });

  test('Redis that does not answer yet delays the boot and does not end it', async () => {
    const redis = await startOwnRedis();
    await redis.kill();
    const host = new ForkedHost();
    const { config } = jobs();
    await host.init({ ...config, connection: redis.url });
    await expect(host.ask({ type: 'start_workers', group: 'mail', workers: ['mail#1'] })).rejects.toMatchObject({ code: 'BUSY' });
    await redis.restart();
    await host.fact('ready');
    await host.ask({ type: 'start_workers', group: 'mail', workers: ['mail#1'] });
    await host.state('mail#1', 'running');
  });

  test('a second drain joins the first and shortens it', async () => {
    const { queue, config } = jobs();
    await queue.add('deaf', { ms: 600_000, obeys: false });
    const host = await ForkedHost.ready(config);
    await running(host, ['mail#1'], 1);
    await host.drain(600_000, 200);
    await host.drain(100, 50);
    expect(await host.exit()).toEqual({ code: 94, signal: null });
    expect(host.told('drained')).toHaveLength(1);
  });

  test('a job that outlives its worker lingers: reported, renewed, and finished once', async () => {
    const { queue, config } = jobs();
    const job = await queue.add('deaf', { ms: 1_500, obeys: false });
    const host = await ForkedHost.ready({ ...config, lockMs: 900, renewMs: 300, stalledIntervalMs: 500 });
    await running(host, ['mail#1'], 1);
    await host.ask({ type: 'start_workers', group: 'mail', workers: ['mail#2'] });
    await host.ask({ type: 'stop_workers', workers: ['mail#1'], drainMs: 100, abortLeadMs: 50, onTimeout: 'linger' });
    const gone = await host.state('mail#1', 'gone');
    expect(gone).toMatchObject({ jobsInHand: 1, lingering: [{ queue: 'mail', jobId: job.id }] });
    await until(() => host.change('mail#1')?.lingering === undefined, { what: 'the lingering job to be over' });
    expect(await stateOf(job)).toBe('completed');
    expect((await queue.getJob(job.id as string))?.attemptsMade).toBe(1);
    expect(host.change('mail#2')?.state).toBe('running');
  });

  test('a process whose primary was killed finishes what it can, broken pipes or not, and gives back the rest', async () => {
    const { queue, config } = jobs();
    const [slow, quick] = [await queue.add('deaf', { ms: 600_000, obeys: false }), await queue.add('quick', { ms: 2_000, talks: true })];
    const options = { host: HOST, groups: [config], workers: { mail: ['mail#1'] }, orphanDeadlineMs: 6_000 };
    const primary = startNode(fileURLToPath(new URL('./fixtures/lone-primary.mjs', import.meta.url)), [JSON.stringify(options)]);
    const pid = Number((await primary.line(/^running/)).split(' ')[1]);
    await until(async () => (await queue.getActiveCount()) === 2, { what: 'both jobs to run', everyMs: 50 });
    primary.kill('SIGKILL');
    await primary.exit();
    await until(() => !pidAlive(pid), { what: 'the orphan to end' });
    expect([await stateOf(slow), await stateOf(quick)]).toEqual(['waiting', 'completed']);
  });
});
