import type { Logger } from '@drover/core/kit';
import type { DrainReason } from '../link/index.js';
import { ControlFailure, type Topic } from '../protocol/index.js';
import type { DesiredState } from './desired-state.js';
import type { JobTally } from './judge-probation.js';
import type { ObservedState, SlotView } from './observed-state.js';
import {
  planReload,
  type RolloutMove,
  type RolloutRules,
  type RolloutSlot,
  type RolloutState,
  type RolloutStep,
  type RolloutView,
} from './plan-reload.js';

/** What a rolling replacement is to do. */
export interface RolloutOrder {
  readonly kind: 'reload' | 'recycle';
  readonly opId: string;
  readonly slots: readonly number[];
  readonly generation: number;
  readonly rules: RolloutRules;
  readonly reason: DrainReason;
}

/** How one ended: what was replaced, or why it stopped. */
export type RolloutEnd =
  | { readonly is: 'done'; readonly replaced: readonly number[]; readonly generation: number }
  | { readonly is: 'failed'; readonly failure: ControlFailure };

export interface RolloutDeps {
  readonly desired: DesiredState;
  readonly observed: ObservedState;
  readonly logger: Logger;
  readonly now: () => number;
  /** Slots that wait for one that was given up. */
  readonly heldUp: () => ReadonlySet<number>;
  /** Starts a process that is not started again if it fails. */
  readonly openTrial: (slot: number, generation: number) => void;
  /** From now on it is started again like every other. */
  readonly adopt: (slot: number) => void;
  /** Drains a process for good and frees its slot. */
  readonly retire: (slot: number, reason: DrainReason) => void;
  readonly publish: (topic: Topic, data: Readonly<Record<string, unknown>>) => void;
  readonly progress: (opId: string, done: number, note: string) => void;
}

const NO_JOBS: JobTally = { completed: 0, failed: 0 };

/** One rolling replacement under way. Owns its state; what to do next is decided by `planReload`. */
export class Rollout {
  readonly #replaced: number[] = [];
  #state: RolloutState;
  #stderr = '';

  constructor(
    readonly order: RolloutOrder,
    private readonly deps: RolloutDeps,
  ) {
    const baseline = order.slots.map((slot) => tallyOf(deps.observed.slot(slot))).reduce(addTallies, NO_JOBS);
    this.#state = { pending: order.slots, steps: [], begun: 0, baseline, failure: undefined };
    deps.publish('reload', { kind: order.kind, state: 'begun', opId: order.opId, slots: [...order.slots], generation: order.generation });
  }

