import type { JobRef, LastExit } from '../protocol/index.js';

const KEPT = 20;
const KEPT_JOBS = 100;

/** Owns the last 20 exits of each slot. */
export class CrashLog {
  readonly #exits = new Map<number, LastExit[]>();

  add(slot: number, exit: LastExit): void {
    const exits = this.#exits.get(slot) ?? [];
    exits.push(exit);
    if (exits.length > KEPT) exits.shift();
    this.#exits.set(slot, exits);
  }

  /** Adds what was found out later: the jobs that were in hand at that exit. */
  tellJobs(slot: number, exit: LastExit, jobs: readonly JobRef[]): void {
    const exits = this.#exits.get(slot) ?? [];
    const at = exits.indexOf(exit);
    if (at >= 0) exits[at] = { ...exit, jobs: jobs.slice(0, KEPT_JOBS) };
  }

  /** Oldest first. */
  of(slot: number): readonly LastExit[] {
    return this.#exits.get(slot) ?? [];
  }

  last(slot: number): LastExit | undefined {
    return this.#exits.get(slot)?.at(-1);
  }

  forget(slot: number): void {
    this.#exits.delete(slot);
  }
}
