import { ManualClock, silentLogger } from '@drover/core/kit';
import { ControlFailure } from '../protocol/index.js';
import { DesiredState } from './desired-state.js';
import { ObservedState } from './observed-state.js';
import type { Action, Plan } from './plan-reconcile.js';
import { Reconciler } from './reconciler.js';
import { groupConfig } from './testing/group-config.js';

const limits = { workersPerProcess: 1, min: 1, max: 2, forkBatch: 2, workersPerMessage: 256 };

/** A reconciler whose steps are recorded and end as the test says. */
class Bench {
  readonly clock = new ManualClock();
  readonly desired = new DesiredState([groupConfig()], { maxWorkersHard: 100 });
  readonly observed = new ObservedState(this.clock);
  readonly taken: string[] = [];
  readonly plans: Plan[] = [];
  outcome: (action: Action) => Promise<void> = () => Promise.resolve();
  readonly reconciler = new Reconciler(this.desired, this.observed, limits, {
    clock: this.clock,
    logger: silentLogger,
    take: (action) => {
      this.taken.push(`${action.do} ${'workers' in action ? action.workers.join(' ') : action.slot}`);
      return this.outcome(action);
    },
    holds: () => ({ trials: new Set(), isFrozen: false }),
    heldUp: () => new Set(),
    onPass: (plan) => this.plans.push(plan),
  });

  async settle(ms = 0): Promise<void> {
    this.clock.advance(ms);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  ready(slot: number): void {
    this.observed.apply({ type: 'forked', slot, incarnation: `i${slot}`, pid: 1, share: 1 });
    this.observed.apply({ type: 'ready', slot, incarnation: `i${slot}` });
    this.reconciler.wake();
  }

  worker(worker: string, state: 'running' | 'gone'): void {
    const slot = this.observed.workers.get(worker)?.slot as number;
    this.observed.apply({ type: 'workers', slot, incarnation: `i${slot}`, changes: [{ worker, state, jobsInHand: 0, restarts: 0 }] });
    this.reconciler.wake();
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
  bench.desired.grow('mail', 1);
  bench.reconciler.start();
});

test('a worker is started once its slot is ready, and each step is taken once', async () => {
  await bench.settle();
  expect(bench.taken).toEqual(['open 0']);
  await bench.settle(5_000);
  expect(bench.taken).toEqual(['open 0']);
  bench.ready(0);
  await bench.settle(5_000);
  expect(bench.taken).toEqual(['open 0', 'start mail#1']);
  expect(bench.plans.at(-1)?.settled.has('mail')).toBe(false);
  bench.worker('mail#1', 'running');
  await bench.settle();
  expect(bench.plans.at(-1)?.settled.has('mail')).toBe(true);
});

test('several wakes are one pass', async () => {
  await bench.settle();
  const before = bench.plans.length;
  for (let n = 0; n < 10; n++) bench.reconciler.wake();
  await bench.settle();
  expect(bench.plans.length).toBe(before + 1);
});

test('a start that failed is tried again after the next tick, not at once', async () => {
  bench.outcome = (action) => (action.do === 'start' ? Promise.reject(new Error('no answer')) : Promise.resolve());
  await bench.settle();
  bench.ready(0);
  await bench.settle();
  bench.reconciler.wake(); // as any fact does
  await bench.settle(900);
  expect(bench.taken.filter((step) => step.startsWith('start'))).toHaveLength(1);
  bench.outcome = () => Promise.resolve();
  await bench.settle(1_000);
  expect(bench.taken.filter((step) => step.startsWith('start'))).toHaveLength(2);
});

test.each(['DEADLINE', 'PEER_GONE'] as const)(
  'a start that ended in %s may still happen: it is not taken back, and a worker that is not wanted any more is stopped',
  async (code) => {
    bench.outcome = ({ do: kind }) => (kind === 'start' ? Promise.reject(new ControlFailure(code, 'no answer')) : Promise.resolve());
    await bench.settle();
    bench.ready(0);
    await bench.settle(5_000);
    expect(bench.taken).toEqual(['open 0', 'start mail#1']);
    bench.desired.shrink('mail', 1, ([worker]) => [worker?.worker as string]);
    bench.reconciler.wake();
    await bench.settle();
    expect(bench.taken).toEqual(['open 0', 'start mail#1', 'stop mail#1']);
  },
);

test('a share that cannot be told is told again after the next tick, not at once', async () => {
  bench.desired.grow('mail', 3);
  await bench.settle();
  bench.outcome = (action) => (action.do === 'share' ? Promise.reject(new Error('the channel is closed')) : Promise.resolve());
  bench.ready(0);
  await bench.settle(900);
  const shares = (): number => bench.taken.filter((step) => step.startsWith('share')).length;
  expect(shares()).toBe(1);
  await bench.settle(1_000);
  expect(shares()).toBe(2);
});

test('a worker whose process says it is gone is started again as long as it is desired', async () => {
  await bench.settle();
  bench.ready(0);
  await bench.settle();
  bench.worker('mail#1', 'running');
  bench.worker('mail#1', 'gone');
  await bench.settle();
  expect(bench.taken.filter((step) => step === 'start mail#1')).toHaveLength(2);
});

test('nothing is begun after stop', async () => {
  bench.reconciler.stop();
  bench.desired.grow('mail', 1);
  bench.reconciler.wake();
  await bench.settle(5_000);
  expect(bench.taken).toEqual([]);
});
