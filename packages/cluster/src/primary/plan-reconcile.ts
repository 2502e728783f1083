import { type Placement, placeWorkers } from '../placement/place-workers.js';
import { type PlacementLimits, processCount } from '../placement/process-count.js';
import type { DesiredWorker } from './desired-state.js';
import type { ObservedWorker, SlotView } from './observed-state.js';

export interface ReconcileLimits extends PlacementLimits {
  /** Processes that may boot at once: many boots starve each other. */
  readonly forkBatch: number;
  readonly workersPerMessage: number;
}

/** One step towards what is desired. */
export type Action =
  | { readonly do: 'open'; readonly slot: number }
  | {
      readonly do: 'start';
      readonly slot: number;
      readonly incarnation: string;
      readonly group: string;
      readonly workers: readonly string[];
    }
  | {
      readonly do: 'stop';
      readonly slot: number;
      readonly incarnation: string;
      readonly group: string;
      readonly workers: readonly string[];
    }
  | { readonly do: 'share'; readonly slot: number; readonly incarnation: string; readonly share: number }
  | { readonly do: 'retire'; readonly slot: number };

export interface PlanInput {
  readonly workers: readonly DesiredWorker[];
  readonly slots: readonly SlotView[];
  readonly observed: ReadonlyMap<string, ObservedWorker>;
  readonly limits: ReconcileLimits;
  /** Workers that are left alone for now: their last action failed a moment ago. */
  readonly held: ReadonlySet<string>;
  /** Slots that a rolling replacement has opened: nobody else opens, fills or retires them. */
  readonly trials: ReadonlySet<number>;
  /** A rolling replacement is under way: workers stay where they belong, and nothing is added, taken out or moved for size. */
  readonly isFrozen: boolean;
  /** Slots that wait for one that was given up: as good as given up themselves. */
  readonly heldUp: ReadonlySet<number>;
}

export interface Plan {
  readonly slotOf: ReadonlyMap<string, number>;
  /** Workers for which there is no slot. */
  readonly unplaced: ReadonlySet<string>;
  /** In the order in which they are to be carried out: open, start, stop, share, retire. */
  readonly actions: readonly Action[];
  /** Groups for which nothing is left to do or to wait for. */
  readonly settled: ReadonlySet<string>;
}

/**
 * The difference between what is desired and what is observed, as a bounded list of steps. The same input gives the same steps; a
 * step that was taken shows in what is observed (a slot is booting, a worker is starting), so it is not planned again.
 *
 * A draining process counts against the maximum until it is gone. A worker that leaves a process which is to be retired is not
 * stopped by itself: the drain of the process covers it, and that one leaves nothing behind.
 */
export function planReconcile(input: PlanInput, groups: readonly string[]): Plan {
  const targets = chooseSlots(input);
  const { slotOf, unplaced } = input.isFrozen ? asAssigned(input.workers) : placeWorkers(input.workers, targets);
  const desired = new Set(input.workers.map((worker) => worker.worker));
  const keep = new Set(targets);
  const ready = new Map(input.slots.filter((slot) => slot.state === 'ready' && !slot.retiring).map((slot) => [slot.slot, slot]));
  const actions: Action[] = [
    ...(input.isFrozen ? [] : openings(input, targets)),
    ...starts(input, slotOf, ready),
    ...stops(input, desired, slotOf, keep, ready),
    ...shares(keep, ready),
    ...input.slots
      .filter((slot) => isServing(slot) && !input.heldUp.has(slot.slot) && !keep.has(slot.slot) && !input.isFrozen)
      .reverse()
      .map((slot): Action => ({ do: 'retire', slot: slot.slot })),
  ];
  const unplacedSet = new Set(unplaced);
  return {
    slotOf,
    unplaced: unplacedSet,
    actions,
    settled: input.isFrozen ? new Set() : settledGroups(input, groups, desired, unplacedSet, actions),
  };
}

/** Alive or about to be started again, and not on its way out. */
function isServing(slot: SlotView): boolean {
  return !slot.retiring && (slot.state === 'booting' || slot.state === 'ready' || slot.state === 'gone');
}

/** Nobody is placed anew: a worker without a slot waits. */
function asAssigned(workers: readonly DesiredWorker[]): Placement {
  const placed = workers.flatMap(({ worker, slot }) => (slot === undefined ? [] : [[worker, slot] as const]));
  return { slotOf: new Map(placed), unplaced: [] };
}

/** Every slot that hosts a desired worker, then empty ones, then new numbers, up to the process count. */
function chooseSlots({ workers, slots, limits, trials, isFrozen, heldUp }: PlanInput): readonly number[] {
  if (isFrozen) return slots.filter((slot) => isServing(slot) && !heldUp.has(slot.slot)).map((slot) => slot.slot);
  const parked = slots.filter((slot) => slot.state === 'parked' || heldUp.has(slot.slot)).length;
  const count = processCount(workers.length, limits, parked);
  const serving = slots.filter((slot) => isServing(slot) && !heldUp.has(slot.slot) && !trials.has(slot.slot)).map((slot) => slot.slot);
  const occupied = new Set(workers.map((worker) => worker.slot));
  const targets = serving.filter((slot) => occupied.has(slot));
  for (const slot of serving) if (!occupied.has(slot) && targets.length < count) targets.push(slot);
  const taken = new Set(slots.map((slot) => slot.slot));
  for (let slot = 0; targets.length < count; slot++) if (!taken.has(slot)) targets.push(slot);
  return targets;
}

