import type { HeldJob } from '../runtime/consumer.js';
import type { JobInHand } from '../runtime/runtime.js';
import type { Run } from './run.js';

/** Owns the table of one executor's runs, and who waits for it to empty. */
export class Hand {
  readonly #runs = new Map<HeldJob, Run>();
  /** Jobs that this process holds: no answer to their outcome yet. */
  #held = 0;
  #waiters: { readonly isOver: () => boolean; readonly resolve: () => void }[] = [];

  add(run: Run): void {
    this.#runs.set(run.held, run);
    this.#held++;
  }

  get(held: HeldJob): Run | undefined {
    return this.#runs.get(held);
  }

  /** Runs whose processors have not settled. */
  *running(): Iterable<Run> {
    for (const run of this.#runs.values()) if (!run.end) yield run;
  }

  /** Runs whose job this process still holds. */
  *held(): Iterable<Run> {
    for (const run of this.#runs.values()) if (run.held.phase !== 'over') yield run;
  }

  jobs(): JobInHand[] {
    const jobs: JobInHand[] = [];
    for (const { held, end } of this.#runs.values()) {
      if (!end && held.phase === 'running')
        jobs.push({ queue: held.queue.name, jobId: held.jobId, token: held.token, startedAt: held.startedAt });
    }
    return jobs;
  }

  /** The job is not held any more; the run is over if its processor has settled. */
  letGo(run: Run): void {
    this.#held--;
    if (run.end) this.#runs.delete(run.held);
    this.#wakeWaiters();
  }

  /** The processor of a job that is not held any more has settled. */
  forget(run: Run): void {
    this.#runs.delete(run.held);
    this.#wakeWaiters();
  }

  /** Resolves when no processor runs and no outcome is open. */
  whenEmpty(): Promise<void> {
    return this.#when(() => this.#runs.size === 0);
  }

  /** Resolves when no job is held, even if processors of lost or returned ones still run. */
  whenNoneHeld(): Promise<void> {
    return this.#when(() => this.#held === 0);
  }

  #when(isOver: () => boolean): Promise<void> {
    return isOver() ? Promise.resolve() : new Promise((resolve) => this.#waiters.push({ isOver, resolve }));
  }

  #wakeWaiters(): void {
    if (this.#waiters.length === 0) return;
    const over = this.#waiters.filter(({ isOver }) => isOver());
    this.#waiters = this.#waiters.filter((waiter) => !over.includes(waiter));
    for (const { resolve } of over) resolve();
  }
}
