import { groupConfig } from './testing/group-config.js';
import { ModelCluster } from './testing/model-cluster.js';

const limits = { workersPerProcess: 1, min: 1, max: 4, forkBatch: 2, workersPerMessage: 256 };
const kinds = (cluster: ModelCluster) => cluster.settle().map((action) => `${action.do} ${action.slot}`);

describe('the worked example of the architecture page, min 1, max 4', () => {
  const cluster = new ModelCluster(limits);

  test('start with WORKER_COUNT=2 forks 0 and 1', () => {
    cluster.scaleTo(2);
    expect(kinds(cluster).filter((kind) => kind.startsWith('open'))).toEqual(['open 0', 'open 1']);
    expect(cluster.layout()).toEqual({ 0: '1', 1: '2' });
  });

  test('scale_up 4 opens 2 and 3 and starts #5 and #6 at once', () => {
    cluster.scaleTo(6);
    const [first, second, third, fourth] = cluster.plan().actions;
    expect([first, second]).toMatchObject([
      { do: 'open', slot: 2 },
      { do: 'open', slot: 3 },
    ]);
    expect([third, fourth]).toMatchObject([
      { do: 'start', slot: 0, workers: ['mail#5'] },
      { do: 'start', slot: 1, workers: ['mail#6'] },
    ]);
    cluster.settle();
    expect(cluster.layout()).toEqual({ 0: '1 5', 1: '2 6', 2: '3', 3: '4' });
  });

  test('kill -9 of slot 1 changes no assignment; its workers start in the next incarnation', () => {
    cluster.kill(1);
    expect(cluster.plan().actions).toEqual([]);
    cluster.boot(1);
    expect(cluster.plan().actions.find((action) => action.do === 'start')).toMatchObject({ slot: 1, workers: ['mail#2', 'mail#6'] });
    cluster.settle();
    expect(cluster.layout()).toEqual({ 0: '1 5', 1: '2 6', 2: '3', 3: '4' });
  });

  test('a parked slot gives its workers to the others and counts against the maximum', () => {
    cluster.park(1);
    expect(kinds(cluster).some((kind) => kind.startsWith('open'))).toBe(false);
    expect(cluster.layout()).toEqual({ 0: '1 5', 1: 'parked', 2: '2 3', 3: '4 6' });
  });

  test('scale_down drains the oldest; there is nothing to retire', () => {
    cluster.scaleTo(5);
    expect(kinds(cluster)).toEqual(['stop 0']);
    expect(cluster.layout()).toEqual({ 0: '5', 1: 'parked', 2: '2 3', 3: '4 6' });
  });

  test('scale_to 2 retires slot 2, whose drain covers #2 and #3, and drains #4', () => {
    cluster.scaleTo(2);
    expect(kinds(cluster)).toEqual(['stop 3', 'share 0', 'share 3', 'retire 2']);
    expect(cluster.layout()).toEqual({ 0: '5', 1: 'parked', 3: '6' });
  });

  test('scale_up takes 2 again, the lowest free number', () => {
    cluster.scaleTo(3);
    expect(kinds(cluster).filter((kind) => !kind.startsWith('share'))).toEqual(['open 2', 'start 2']);
    expect(cluster.layout()).toEqual({ 0: '5', 1: 'parked', 2: '7', 3: '6' });
  });

  test('with slot 1 released, scale_to 1000 makes 250 each, in messages of 256 at most', () => {
    cluster.boot(1);
    cluster.scaleTo(1_000);
    const started = cluster.settle().flatMap((action) => (action.do === 'start' ? [action.workers.length] : []));
    expect(started.reduce((sum, size) => sum + size)).toBe(997);
    expect(Math.max(...started)).toBeLessThanOrEqual(256);
    expect(Object.values(cluster.layout()).map((numbers) => numbers.split(' ').length)).toEqual([250, 250, 250, 250]);
  });
});

