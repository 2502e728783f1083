import { type Clock, type Logger, messageOf, type Timer } from '@drover/core/kit';
import { ControlFailure, type WorkerState } from '../protocol/index.js';
import type { DesiredState } from './desired-state.js';
import type { ObservedState } from './observed-state.js';
import { type Action, type Plan, type PlanInput, planReconcile, type ReconcileLimits } from './plan-reconcile.js';

export interface ReconcilerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes a step. If it rejects, the step is planned again after the next tick. */
  readonly take: (action: Action) => Promise<void>;
  /** What a rolling replacement holds. */
  readonly holds: () => Pick<PlanInput, 'trials' | 'isFrozen'>;
  /** Slots that are not started because they wait for one that was given up. */
  readonly heldUp: () => ReadonlySet<number>;
  /** Hears of every pass, after its steps were begun. */
  readonly onPass: (plan: Plan) => void;
}

const TICK_MS = 1_000;

type WorkerAction = Extract<Action, { readonly workers: readonly string[] }>;

/**
 * The loop that makes what is observed what is desired. Every fact and every change wakes it, and so does a tick each second; several
 * wakes in a row are one pass. A step shows in the observed state from the moment it is begun, so no pass begins it twice.
 */
export class Reconciler {
  #tick: Timer | undefined;
  #soon: Timer | undefined;
  #isRunning = false;
  /** Workers whose last step failed: left alone until the next tick. */
  #held = new Set<string>();
  /** What is taken back at the next tick, so that a step that fails at once is not taken again at once. */
  #overdue: (() => void)[] = [];
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
      for (const takeBack of this.#overdue.splice(0)) takeBack();
      this.#armTick();
      this.wake();
    }, TICK_MS);
  }

  #pass(): void {
    const { desired, observed, limits } = this;
    const groups = desired.groups.map((group) => group.group);
    const input = {
      workers: desired.workers(),
      slots: observed.slots(),
      observed: observed.workers,
      limits,
      held: this.#held,
      heldUp: this.deps.heldUp(),
      ...this.deps.holds(),
    };
    const plan = planReconcile(input, groups);
    desired.assign(plan.slotOf);
    desired.sweep((worker) => observed.workers.has(worker));
    this.#unplaced = plan.unplaced;
    for (const action of plan.actions) this.#begin(action);
    this.deps.onPass(plan);
    if (plan.actions.length > 0) this.wake(); // what did not fit into this pass
  }

  #begin(action: Action): void {
    this.#take(action, this.#show(action));
  }

  /** Shows the step in the observed state. @returns how to take it back, for a step that can fail. */
  #show(action: Action): () => void {
    const { observed } = this;
    switch (action.do) {
      case 'open':
        observed.apply({ type: 'opened', slot: action.slot, generation: this.desired.generation });
        return () => {};
      case 'retire':
        observed.apply({ type: 'retiring', slot: action.slot });
        return () => {};
      case 'share': {
        const before = observed.slot(action.slot)?.share ?? 1;
        observed.apply({ ...action, type: 'share' });
        return () => this.#overdue.push(() => observed.apply({ ...action, type: 'share', share: before }));
      }
      case 'start':
        this.#mark(action, () => 'starting');
        return () => this.#undo(action, 'starting', () => 'gone');
      case 'stop': {
        const before = new Map(action.workers.map((worker) => [worker, observed.workers.get(worker)?.state ?? 'running']));
        this.#mark(action, () => 'draining');
        return () => this.#undo(action, 'draining', (worker) => before.get(worker) ?? 'running');
      }
    }
  }

  #take(action: Action, undo: () => void): void {
    this.deps.take(action).catch((error: unknown) => {
      this.deps.logger.warn('a step of the reconciler failed', { ...action, error: messageOf(error) });
      if (!mayStillHappen(action, error)) undo();
    });
  }

  /** Only those that are still as the step left them: facts of the process count more. */
  #undo(action: WorkerAction, marked: WorkerState, before: (worker: string) => WorkerState): void {
    const workers = action.workers.filter((worker) => {
      const seen = this.observed.workers.get(worker);
      return seen?.state === marked && seen.slot === action.slot;
    });
    for (const worker of workers) this.#held.add(worker);
    this.#mark({ ...action, workers }, before);
  }

  #mark({ slot, incarnation, workers }: WorkerAction, state: (worker: string) => WorkerState): void {
    const changes = workers.map((worker) => {
      const seen = this.observed.workers.get(worker);
      return { worker, state: state(worker), jobsInHand: 0, restarts: seen?.restarts ?? 0, lingering: seen?.lingering, error: seen?.error };
    });
    this.observed.apply({ type: 'told', slot, incarnation, changes });
  }
}

/**
 * A process that did not answer in time, or whose channel broke, may have read the request already or find it in the channel when its loop
 * goes on. So its workers stay as they were told to be, until a later step reaches it or its exit forgets them.
 */
function mayStillHappen(action: Action, error: unknown): boolean {
  const isUnanswered = error instanceof ControlFailure && (error.code === 'DEADLINE' || error.code === 'PEER_GONE');
  return (action.do === 'start' || action.do === 'stop') && isUnanswered;
}
