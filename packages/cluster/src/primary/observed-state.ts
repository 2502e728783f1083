/**
 * What is known of slots and workers. Facts go in, snapshots come out. A slot lives like this; anything else is refused:
 *
 *     (free) -> booting -> ready -> draining -> gone -> (free)          booting -> draining, gone        ready -> gone
 *                                                gone -> booting | parked         parked -> booting | gone | (free)
 */
import type { DrainReport, JobRef, LastExit, SlotState, WorkerState } from '../protocol/index.js';
import { CrashLog } from './crash-log.js';

/** What a heartbeat says. */
export interface Beat {
  readonly loopDelayP99Ms: number;
  readonly loopUtilization: number;
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly cpuMs: number;
  readonly jobsInHand: number;
  /** Runs that ended since the process was forked. */
  readonly jobsCompleted: number;
  readonly jobsFailed: number;
  /** Jobs in hand by worker name; only workers that have any. */
  readonly workers: Readonly<Record<string, number>>;
}

export interface WorkerFact {
  readonly worker: string;
  readonly state: WorkerState;
  readonly jobsInHand: number;
  readonly restarts: number;
  readonly lingering?: readonly JobRef[] | undefined;
  readonly error?: string | undefined;
}

/** Something that happened to a slot. Those with an incarnation only count while it is the slot's current one. */
export type Fact =
  | { readonly type: 'opened'; readonly slot: number; readonly generation: number }
  | { readonly type: 'forked'; readonly slot: number; readonly incarnation: string; readonly pid: number; readonly share: number }
  | { readonly type: 'ready'; readonly slot: number; readonly incarnation: string }
  | { readonly type: 'heartbeat'; readonly slot: number; readonly incarnation: string; readonly beat: Beat }
  /** What a process tells of its workers. Of one that it was not told to start, nothing is noted. */
  | { readonly type: 'workers'; readonly slot: number; readonly incarnation: string; readonly changes: readonly WorkerFact[] }
  /** What the primary has just told a process to do with workers. */
  | { readonly type: 'told'; readonly slot: number; readonly incarnation: string; readonly changes: readonly WorkerFact[] }
  | { readonly type: 'share'; readonly slot: number; readonly incarnation: string; readonly share: number }
  | { readonly type: 'draining'; readonly slot: number; readonly incarnation: string }
  | { readonly type: 'drained'; readonly slot: number; readonly incarnation: string; readonly report: DrainReport }
  | { readonly type: 'exited'; readonly slot: number; readonly incarnation: string; readonly exit: LastExit }
  | { readonly type: 'parked'; readonly slot: number; readonly error: string }
  /** Somebody acted on a slot that was given up: it is started again when its turn comes. */
  | { readonly type: 'pardoned'; readonly slot: number }
  | { readonly type: 'retiring'; readonly slot: number }
  | { readonly type: 'freed'; readonly slot: number };

export interface SlotView {
  readonly slot: number;
  readonly state: SlotState;
  readonly generation: number;
  /** Of the live process; undefined between two. */
  readonly incarnation: string | undefined;
  readonly pid: number | undefined;
  readonly forkedAt: number | undefined;
  /** Monotonic ms of the last heartbeat, or of the fork. */
  readonly seenAt: number | undefined;
  readonly beat: Beat | undefined;
  /** Processes that this one was told share a queue. */
  readonly share: number;
  /** Its number is about to be freed: it is not started again and takes no worker. */
  readonly retiring: boolean;
  readonly restarts: number;
  readonly error: string | undefined;
}

export interface ObservedWorker {
  readonly worker: string;
  readonly slot: number;
  readonly state: WorkerState;
  readonly restarts: number;
  readonly lingering: readonly JobRef[];
  readonly error: string | undefined;
  /** Its process said so; false: it was told to, and has not answered yet. */
  readonly isConfirmed: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const MAY_BECOME: Readonly<Record<SlotState, readonly SlotState[]>> = {
  booting: ['ready', 'draining', 'gone'],
  ready: ['draining', 'gone'],
  draining: ['gone'],
  gone: ['booting', 'parked'],
  parked: ['booting', 'gone'],
};

/** Whether a slot may go from one state to the other. */
export function isSlotTransition(from: SlotState, to: SlotState): boolean {
  return MAY_BECOME[from].includes(to);
}

/** Owns the table of slots and of the workers that were seen in them. */
export class ObservedState {
  readonly #slots = new Map<number, Mutable<SlotView>>();
  readonly #workers = new Map<string, ObservedWorker>();
  readonly #crashes = new CrashLog();
  #dropped = 0;

  constructor(private readonly clock: { now(): number; monotonic(): number }) {}

  /** Facts that were stale, or that the state table refused. */
  get dropped(): number {
    return this.#dropped;
  }

  get workers(): ReadonlyMap<string, ObservedWorker> {
    return this.#workers;
  }

  get crashes(): CrashLog {
    return this.#crashes;
  }

  slot(slot: number): SlotView | undefined {
    return this.#slots.get(slot);
  }

