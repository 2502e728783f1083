/** Processes that are replaced because of their memory or their jobs, with real forks and a real Redis. */
import { type ControlClient, RestartsDocument } from '@drover/cluster/protocol';
import { atEnd } from '../support/at-end.js';
import { until } from '../support/until.js';
import { completed, fixture, TestCluster, untilStatus } from './support.js';

interface Recycled {
  readonly state: string;
  readonly reason?: string;
  readonly rssBytes: number;
}

const MB = 1_024 ** 2;
const common = { processor: fixture('leaking-jobs.mjs'), workers: 2, concurrency: 1, processes: { max: 2 } };

async function start(config: Record<string, unknown>) {
  const cluster = new TestCluster({ ...common, ...config });
  const { client } = await cluster.startReady();
  const events = await recycleEvents(client);
  const status = await untilStatus(client, 'both workers to run', ({ groups }) => groups[0]?.workers.running === 2);
  return { cluster, client, events, pids: status.processes.map(({ pid }) => pid) };
}

async function recycleEvents(client: ControlClient): Promise<Recycled[]> {
  const events: Recycled[] = [];
  atEnd(await client.on('recycle', ({ data }) => void events.push(data as unknown as Recycled)));
  return events;
}

test('acceptance 18: processes of a leaking job are recycled: no job is lost or charged, and no storm begins', async () => {
  const softMb = 180;
  const { cluster, events } = await start({ memory: { soft: `${softMb}mb` }, recycle: { minInterval: '500ms' } });
  const queue = cluster.queue();
  const count = 1_200;
  await queue.addBulk(Array.from({ length: count }, () => ({ name: 'leak', data: { bytes: MB / 2 } })));
  await until(async () => (await completed(queue)) === count, { what: 'all jobs to complete', limitMs: 60_000 });
  const jobs = await queue.getJobs(['completed']);
  expect(jobs.filter(({ attemptsMade, stalledCounter }) => attemptsMade !== 1 || stalledCounter > 0)).toEqual([]);
  const begun = events.filter(({ state }) => state === 'begun');
  expect(begun.length).toBeGreaterThanOrEqual(1);
  expect(begun.length).toBeLessThanOrEqual(12); // each had to leak a good part of the limit first
  expect(begun.every(({ reason, rssBytes }) => reason === 'memory' && rssBytes >= softMb * MB)).toBe(true);
  expect(events.filter(({ state }) => state === 'stopped')).toEqual([]);
});

test('acceptance 18: processes born over their limit are let be, and that is said', async () => {
  const { cluster, client, events, pids } = await start({ memory: { soft: '1mb', hard: '2mb' } });
  await until(() => events.length === 2 || undefined, { what: 'recycling to stop' });
  expect(events.every(({ state }) => state === 'stopped')).toBe(true);
  const queue = cluster.queue();
  await queue.addBulk(Array.from({ length: 100 }, () => ({ name: 'j', data: {} })));
  await until(async () => (await completed(queue)) === 100, { what: 'all jobs to complete' });
  const { processes } = await client.request({ type: 'status' });
  expect(processes.map(({ pid }) => pid)).toEqual(pids);
  expect(events).toHaveLength(2);
});

test('a process beyond its hard limit drains and comes back in its place', async () => {
  const { cluster, client, events } = await start({ memory: { hard: '180mb' }, recycle: { minInterval: '500ms' } });
  const queue = cluster.queue();
  await queue.addBulk(Array.from({ length: 800 }, () => ({ name: 'leak', data: { bytes: MB / 2 } })));
  await until(async () => (await completed(queue)) === 800, { what: 'all jobs to complete', limitMs: 60_000 });
  const jobs = await queue.getJobs(['completed']);
  expect(jobs.filter(({ attemptsMade, stalledCounter }) => attemptsMade !== 1 || stalledCounter > 0)).toEqual([]);
  expect(events.length).toBeGreaterThanOrEqual(1);
  const { document } = await client.request({ type: 'show', what: 'restarts' });
  const exits = RestartsDocument.parse(document).slots.flatMap((slot) => slot.exits);
  expect(exits.length).toBeGreaterThanOrEqual(1);
  expect(exits.every((exit) => exit.class === 'planned' && exit.cause === 'recycle')).toBe(true);
});

test('processes are replaced after the number of jobs that they may run', async () => {
  const { cluster, events } = await start({ recycle: { maxJobs: 50, minInterval: '100ms' } });
  const queue = cluster.queue();
  await queue.addBulk(Array.from({ length: 600 }, () => ({ name: 'j', data: {} })));
  await until(async () => (await completed(queue)) === 600, { what: 'all jobs to complete', limitMs: 60_000 });
  expect(events.length).toBeGreaterThanOrEqual(1);
  expect(events.every(({ state, reason }) => state === 'begun' && reason === 'max_jobs')).toBe(true);
  const jobs = await queue.getJobs(['completed']);
  expect(new Set(jobs.map(({ returnvalue }) => returnvalue)).size).toBeGreaterThan(2);
});
