import type { Beat } from './observed-state.js';
import { countReply, listReply, statusReply, type View } from './snapshot.js';
import { groupConfig } from './testing/group-config.js';
import { ModelCluster } from './testing/model-cluster.js';

const beat = (workers: Beat['workers'] = {}): Beat => ({
  ...{ loopDelayP99Ms: 2, loopUtilization: 0.25, rssBytes: 5, heapUsedBytes: 3, cpuMs: 1 },
  jobsInHand: Object.values(workers).reduce((sum, jobs) => sum + jobs, 0),
  jobsCompleted: 0,
  jobsFailed: 0,
  workers,
});

function view(cluster: ModelCluster, changes: Partial<View> = {}): View {
  const { desired, observed, clock } = cluster;
  const unplaced = cluster.plan().unplaced;
  return {
    ...{ name: 'drover', state: 'running', desired, observed, unplaced, suspects: new Set(), restartsLeft: 10, now: clock.now() },
    isDegraded: () => false,
    ...changes,
  };
}

function running(count: number, max = 2): ModelCluster {
  const cluster = new ModelCluster({ workersPerProcess: 1, min: 1, max, forkBatch: 2, workersPerMessage: 256 }, [
    groupConfig('mail'),
    groupConfig('pdf'),
  ]);
  cluster.scaleTo(count);
  cluster.settle();
  return cluster;
}

test('the count is running and starting, draining and parked are apart', () => {
  const cluster = running(4, 1);
  const incarnation = cluster.observed.slot(0)?.incarnation as string;
  const fact = (worker: string, state: 'draining' | 'parked') => ({ worker, state, jobsInHand: 0, restarts: 0 });
  cluster.observed.apply({ type: 'workers', slot: 0, incarnation, changes: [fact('mail#4', 'parked')] });
  cluster.desired.grow('mail', 1);
  cluster.desired.shrink('mail', 1, () => ['mail#1']);
  cluster.observed.apply({ type: 'workers', slot: 0, incarnation, changes: [fact('mail#1', 'draining')] });
  expect(countReply(view(cluster))).toEqual({
    count: 3,
    workers: { desired: 4, running: 2, starting: 1, draining: 1, parked: 1 },
    groups: {
      mail: { desired: 4, running: 2, starting: 1, draining: 1, parked: 1 },
      pdf: { desired: 0, running: 0, starting: 0, draining: 0, parked: 0 },
    },
  });
  expect(countReply(view(cluster), 'pdf')).toMatchObject({ count: 0, groups: { pdf: { desired: 0 } } });
});

test('the workers of a process that died are starting, and counted', () => {
  const cluster = running(2);
  cluster.kill(1);
  expect(countReply(view(cluster)).workers).toMatchObject({ running: 1, starting: 1 });
});

test('workers that fit nowhere are parked', () => {
  const cluster = running(1, 1);
  cluster.park(0);
  expect(countReply(view(cluster)).workers).toMatchObject({ desired: 1, starting: 0, parked: 1 });
});

test('status tells of processes with the jobs that their workers have in hand', () => {
  const cluster = running(2);
  const incarnation = cluster.observed.slot(0)?.incarnation as string;
  cluster.observed.apply({ type: 'heartbeat', slot: 0, incarnation, beat: beat({ 'mail#1': 3 }) });
  cluster.clock.advance(1_500);
  expect(statusReply(view(cluster, { suspects: new Set([1]) }), []).processes).toMatchObject([
    { slot: 0, state: 'ready', suspect: false, workers: { 'mail#1': 3 }, jobsInHand: 3, uptimeMs: 1_500 },
    { slot: 1, state: 'ready', suspect: true, workers: { 'mail#2': 0 }, restarts: 0 },
  ]);
});

test('of workers that do not tell what they have in hand there is no number, only how many they are', () => {
  const module = { kind: 'worker', url: 'file:///worker.mjs' } as const;
  const cluster = new ModelCluster({ workersPerProcess: 1, min: 1, max: 1, forkBatch: 2, workersPerMessage: 256 }, [
    groupConfig('mail'),
    { ...groupConfig('pdf'), module },
  ]);
  cluster.scaleTo(1);
  cluster.scaleTo(2, 'pdf');
  cluster.settle();
  const incarnation = cluster.observed.slot(0)?.incarnation as string;
  cluster.observed.apply({ type: 'heartbeat', slot: 0, incarnation, beat: beat({ 'mail#1': 3 }) });
  expect(statusReply(view(cluster), []).processes).toMatchObject([{ jobsInHand: 3, untold: 2 }]);
  const [mail, pdf] = listReply(view(cluster), { what: 'workers' }).items;
  expect(mail).toMatchObject({ worker: 'mail#1', jobsInHand: 3 });
  expect(pdf).not.toHaveProperty('jobsInHand');
});

test('status of thousands of workers names the busy ones only', () => {
  const cluster = running(5_000);
  const incarnation = cluster.observed.slot(0)?.incarnation as string;
  cluster.observed.apply({ type: 'heartbeat', slot: 0, incarnation, beat: beat({ 'mail#1': 1 }) });
  const status = statusReply(view(cluster), []);
  expect(status.processes[0]?.workers).toEqual({ 'mail#1': 1 });
  expect(JSON.stringify(status).length).toBeLessThan(65_536);
});

test('lists come in pages, by group and age, each worker once', () => {
  const cluster = running(120);
  cluster.scaleTo(2, 'pdf');
  const names: string[] = [];
  let after: string | undefined;
  do {
    const reply = listReply(view(cluster), { what: 'workers', ...(after !== undefined && { after }) });
    expect(reply.items.length).toBeLessThanOrEqual(50);
    for (const item of reply.items) if ('worker' in item) names.push(item.worker);
    after = reply.next;
  } while (after !== undefined);
  expect(names).toEqual([...Array.from({ length: 120 }, (_, i) => `mail#${i + 1}`), 'pdf#1', 'pdf#2']);
});

test('lists can be of one slot, one group, and of processes', () => {
  const cluster = running(4);
  expect(listReply(view(cluster), { what: 'workers', slot: 1 }).items).toMatchObject([{ worker: 'mail#2' }, { worker: 'mail#4' }]);
  expect(listReply(view(cluster), { what: 'workers', group: 'pdf' }).items).toEqual([]);
  expect(listReply(view(cluster), { what: 'processes', limit: 1 })).toMatchObject({ items: [{ slot: 0 }], next: '0' });
  expect(listReply(view(cluster), { what: 'processes', after: '0' })).toMatchObject({ items: [{ slot: 1 }] });
});