describe('planReconcile', () => {
  test('planned twice from the same state is the same', () => {
    const cluster = new ModelCluster(limits);
    cluster.scaleTo(9);
    expect(cluster.plan()).toEqual(cluster.plan());
  });

  test('keeps the minimum of processes without workers', () => {
    const cluster = new ModelCluster({ ...limits, min: 2 });
    cluster.settle();
    expect(cluster.observed.slots().map((slot) => slot.slot)).toEqual([0, 1]);
  });

  test('boots two processes at once, whatever is wanted', () => {
    const cluster = new ModelCluster({ ...limits, max: 16 });
    cluster.scaleTo(16);
    const opened = cluster.plan().actions.filter((action) => action.do === 'open');
    expect(opened.map((action) => action.slot)).toEqual([0, 1]);
    for (const { slot } of opened) cluster.observed.apply({ type: 'opened', slot, generation: 1 });
    expect(cluster.plan().actions).toEqual([]);
    cluster.boot(0);
    expect(
      cluster
        .plan()
        .actions.filter((action) => action.do === 'open')
        .map((action) => action.slot),
    ).toEqual([2]);
  });

  test('a process on its way out counts against the maximum until it is gone', () => {
    const cluster = new ModelCluster({ ...limits, max: 2 });
    cluster.scaleTo(2);
    cluster.settle();
    cluster.scaleTo(1);
    expect(cluster.plan().actions).toMatchObject([
      { do: 'share', slot: 1, share: 1 },
      { do: 'retire', slot: 0 },
    ]);
    cluster.observed.apply({ type: 'retiring', slot: 0 });
    cluster.scaleTo(2);
    expect(cluster.plan().actions.filter((action) => action.do === 'open')).toEqual([]);
    cluster.observed.apply({ type: 'freed', slot: 0 });
    expect(cluster.plan().actions.filter((action) => action.do === 'open')).toMatchObject([{ slot: 0 }]);
  });

  test('a worker that was given up stays where it is and is not started again', () => {
    const cluster = new ModelCluster(limits);
    cluster.scaleTo(1);
    cluster.settle();
    const incarnation = cluster.observed.slot(0)?.incarnation as string;
    const change = { worker: 'mail#1', state: 'parked', jobsInHand: 0, restarts: 5, error: 'no' } as const;
    cluster.observed.apply({ type: 'workers', slot: 0, incarnation, changes: [change] });
    expect(cluster.plan()).toMatchObject({ actions: [], settled: new Set(['mail']) });
  });

  test('a group is settled once its workers run and nothing is on its way out; a lingering job does not hold it up', () => {
    const cluster = new ModelCluster({ ...limits, max: 1 }, [groupConfig('mail'), groupConfig('pdf')]);
    cluster.scaleTo(2, 'mail');
    expect(cluster.plan().settled).toEqual(new Set(['pdf']));
    cluster.settle();
    expect(cluster.plan().settled).toEqual(new Set(['mail', 'pdf']));
    cluster.scaleTo(1, 'mail');
    expect(cluster.plan().settled).toEqual(new Set(['pdf']));
    const incarnation = cluster.observed.slot(0)?.incarnation as string;
    const draining = { worker: 'mail#1', state: 'draining', jobsInHand: 1, restarts: 0 } as const;
    cluster.observed.apply({ type: 'workers', slot: 0, incarnation, changes: [draining] });
    expect(cluster.plan()).toMatchObject({ actions: [], settled: new Set(['pdf']) });
    const lingering = [{ queue: 'mail', jobId: '1', startedAt: 0 }];
    cluster.observed.apply({ type: 'workers', slot: 0, incarnation, changes: [{ ...draining, lingering }] });
    expect(cluster.plan().settled).toEqual(new Set(['mail', 'pdf']));
  });

  test('workers that fit nowhere are named', () => {
    const cluster = new ModelCluster({ ...limits, max: 1 });
    cluster.scaleTo(2);
    cluster.settle();
    cluster.park(0);
    expect(cluster.plan()).toMatchObject({ actions: [], unplaced: new Set(['mail#1', 'mail#2']) });
  });
});

test('slots that wait for a parked one count as parked: their workers fit nowhere, and the group is settled', () => {
  const cluster = new ModelCluster({ ...limits, max: 2 });
  cluster.scaleTo(2);
  cluster.settle();
  cluster.park(0);
  cluster.kill(1);
  cluster.heldUp = new Set([1]);
  const plan = cluster.plan();
  expect(plan.actions).toEqual([]);
  expect([...plan.unplaced].sort()).toEqual(['mail#1', 'mail#2']);
  expect(plan.settled.has('mail')).toBe(true);
});
