/**
 * The drain of a process (control-plane section 7): stop fetching, let the jobs in hand finish, abort them `abortLead` before the
 * deadline, give back what is left at the deadline. Whoever asked exits the process right after, so nothing lingers.
 */
import { type Clock, Deadline, type Timer } from '@drover/core/kit';
import type { DrainReport, JobRef, StopMode } from '../protocol/index.js';

/** What a drain acts on: the workers and runtimes of a process. */
export interface DrainTarget {
  /** Stops all fetching, for good. */
  quiesce(): Promise<void>;
  hand(): readonly JobRef[];
  /** Ends all workers by the deadline, giving back what is left. Called again when the deadline has moved closer. */
  endWorkers(deadline: Deadline, abortLeadMs: number): Promise<DrainReport>;
}

export interface DrainLimits {
  readonly drainMs: number;
  readonly abortLeadMs: number;
}

/** `fast` aborts at once and gives back after `abortLead`, `now` gives everything back. */
export function drainLimits(mode: StopMode, { drainMs, abortLeadMs }: DrainLimits): DrainLimits {
  if (mode === 'drain') return { drainMs, abortLeadMs };
  return { drainMs: mode === 'fast' ? abortLeadMs : 0, abortLeadMs };
}

const PROGRESS_MS = 1_000;

/** Owns the one drain of a process and its deadline. */
export class ProcessDrain {
  #deadline: Deadline | undefined;
  #report: Promise<DrainReport> | undefined;

  /** @param progress called each second while it lasts. */
  constructor(
    private readonly target: DrainTarget,
    private readonly clock: Clock,
    private readonly progress: (hand: readonly JobRef[]) => void,
  ) {}

  get hasBegun(): boolean {
    return this.#report !== undefined;
  }

  /** Resolves with what became of the jobs. A second call joins the first and may shorten it. */
  run(limits: DrainLimits): Promise<DrainReport> {
    if (this.#report && this.#deadline) {
      this.#deadline.shortenTo(limits.drainMs);
      void this.target.endWorkers(this.#deadline, limits.abortLeadMs);
      return this.#report;
    }
    this.#deadline = Deadline.in(limits.drainMs, this.clock);
    this.#report = this.#drain(this.#deadline, limits.abortLeadMs);
    return this.#report;
  }

  async #drain(deadline: Deadline, abortLeadMs: number): Promise<DrainReport> {
    let timer: Timer;
    const tick = (): void => {
      this.progress(this.target.hand());
      timer = this.clock.setTimer(tick, PROGRESS_MS);
    };
    timer = this.clock.setTimer(tick, PROGRESS_MS);
    try {
      const [, report] = await Promise.all([this.target.quiesce(), this.target.endWorkers(deadline, abortLeadMs)]);
      return report;
    } finally {
      timer.cancel();
      deadline.clear();
    }
  }
}
