/** A worker that should run somewhere. `slot` is where it was placed before, if it was. */
export interface WorkerToPlace {
  readonly worker: string;
  readonly group: string;
  readonly concurrency: number;
  readonly slot: number | undefined;
}

export interface Placement {
  /** Slot by worker, for every worker that has one. */
  readonly slotOf: ReadonlyMap<string, number>;
  /** Workers for which there is no slot at all. */
  readonly unplaced: readonly string[];
}

/**
 * Decides which process hosts which worker. An assignment to a slot of `slots` is kept: no worker moves for balance. Each other worker,
 * in the order given, goes to the slot with the fewest workers of its group, then the smallest sum of concurrency, then the lowest number.
 * @param slots numbers of the slots that serve, or will.
 */
export function placeWorkers(workers: readonly WorkerToPlace[], slots: readonly number[]): Placement {
  const loads = [...slots].sort((a, b) => a - b).map((slot) => new SlotLoad(slot));
  const bySlot = new Map(loads.map((load) => [load.slot, load]));
  const slotOf = new Map<string, number>();
  const homeless: WorkerToPlace[] = [];
  for (const worker of workers) {
    const kept = worker.slot === undefined ? undefined : bySlot.get(worker.slot);
    if (kept) slotOf.set(worker.worker, kept.take(worker));
    else homeless.push(worker);
  }
  const unplaced: string[] = [];
  for (const worker of homeless) {
    const load = lightest(loads, worker.group);
    if (load) slotOf.set(worker.worker, load.take(worker));
    else unplaced.push(worker.worker);
  }
  return { slotOf, unplaced };
}

/** Counts what one slot has been given so far. */
class SlotLoad {
  readonly #byGroup = new Map<string, number>();
  concurrency = 0;

  constructor(readonly slot: number) {}

  ofGroup(group: string): number {
    return this.#byGroup.get(group) ?? 0;
  }

  take(worker: WorkerToPlace): number {
    this.#byGroup.set(worker.group, this.ofGroup(worker.group) + 1);
    this.concurrency += worker.concurrency;
    return this.slot;
  }
}

function lightest(loads: readonly SlotLoad[], group: string): SlotLoad | undefined {
  let best: SlotLoad | undefined;
  for (const load of loads) {
    if (!best) best = load;
    else if (load.ofGroup(group) !== best.ofGroup(group)) best = load.ofGroup(group) < best.ofGroup(group) ? load : best;
    else if (load.concurrency < best.concurrency) best = load;
  }
  return best;
}
