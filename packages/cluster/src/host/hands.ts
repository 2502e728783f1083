import type { DrainReport, JobRef } from '../protocol/index.js';
import { addReports, refOf } from './drain-report.js';
import type { DrainOptions } from './hosted-worker.js';
import type { WorkerChild } from './worker-child.js';

/** Owns the table of workers that run here or have jobs in hand: one that is gone stays in it until the last of its jobs has settled. */
export class Hands {
  readonly #children = new Set<WorkerChild>();
  /** By name: one that runs, and predecessors with jobs in hand. */
  readonly #named = new Map<string, Set<WorkerChild>>();
  readonly #gone = new Set<WorkerChild>();
  #ofTheProcess: DrainOptions | undefined;

  add(child: WorkerChild): void {
    this.#children.add(child);
    const named = this.#named.get(child.name);
    if (named) named.add(child);
    else this.#named.set(child.name, new Set([child]));
    void child.exited.then(() => this.#gone.add(child));
  }

  /** How jobs are treated that do not end in time: as the process drains once it does, before that as the group says. */
  drainOptions(ofTheGroup: DrainOptions): DrainOptions {
    return this.#ofTheProcess ?? ofTheGroup;
  }

  /** The process drains: from now on every worker does as it does, and none is forgotten before the report. */
  drainAll(options: DrainOptions): void {
    this.#ofTheProcess = options;
    for (const child of this.#children) child.drainOptions = options;
  }

  /** How the jobs of one worker are treated, from its next stop on. */
  setDrainOptions(name: string, options: DrainOptions): void {
    for (const child of this.#named.get(name) ?? []) child.drainOptions = this.drainOptions(options);
  }

  jobsOf(name: string): JobRef[] {
    return [...(this.#named.get(name) ?? [])].flatMap((child) => child.hand().map(refOf));
  }

  /** All jobs in hand. */
  jobs(): JobRef[] {
    return [...this.#children].flatMap((child) => child.hand().map(refOf));
  }

  /** Jobs in hand by worker, of those that have any. */
  byWorker(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const child of this.#children) {
      const jobs = child.hand().length;
      if (jobs > 0) counts[child.name] = (counts[child.name] ?? 0) + jobs;
    }
    return counts;
  }

  /** Waits up to `ms` for the jobs of workers that are gone. */
  async finishLingering(ms: number): Promise<void> {
    const lingering = [...this.#gone].filter((child) => child.hand().length > 0);
    await Promise.all(lingering.map((child) => child.finish(ms)));
  }

  /** What the drains of the workers still known did together. */
  report(): DrainReport {
    return addReports([...this.#children].flatMap((child) => child.report ?? []));
  }

  /** Forgets workers that are gone and have nothing in hand any more. @returns those. */
  prune(): WorkerChild[] {
    if (this.#ofTheProcess) return [];
    const over = [...this.#gone].filter((child) => child.hand().length === 0);
    for (const child of over) {
      this.#gone.delete(child);
      this.#children.delete(child);
      const named = this.#named.get(child.name);
      named?.delete(child);
      if (named?.size === 0) this.#named.delete(child.name);
    }
    return over;
  }
}