function openings({ slots, limits, heldUp }: PlanInput, targets: readonly number[]): readonly Action[] {
  const existing = new Set(slots.map((slot) => slot.slot));
  const booting = slots.filter((slot) => slot.state === 'booting' && !heldUp.has(slot.slot)).length;
  const room = Math.min(limits.forkBatch - booting, limits.max - slots.length);
  return targets
    .filter((slot) => !existing.has(slot))
    .slice(0, Math.max(0, room))
    .map((slot) => ({ do: 'open', slot }));
}

function starts(input: PlanInput, slotOf: ReadonlyMap<string, number>, ready: ReadonlyMap<number, SlotView>): readonly Action[] {
  const batches = new Batches('start', input.limits.workersPerMessage);
  for (const { worker, group } of input.workers) {
    const slot = ready.get(slotOf.get(worker) ?? -1);
    if (slot && isFree(input.observed.get(worker), slot) && !input.held.has(worker)) batches.add(slot, group, worker);
  }
  return batches.actions;
}

/** It is not there, or the process that it leaves has said that it takes no job any more: two of one name never take jobs. */
function isFree(seen: ObservedWorker | undefined, target: SlotView): boolean {
  return !seen || (seen.slot !== target.slot && seen.state === 'draining' && seen.isConfirmed);
}

/** What is not wanted any more, and what belongs in another process that is ready for it. */
function stops(
  input: PlanInput,
  desired: ReadonlySet<string>,
  slotOf: ReadonlyMap<string, number>,
  keep: ReadonlySet<number>,
  ready: ReadonlyMap<number, SlotView>,
): readonly Action[] {
  const batches = new Batches('stop', input.limits.workersPerMessage);
  for (const { worker, slot, state } of input.observed.values()) {
    const process = ready.get(slot);
    if (!process || !keep.has(slot) || state === 'draining' || input.held.has(worker)) continue;
    const target = desired.has(worker) ? slotOf.get(worker) : undefined;
    const isMoving = target !== undefined && target !== slot && ready.has(target);
    if (!isMoving && (desired.has(worker) || input.isFrozen)) continue;
    batches.add(process, worker.slice(0, worker.lastIndexOf('#')), worker);
  }
  return batches.actions;
}

/** Every process is told how many there will be: a short queue is shared among them. */
function shares(keep: ReadonlySet<number>, ready: ReadonlyMap<number, SlotView>): readonly Action[] {
  return [...ready.values()]
    .filter((slot) => keep.has(slot.slot) && slot.share !== keep.size)
    .map(({ slot, incarnation }) => ({ do: 'share', slot, incarnation: incarnation as string, share: keep.size }));
}

/** Gathers workers into one message per slot and group; those beyond its bound wait for the next pass. */
class Batches {
  readonly #bySlotAndGroup = new Map<string, { readonly action: Action; readonly workers: string[] }>();

  constructor(
    private readonly kind: 'start' | 'stop',
    private readonly bound: number,
  ) {}

  get actions(): readonly Action[] {
    return [...this.#bySlotAndGroup.values()].map((batch) => batch.action);
  }

  add({ slot, incarnation }: SlotView, group: string, worker: string): void {
    const key = `${slot}/${group}`;
    let batch = this.#bySlotAndGroup.get(key);
    if (!batch) {
      const workers: string[] = [];
      batch = { action: { do: this.kind, slot, incarnation: incarnation as string, group, workers }, workers };
      this.#bySlotAndGroup.set(key, batch);
    }
    if (batch.workers.length < this.bound) batch.workers.push(worker);
  }
}

/** A group is settled when its workers run or were given up, what was taken out is gone or lingers, and no process is on its way out. */
function settledGroups(
  { workers, slots, observed }: PlanInput,
  groups: readonly string[],
  desired: ReadonlySet<string>,
  unplaced: ReadonlySet<string>,
  actions: readonly Action[],
): ReadonlySet<string> {
  const isLeaving = slots.some((slot) => slot.state === 'draining' || slot.retiring) || actions.some((action) => action.do === 'retire');
  if (isLeaving) return new Set();
  const settled = new Set(groups);
  for (const { worker, group } of workers) {
    const state = observed.get(worker)?.state;
    if (state !== 'running' && state !== 'parked' && !unplaced.has(worker)) settled.delete(group);
  }
  for (const { worker, lingering } of observed.values()) {
    if (!desired.has(worker) && lingering.length === 0) settled.delete(worker.slice(0, worker.lastIndexOf('#')));
  }
  return settled;
}