  /** Slots of new processes that have not proved themselves: nobody else may use or close them. */
  get trials(): ReadonlySet<number> {
    return new Set(this.#state.steps.filter(({ phase }) => phase !== 'leaving').map(({ by }) => by));
  }

  /** While it is true, sizes may change but nothing is started, stopped or placed for that. A reload holds them until it has ended. */
  get holdsScaling(): boolean {
    const { pending, steps, failure } = this.#state;
    if (this.order.kind === 'reload') return true;
    return (failure === undefined && pending.length > 0) || steps.some(({ phase }) => phase !== 'leaving');
  }

  /** Makes every move that is due. @returns how it ended, or undefined while it goes on. */
  advance(): RolloutEnd | undefined {
    for (;;) {
      const move = planReload(this.#state, this.order.rules, this.#view());
      if (!move) return undefined;
      if (move.do === 'end') return this.#end();
      this.#make(move);
    }
  }

  #make(move: Exclude<RolloutMove, { do: 'end' }>): void {
    const { deps, order } = this;
    switch (move.do) {
      case 'skip':
        this.#change({ pending: this.#state.pending.filter((slot) => slot !== move.old) });
        return;
      case 'begin':
        this.#begin(move);
        return;
      case 'open':
        deps.openTrial(move.step.by, order.generation);
        this.#enter(move.step, 'booting');
        return;
      case 'hand over':
        deps.desired.move(move.step.old, move.step.by);
        this.#enter(move.step, 'moving');
        return;
      case 'try':
        this.#enter(move.step, 'probation');
        return;
      case 'adopt':
        deps.adopt(move.step.by);
        this.#replaced.push(move.step.old);
        deps.publish('reload', { kind: order.kind, state: 'adopted', opId: order.opId, slot: move.step.old, by: move.step.by });
        if (deps.observed.slot(move.step.old)) deps.retire(move.step.old, order.reason);
        this.#enter(move.step, 'leaving');
        return;
      case 'finish':
        this.#change({ steps: this.#state.steps.filter((step) => step !== move.step) });
        deps.publish('reload', { kind: order.kind, state: 'over', opId: order.opId, slot: move.step.old, by: move.step.by });
        deps.progress(order.opId, this.#replaced.length, `process ${move.step.old} is gone`);
        return;
      case 'fail':
        this.#fail(move.step, move.reason);
    }
  }

  #begin({ old, by, order, probationMs }: Extract<RolloutMove, { do: 'begin' }>): void {
    const { deps, order: what } = this;
    const isSurge = order === 'surge';
    const phase = isSurge ? 'booting' : 'emptying';
    const step: RolloutStep = { old, by, order, phase, sinceMs: deps.now(), probationMs };
    const { pending, steps, begun } = this.#state;
    this.#change({ pending: pending.filter((slot) => slot !== old), steps: [...steps, step], begun: begun + 1 });
    deps.publish('reload', { kind: what.kind, state: 'replacing', opId: what.opId, slot: old, by, order });
    deps.progress(what.opId, this.#replaced.length, `process ${by} is to replace process ${old}`);
    if (isSurge) {
      deps.openTrial(by, what.generation);
      return;
    }
    deps.desired.move(old, by);
    deps.retire(old, what.reason);
  }

  /** The first failure counts. All that is new and not adopted leaves; workers go back to the processes that are still there. */
  #fail(step: RolloutStep, reason: string): void {
    if (this.#state.failure === undefined) {
      this.#stderr = this.deps.observed.crashes.last(step.by)?.stderrTail ?? '';
      this.deps.logger.error('a rolling replacement has failed', { opId: this.order.opId, reason });
      this.#change({ failure: reason });
    }
    for (const each of this.#state.steps) {
      if (each.phase !== 'booting' && each.phase !== 'moving' && each.phase !== 'probation') continue;
      if (this.deps.observed.slot(each.old)) this.deps.desired.move(each.by, each.old);
      if (this.deps.observed.slot(each.by)) this.deps.retire(each.by, this.order.reason);
      this.#enter(each, 'withdrawing');
    }
  }

  #end(): RolloutEnd {
    const { generation, kind, opId } = this.order;
    const { failure } = this.#state;
    this.deps.publish('reload', {
      kind,
      state: failure === undefined ? 'done' : 'failed',
      opId,
      replaced: [...this.#replaced],
      reason: failure,
    });
    if (failure === undefined) return { is: 'done', replaced: this.#replaced, generation };
    const details = { replaced: [...this.#replaced], ...(this.#stderr !== '' && { stderrTail: this.#stderr }) };
    const message = `the ${kind} stopped at its first failure: ${failure}`;
    return { is: 'failed', failure: new ControlFailure('GAVE_UP', message, details) };
  }

  #enter(step: RolloutStep, phase: RolloutStep['phase']): void {
    const next = { ...step, phase, sinceMs: this.deps.now() };
    this.#change({ steps: this.#state.steps.map((each) => (each === step ? next : each)) });
  }

  #change(change: Partial<RolloutState>): void {
    this.#state = { ...this.#state, ...change };
  }

  #view(): RolloutView {
    const heldUp = this.deps.heldUp();
    const slots = new Map(this.deps.observed.slots().map((slot) => [slot.slot, shown(slot, heldUp.has(slot.slot))]));
    return { slots, crew: (slot) => this.#crew(slot), nowMs: this.deps.now() };
  }

  #crew(slot: number): ReturnType<RolloutView['crew']> {
    const { desired, observed } = this.deps;
    let isMoving = false;
    for (const worker of desired.workers()) {
      if (worker.slot !== slot) continue;
      const seen = observed.workers.get(worker.worker);
      if (seen?.slot === slot && seen.state === 'parked') return 'parked';
      if (seen?.slot !== slot || seen.state !== 'running') isMoving = true;
    }
    return isMoving ? 'moving' : 'arrived';
  }
}

function shown(slot: SlotView, isHeldUp: boolean): RolloutSlot {
  return { slot: slot.slot, state: slot.state, retiring: slot.retiring, error: slot.error, isHeldUp, tally: tallyOf(slot) };
}

function tallyOf(slot: SlotView | undefined): JobTally {
  return slot?.beat ? { completed: slot.beat.jobsCompleted, failed: slot.beat.jobsFailed } : NO_JOBS;
}

function addTallies(a: JobTally, b: JobTally): JobTally {
  return { completed: a.completed + b.completed, failed: a.failed + b.failed };
}
