import { type Clock, type Logger, messageOf, type Timer } from '@drover/core/kit';
import type { DesiredState } from './desired-state.js';
import type { ObservedState, ObservedWorker } from './observed-state.js';
import { type Action, type Plan, planReconcile, type ReconcileLimits } from './plan-reconcile.js';

/** Takes a step. What it rejects with is tried again after a while. */
export type TakeStep = (action: Action) => Promise<void>;

export interface ReconcilerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly take: TakeStep;
  /** Hears of every pass, after its steps were begun. */
  readonly onPass: (plan: Plan) => void;
}

const TICK_MS = 1_000;

/**
 * The loop that makes what is observed what is desired. Every fact and every change wakes it, and so does a tick each second; several
 * wakes in a row are one pass. A step shows in the observed state from the moment it is begun, so no pass begins it twice.
 */
export class Reconciler {
  #tick: Timer | undefined;
  #soon: Timer | undefined;
  #isRunning = false;
  /** Workers whose last step failed; the next tick lets them go. */
  #held = new Set<string>();
  #unplaced: ReadonlySet<string> = new Set();

  constructor(
    private readonly desired: DesiredState,
    private readonly observed: ObservedState,
    private readonly limits: ReconcileLimits,
    private readonly deps: ReconcilerDeps,
  ) {}

  /** Workers that fit nowhere. */
  get unplaced(): ReadonlySet<string> {
    return this.#unplaced;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#armTick();
    this.wake();
  }

  /** Steps under way go on; no other is begun. */
  stop(): void {
    this.#isRunning = false;
    this.#tick?.cancel();
    this.#soon?.cancel();
    this.#soon = undefined;
  }

  wake(): void {
    if (!this.#isRunning || this.#soon) return;
    this.#soon = this.deps.clock.setTimer(() => {
      this.#soon = undefined;
      this.#pass();
    }, 0);
  }

  #armTick(): void {
    this.#tick = this.deps.clock.setTimer(() => {
      this.#held = new Set();
      this.#armTick();
      this.wake();
    }, TICK_MS);
  }

  #pass(): void {
    const { desired, observed, limits } = this;
    const input = { workers: desired.workers(), slots: observed.slots(), observed: observed.workers, limits, held: this.#held };
    const plan = planReconcile(
      input,
      desired.groups.map((group) => group.group),
    );
    desired.assign(plan.slotOf);
    this.#unplaced = plan.unplaced;
    for (const action of plan.actions) this.#begin(action);
    this.deps.onPass(plan);
    if (plan.actions.some((action) => action.do === 'start' || action.do === 'stop')) this.wake(); // more than one message may be needed
  }

  #begin(action: Action): void {
    switch (action.do) {
      case 'open':
        this.observed.apply({ type: 'opened', slot: action.slot, generation: this.desired.generation });
        return this.#take(action, () => {});
      case 'retire':
        this.observed.apply({ type: 'retiring', slot: action.slot });
        return this.#take(action, () => {});
      case 'share': {
        const before = this.observed.slot(action.slot)?.share ?? 1;
        this.observed.apply({ ...action, type: 'share' });
        return this.#take(action, () => this.#hold([]) || this.observed.apply({ ...action, type: 'share', share: before }));
      }
      case 'start':
        this.#mark(action, () => 'starting');
        return this.#take(action, () => this.#undo(action, 'starting', () => 'gone'));
      case 'stop': {
        const before = new Map(action.workers.map((worker) => [worker, this.observed.workers.get(worker)?.state ?? 'running']));
        this.#mark(action, () => 'draining');
        return this.#take(action, () => this.#undo(action, 'draining', (worker) => before.get(worker) ?? 'running'));
      }
    }
  }
}