  /** All slots, lowest number first. */
  slots(): readonly SlotView[] {
    return [...this.#slots.values()].sort((a, b) => a.slot - b.slot);
  }

  /** Names of the workers that were seen in a slot. */
  workersIn(slot: number): readonly string[] {
    return [...this.#workers.values()].filter((worker) => worker.slot === slot).map((worker) => worker.worker);
  }

  jobsInHand(worker: string): number {
    const seen = this.#workers.get(worker);
    return (seen && this.#slots.get(seen.slot)?.beat?.workers[worker]) ?? 0;
  }

  /** Takes note of a fact. @returns false for one that is stale or that cannot be: it changed nothing. */
  apply(fact: Fact): boolean {
    const accepted = this.#apply(fact);
    if (!accepted) this.#dropped++;
    return accepted;
  }

  #apply(fact: Fact): boolean {
    if (fact.type === 'opened') return this.#open(fact.slot, fact.generation);
    const slot = this.#slots.get(fact.slot);
    if (!slot) return false;
    if (fact.type === 'forked') return this.#forked(slot, fact);
    if (fact.type === 'parked') return this.#parked(slot, fact.error);
    if (fact.type === 'pardoned') return this.#pardoned(slot);
    if (fact.type === 'retiring') {
      slot.retiring = true;
      return true;
    }
    if (fact.type === 'freed') return this.#free(slot);
    if (fact.incarnation !== slot.incarnation) return false;
    switch (fact.type) {
      case 'ready':
        slot.seenAt = this.clock.monotonic();
        return this.#move(slot, 'ready');
      case 'heartbeat':
        slot.seenAt = this.clock.monotonic();
        slot.beat = fact.beat;
        return true;
      case 'workers':
        for (const change of fact.changes) {
          if (this.#workers.get(change.worker)?.slot === slot.slot) this.#worker(slot.slot, change, true);
          else this.#dropped++;
        }
        return true;
      case 'told':
        for (const change of fact.changes) this.#worker(slot.slot, change, false);
        return true;
      case 'share':
        slot.share = fact.share;
        return true;
      case 'draining':
        return this.#move(slot, 'draining');
      case 'drained':
        return true;
      case 'exited':
        return this.#exited(slot, fact.exit);
    }
  }

  #open(slot: number, generation: number): boolean {
    if (this.#slots.has(slot)) return false;
    this.#slots.set(slot, { ...EMPTY_SLOT, slot, generation });
    return true;
  }

  #forked(slot: Mutable<SlotView>, fact: Extract<Fact, { type: 'forked' }>): boolean {
    if (slot.incarnation !== undefined) return false;
    if (slot.state !== 'booting' && !this.#move(slot, 'booting')) return false;
    if (this.#crashes.of(slot.slot).length > 0) slot.restarts++;
    slot.incarnation = fact.incarnation;
    slot.pid = fact.pid;
    slot.forkedAt = this.clock.now();
    slot.seenAt = this.clock.monotonic();
    slot.share = fact.share;
    slot.error = undefined;
    return true;
  }

  #parked(slot: Mutable<SlotView>, error: string): boolean {
    if (slot.incarnation !== undefined || slot.state === 'parked') return false;
    slot.state = 'parked';
    slot.error = error;
    return true;
  }

  #pardoned(slot: Mutable<SlotView>): boolean {
    if (slot.state !== 'parked') return false;
    slot.error = undefined;
    return this.#move(slot, 'gone');
  }

  #exited(slot: Mutable<SlotView>, exit: LastExit): boolean {
    if (!this.#move(slot, 'gone')) return false;
    this.#crashes.add(slot.slot, exit);
    this.#forgetWorkers(slot.slot);
    slot.incarnation = undefined;
    slot.pid = undefined;
    slot.beat = undefined;
    slot.seenAt = undefined;
    return true;
  }

  #free(slot: SlotView): boolean {
    this.#forgetWorkers(slot.slot);
    this.#crashes.forget(slot.slot);
    return this.#slots.delete(slot.slot);
  }

  #move(slot: Mutable<SlotView>, to: SlotState): boolean {
    if (!isSlotTransition(slot.state, to)) return false;
    slot.state = to;
    return true;
  }

  /** A worker that is gone but left jobs behind drains on until the last of them has settled. */
  #worker(slot: number, { worker, state, restarts, lingering, error }: WorkerFact, isConfirmed: boolean): void {
    const left = lingering ?? [];
    if (state === 'gone' && left.length === 0) this.#workers.delete(worker);
    else
      this.#workers.set(worker, {
        worker,
        slot,
        state: state === 'gone' ? 'draining' : state,
        restarts,
        lingering: left,
        error,
        isConfirmed,
      });
  }

  #forgetWorkers(slot: number): void {
    for (const worker of this.#workers.values()) if (worker.slot === slot) this.#workers.delete(worker.worker);
  }
}

const EMPTY_SLOT: Omit<SlotView, 'slot' | 'generation'> = {
  state: 'booting',
  incarnation: undefined,
  pid: undefined,
  forkedAt: undefined,
  seenAt: undefined,
  beat: undefined,
  share: 1,
  retiring: false,
  restarts: 0,
  error: undefined,
};
