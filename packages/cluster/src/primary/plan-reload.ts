/**
 * What a rolling replacement of processes does next (control-plane section 8). For each old process:
 *
 *     surge     booting (a new one, in a spare slot) -> moving (workers change over, name by name) -> probation -> leaving (old drains) -> over
 *     in place  emptying (old drains) -> booting -> moving -> probation -> over
 *
 * The first failure of a new process ends the whole: new processes that have not been adopted leave, and old ones get their workers back.
 */
import type { SlotState } from '../protocol/index.js';
import { type JobTally, judgeProbation } from './judge-probation.js';

export type StepPhase = 'emptying' | 'booting' | 'moving' | 'probation' | 'leaving' | 'withdrawing';

/** One old process and the new one that takes its place. */
export interface RolloutStep {
  readonly old: number;
  readonly by: number;
  readonly order: 'surge' | 'in place';
  readonly phase: StepPhase;
  /** Monotonic ms at which the phase began. */
  readonly sinceMs: number;
  readonly probationMs: number;
}

export interface RolloutState {
  /** Slots that are still to be replaced, in order. */
  readonly pending: readonly number[];
  readonly steps: readonly RolloutStep[];
  /** Replacements begun so far. */
  readonly begun: number;
  /** The tally of the old processes when it began. */
  readonly baseline: JobTally;
  readonly failure: string | undefined;
}

export interface RolloutRules {
  /** New processes beyond the number of old ones, at a time. */
  readonly maxSurge: number;
  /** Old processes that may go before their replacement is ready, at a time. */
  readonly maxUnavailable: number;
  readonly probationMs: number;
  /** How many replacements, the first ones, are on probation. */
  readonly canary: number;
  /** What a boot, and a change-over, may take. */
  readonly limitMs: number;
}

export interface RolloutSlot {
  readonly slot: number;
  readonly state: SlotState;
  /** On its way out; a slot of that number which is not is the next one already. */
  readonly retiring: boolean;
  readonly error: string | undefined;
  /** It waits for a slot that was given up, and is not started before somebody has acted on that. */
  readonly isHeldUp: boolean;
  readonly tally: JobTally;
}

export interface RolloutView {
  readonly slots: ReadonlyMap<number, RolloutSlot>;
  /** What the workers that belong in a slot are doing: all there, some still elsewhere or starting, or one given up. */
  readonly crew: (slot: number) => 'arrived' | 'moving' | 'parked';
  readonly nowMs: number;
}

export type RolloutMove =
  | { readonly do: 'begin'; readonly old: number; readonly by: number; readonly order: RolloutStep['order']; readonly probationMs: number }
  | { readonly do: 'skip'; readonly old: number }
  | { readonly do: 'open'; readonly step: RolloutStep }
  | { readonly do: 'hand over'; readonly step: RolloutStep }
  | { readonly do: 'try'; readonly step: RolloutStep }
  | { readonly do: 'adopt'; readonly step: RolloutStep }
  | { readonly do: 'finish'; readonly step: RolloutStep }
  | { readonly do: 'fail'; readonly step: RolloutStep; readonly reason: string }
  | { readonly do: 'end' };

/** The next move, or undefined while there is only something to wait for. Every move changes the state, so moves end. */
export function planReload(state: RolloutState, rules: RolloutRules, view: RolloutView): RolloutMove | undefined {
  for (const step of state.steps) {
    const move = planStep(step, state, rules, view);
    if (move) return move;
  }
  if (state.failure === undefined && state.pending.length > 0) return planBegin(state, rules, view);
  return state.steps.length === 0 ? { do: 'end' } : undefined;
}

function planStep(step: RolloutStep, state: RolloutState, rules: RolloutRules, view: RolloutView): RolloutMove | undefined {
  const by = view.slots.get(step.by);
  switch (step.phase) {
    case 'emptying':
      if (view.slots.get(step.old)?.retiring) return undefined;
      return state.failure === undefined ? { do: 'open', step } : { do: 'finish', step };
    case 'leaving':
      return view.slots.get(step.old)?.retiring ? undefined : { do: 'finish', step };
    case 'withdrawing':
      return by?.retiring ? undefined : { do: 'finish', step };
    default:
      return planTrial(step, by, state, rules, view);
  }
}

function planTrial(
  step: RolloutStep,
  by: RolloutSlot | undefined,
  state: RolloutState,
  rules: RolloutRules,
  view: RolloutView,
): RolloutMove | undefined {
  const fail = (reason: string): RolloutMove => ({ do: 'fail', step, reason: `process ${step.by}: ${reason}` });
  if (!by) return fail('is not there any more');
  if (by.state === 'parked') return fail(by.error ?? 'was given up');
  const isLate = view.nowMs - step.sinceMs > rules.limitMs;
  if (step.phase === 'booting') {
    if (by.state === 'ready') return { do: 'hand over', step };
    if (by.isHeldUp) return fail('waits for a process that was given up; restart that one first');
    return isLate ? fail(`was not ready within ${rules.limitMs} ms`) : undefined;
  }
  if (by.state !== 'ready') return fail('ended on probation');
  const crew = view.crew(step.by);
  if (crew === 'parked') return fail('a worker was given up');
  if (step.phase === 'moving') {
    if (crew === 'arrived') return { do: 'try', step };
    return isLate ? fail(`its workers did not all run within ${rules.limitMs} ms`) : undefined;
  }
  const verdict = judgeProbation(by.tally, state.baseline, view.nowMs - step.sinceMs, step.probationMs);
  if (verdict.is === 'failed') return fail(verdict.reason);
  return verdict.is === 'passed' && crew === 'arrived' ? { do: 'adopt', step } : undefined;
}

function planBegin(state: RolloutState, rules: RolloutRules, view: RolloutView): RolloutMove | undefined {
  const old = state.pending[0] as number;
  if (!view.slots.has(old)) return { do: 'skip', old };
  const busy = (order: RolloutStep['order']): number => state.steps.filter((step) => step.order === order).length;
  const order = busy('surge') < rules.maxSurge ? 'surge' : busy('in place') < rules.maxUnavailable ? 'in place' : undefined;
  if (!order) return undefined;
  const isOnProbation = state.begun < rules.canary;
  const isUntried = state.steps.some(({ phase, probationMs }) => probationMs > 0 && phase !== 'leaving');
  if (isUntried && !isOnProbation) return undefined; // canaries go first
  const taken = new Set([...view.slots.keys(), ...state.steps.flatMap((step) => [step.old, step.by])]);
  let by = 0;
  while (taken.has(by)) by++;
  return { do: 'begin', old, by, order, probationMs: isOnProbation ? rules.probationMs : 0 };
}
