import { ManualClock } from '@drover/core/kit';
import { chooseVictims } from '../../placement/choose-victims.js';
import type { LastExit } from '../../protocol/index.js';
import { DesiredState } from '../desired-state.js';
import { ObservedState } from '../observed-state.js';
import { type Action, type Plan, planReconcile, type ReconcileLimits } from '../plan-reconcile.js';
import { groupConfig } from './group-config.js';

const BEAT = {
  loopDelayP99Ms: 0,
  loopUtilization: 0,
  rssBytes: 0,
  heapUsedBytes: 0,
  cpuMs: 0,
  jobsInHand: 0,
  jobsCompleted: 0,
  jobsFailed: 0,
  workers: {},
};

/** Processes that do at once what a plan says, so that plans can be followed to their end without processes. */
export class ModelCluster {
  readonly clock = new ManualClock();
  readonly desired: DesiredState;
  readonly observed: ObservedState;
  readonly log: string[] = [];
  /** Slots that wait for a parked one. */
  heldUp: ReadonlySet<number> = new Set();
  #incarnations = 0;

  constructor(
    readonly limits: ReconcileLimits,
    groups = [groupConfig()],
  ) {
    this.desired = new DesiredState(groups, { maxWorkersHard: 10_000 });
    this.observed = new ObservedState(this.clock);
  }

  plan(): Plan {
    const plan = planReconcile(
      {
        workers: this.desired.workers(),
        slots: this.observed.slots(),
        observed: this.observed.workers,
        limits: this.limits,
        held: new Set(),
        trials: new Set(),
        isFrozen: false,
        heldUp: this.heldUp,
      },
      this.desired.groups.map((group) => group.group),
    );
    this.desired.assign(plan.slotOf);
    return plan;
  }

  /** Follows plans until nothing is left to do. @returns the actions, in order. */
  settle(): readonly Action[] {
    const done: Action[] = [];
    for (let plan = this.plan(); plan.actions.length > 0; plan = this.plan()) {
      if (done.length > 100) throw new Error('the plans have no end');
      for (const action of plan.actions) this.take(action);
      done.push(...plan.actions);
    }
    return done;
  }

  take(action: Action): void {
    const { observed } = this;
    switch (action.do) {
      case 'open':
        observed.apply({ type: 'opened', slot: action.slot, generation: 1 });
        this.boot(action.slot);
        return;
      case 'start':
      case 'stop': {
        const state = action.do === 'start' ? 'running' : 'gone';
        const changes = action.workers.map((worker) => ({ worker, state, jobsInHand: 0, restarts: 0 }) as const);
        observed.apply({ type: 'told', slot: action.slot, incarnation: action.incarnation, changes });
        return;
      }
      case 'share':
        observed.apply({ type: 'share', slot: action.slot, incarnation: action.incarnation, share: action.share });
        return;
      case 'retire':
        observed.apply({ type: 'freed', slot: action.slot });
    }
  }

  boot(slot: number): void {
    const incarnation = `${slot}-${++this.#incarnations}`;
    this.observed.apply({ type: 'forked', slot, incarnation, pid: 1, share: 1 });
    this.observed.apply({ type: 'ready', slot, incarnation });
    this.observed.apply({ type: 'heartbeat', slot, incarnation, beat: BEAT });
  }

  kill(slot: number): void {
    const incarnation = this.observed.slot(slot)?.incarnation as string;
    const exit: LastExit = {
      at: 0,
      code: null,
      signal: 'SIGKILL',
      class: 'abnormal',
      cause: 'signal',
      reason: '',
      uptimeMs: 1,
      jobs: [],
      stderrTail: '',
    };
    this.observed.apply({ type: 'exited', slot, incarnation, exit });
  }

  park(slot: number): void {
    this.kill(slot);
    this.observed.apply({ type: 'parked', slot, error: 'failed too often' });
  }

  scaleTo(count: number, group = 'mail'): void {
    this.desired.resize(group, count, (workers, victims) =>
      chooseVictims(
        workers.map(({ worker, number }) => ({ worker, number, state: 'running', jobsInHand: 0 })),
        victims,
        'oldest',
      ),
    );
  }

  /** `{ 0: '1 5', 2: '3' }`: worker numbers by slot, as desired; parked slots read `parked`. */
  layout(): Record<number, string> {
    const layout: Record<number, string> = {};
    for (const slot of this.observed.slots()) layout[slot.slot] = slot.state === 'parked' ? 'parked' : '';
    for (const { slot, number } of this.desired.workers()) {
      if (slot !== undefined) layout[slot] = `${layout[slot] ?? ''} ${number}`.trim();
    }
    return layout;
  }
}
