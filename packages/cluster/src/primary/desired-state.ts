import type { GroupConfig } from '../config/resolved.js';

/** A worker that should run. Its number is its age; its slot is decided once, by placement. */
export interface DesiredWorker {
  readonly worker: string;
  readonly group: string;
  readonly number: number;
  readonly concurrency: number;
  readonly slot: number | undefined;
}

export type ClampReason = 'at_min' | 'at_max' | 'hard_ceiling';

/** What became of a request to change the size of a group. */
export interface SizeChange {
  readonly group: string;
  /** As asked, and the same quantity after clamping. */
  readonly requested: number;
  readonly applied: number;
  /** Size of the group from now on. */
  readonly desired: number;
  readonly reason?: ClampReason;
  /** The workers that were added or taken out. */
  readonly workers: readonly string[];
}

/** Picks `count` of the workers to go. */
export type PickVictims = (workers: readonly DesiredWorker[], count: number) => readonly string[];

interface Group {
  readonly config: GroupConfig;
  readonly workers: Map<string, DesiredWorker>;
  nextNumber: number;
}

export interface DesiredLimits {
  /** Most workers over all groups. */
  readonly maxWorkersHard: number;
}

/** Owns what is asked for: the workers of each group by name, where they belong, and the version that every change raises. */
export class DesiredState {
  #generation = 1;
  readonly #groups = new Map<string, Group>();
  /** How long a worker that was taken out may drain, until it is gone. */
  readonly #drainMs = new Map<string, number>();
  #total = 0;
  #version = 0;

  constructor(
    groups: readonly GroupConfig[],
    private readonly limits: DesiredLimits,
  ) {
    for (const config of groups) this.#groups.set(config.group, { config, workers: new Map(), nextNumber: 1 });
  }

  /** The release that new processes are of. */
  get generation(): number {
    return this.#generation;
  }

  /** From now on processes are of another release. */
  release(generation: number): void {
    this.#generation = generation;
  }

  get version(): number {
    return this.#version;
  }

  get total(): number {
    return this.#total;
  }

  get groups(): readonly GroupConfig[] {
    return [...this.#groups.values()].map((group) => group.config);
  }

  config(group: string): GroupConfig | undefined {
    return this.#groups.get(group)?.config;
  }

  size(group: string): number {
    return this.#group(group).workers.size;
  }

  workersOf(group: string): readonly DesiredWorker[] {
    return [...this.#group(group).workers.values()];
  }

  /** All workers, group by group, oldest first. */
  workers(): readonly DesiredWorker[] {
    return [...this.#groups.values()].flatMap((group) => [...group.workers.values()]);
  }

  has(worker: string): boolean {
    return this.#groups.get(groupOf(worker))?.workers.has(worker) ?? false;
  }

  /** Where a desired worker belongs; undefined while it has no slot. */
  slotOf(worker: string): number | undefined {
    return this.#groups.get(groupOf(worker))?.workers.get(worker)?.slot;
  }

  /** Adds up to `count` workers under new names. */
  grow(name: string, count: number): SizeChange {
    const group = this.#group(name);
    const room = group.config.max - group.workers.size;
    const hardRoom = this.limits.maxWorkersHard - this.#total;
    const applied = Math.max(0, Math.min(count, room, hardRoom));
    const added = Array.from({ length: applied }, () => this.#add(group));
    const isCeiling = hardRoom < room || group.config.max === this.limits.maxWorkersHard;
    return this.#changed(group, count, applied, isCeiling ? 'hard_ceiling' : 'at_max', added);
  }

  /** Takes out up to `count` workers. They are no longer counted from now on; `drainMs` is how long each may take to go. */
  shrink(name: string, count: number, pick: PickVictims, drainMs?: number): SizeChange {
    const group = this.#group(name);
    const applied = Math.max(0, Math.min(count, group.workers.size - group.config.min));
    const victims = pick([...group.workers.values()], applied);
    for (const worker of victims) this.#remove(group, worker, drainMs ?? group.config.drain.deadlineMs);
    return this.#changed(group, count, victims.length, 'at_min', victims);
  }

  /** Makes the size `count`. */
  resize(name: string, count: number, pick: PickVictims, drainMs?: number): SizeChange {
    const size = this.size(name);
    const change = count >= size ? this.grow(name, count - size) : this.shrink(name, size - count, pick, drainMs);
    return { ...change, requested: count, applied: change.desired };
  }

  /** A worker that its restart type does not start again: the group is one smaller, and the name is not used again. */
  forget(worker: string): void {
    const group = this.#groups.get(groupOf(worker));
    if (!group?.workers.has(worker)) return;
    this.#remove(group, worker, 0);
    this.#drainMs.delete(worker);
    this.#version++;
  }

  /** Writes down where workers belong. */
  assign(slotOf: ReadonlyMap<string, number>): void {
    for (const [worker, slot] of slotOf) {
      const { workers } = this.#group(groupOf(worker));
      const desired = workers.get(worker);
      if (desired && desired.slot !== slot) workers.set(worker, { ...desired, slot });
    }
  }

  /** The workers of one slot belong in another from now on. */
  move(from: number, to: number): void {
    for (const { workers } of this.#groups.values()) {
      for (const [name, worker] of workers) if (worker.slot === from) workers.set(name, { ...worker, slot: to });
    }
  }

  /** How long a worker that was taken out may drain. */
  drainMsOf(worker: string): number | undefined {
    return this.#drainMs.get(worker);
  }

  /** Forgets the drain times of workers of which nothing is left. */
  sweep(isThere: (worker: string) => boolean): void {
    for (const worker of this.#drainMs.keys()) if (!isThere(worker)) this.#drainMs.delete(worker);
  }

  #group(name: string): Group {
    const group = this.#groups.get(name);
    if (!group) throw new Error(`there is no group ${name}`);
    return group;
  }

  #add(group: Group): string {
    const number = group.nextNumber++;
    const { group: name, concurrency } = group.config;
    const worker = `${name}#${number}`;
    group.workers.set(worker, { worker, group: name, number, concurrency, slot: undefined });
    this.#total++;
    return worker;
  }

  #remove(group: Group, worker: string, drainMs: number): void {
    if (!group.workers.delete(worker)) throw new Error(`${worker} is not desired`);
    this.#drainMs.set(worker, drainMs);
    this.#total--;
  }

  #changed(group: Group, requested: number, applied: number, reason: ClampReason, workers: readonly string[]): SizeChange {
    if (workers.length > 0) this.#version++;
    const change = { group: group.config.group, requested, applied, desired: group.workers.size, workers };
    return applied === requested ? change : { ...change, reason };
  }
}

/** `mail` of `mail#31`. */
export function groupOf(worker: string): string {
  return worker.slice(0, worker.lastIndexOf('#'));
}

/** 31 of `mail#31`. */
export function numberOf(worker: string): number {
  return Number(worker.slice(worker.lastIndexOf('#') + 1));
}
