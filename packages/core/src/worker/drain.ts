import { type Clock, type Deadline, deferred, InvalidOptionError, nonNegativeInt, type Shape, type Timer } from '../kit/index.js';
import type { Executor, RunTally } from './executor.js';
import type { Run } from './run.js';

/** A job by what an operator finds it with. */
export interface JobRef {
  readonly queue: string;
  readonly jobId: string;
  /** Epoch ms. */
  readonly startedAt: number;
}

/** What became of the jobs in hand of a worker that was drained. */
export interface DrainReport {
  /** Completed, failed, retried, or moved by their processors. */
  readonly finished: number;
  /** Rejected after the drain aborted them; all of them are in `returned`, too. */
  readonly aborted: number;
  /** Back in wait, attempts and stall count untouched. */
  readonly returned: readonly JobRef[];
  /** Neither finished nor given back: their locks were lost, or Redis did not confirm in time. They will stall. */
  readonly lost: readonly JobRef[];
  /** Still running with their locks renewed, because their processors ignore the abort signal. */
  readonly lingering: readonly JobRef[];
}

export interface DrainOptions {
  /** How long before the deadline the signals of running jobs are aborted, ms. */
  readonly abortLeadMs: number;
  /**
   * What happens to jobs that still run at the deadline. `return`: put back at once, for a process that exits right after. `linger`:
   * reported, and left to run: in a process that lives on, putting them back would run them twice at once.
   */
  readonly onDeadline: 'return' | 'linger';
}

export const DRAIN_OPTIONS: Shape<DrainOptions> = {
  abortLeadMs: nonNegativeInt,
  onDeadline: (option, value) => {
    if (value !== 'return' && value !== 'linger') throw new InvalidOptionError(option, value, '"return" or "linger"');
  },
};

/** What jobs put back at the deadline may take to be confirmed. */
const CONFIRM_MS = 1_300;
/** What finding out how often jobs went back may take. */
const COUNTS_MS = 200;

/** Owns one drain of one executor: it counts what becomes of its jobs, aborts them ahead of the deadline and settles the rest at it. */
export class Drain implements RunTally {
  readonly #returned: Run[] = [];
  readonly #lost = new Set<Run>();
  #finished = 0;
  #aborted = 0;
  #timer: Timer | undefined;
  #isOver = false;
  #options: DrainOptions;

  constructor(
    private readonly executor: Executor,
    private readonly clock: Clock,
    readonly deadline: Deadline,
    options: DrainOptions,
  ) {
    this.#options = options;
  }

  finished(_run: Run): void {
    this.#finished++;
  }

  returned(run: Run): void {
    this.#returned.push(run);
    if (run.end && run.abortCause === 'drain') this.#aborted++;
  }

  lost(run: Run): void {
    this.#lost.add(run);
  }

  /** A second call for the same worker: the deadline can only come closer, and jobs that were to linger may be given back instead. */
  tighten(ms: number, { abortLeadMs, onDeadline }: DrainOptions): void {
    if (this.#isOver) return;
    if (onDeadline === 'return' && this.#options.onDeadline === 'linger') this.#options = { abortLeadMs, onDeadline };
    this.deadline.shortenTo(ms);
    this.#armAbort();
  }

  /** The executor takes no job any more when this is called. */
  async run(): Promise<DrainReport> {
    this.executor.count(this);
    this.#armAbort();
    const isEmpty = await this.#emptyBefore(this.deadline.signal);
    this.#isOver = true;
    this.#timer?.cancel();
    if (isEmpty) return this.#report([]);
    await this.#abort();
    if (this.#options.onDeadline === 'return') return this.#returnRest();
    return this.#report([...this.executor.running()].filter(({ held }) => held.phase === 'running'));
  }

  async #returnRest(): Promise<DrainReport> {
    this.executor.returnAll();
    const limit = deferred();
    const timer = this.clock.setTimer(limit.resolve, CONFIRM_MS);
    await Promise.race([limit.promise, this.executor.whenNoneHeld()]);
    timer.cancel();
    for (const run of this.executor.held()) this.#lost.add(run);
    return this.#report([]);
  }

  #armAbort(): void {
    this.#timer?.cancel();
    const leadMs = this.deadline.remainingMs() - this.#options.abortLeadMs;
    if (!Number.isFinite(leadMs)) return;
    this.#timer = this.clock.setTimer(() => void this.#abort(), Math.max(0, leadMs));
  }

  /** Jobs that must not go back once more are found before their processors can reject. */
  async #abort(): Promise<void> {
    const finding = this.executor.findExhausted();
    if (finding) {
      const limit = deferred();
      const timer = this.clock.setTimer(limit.resolve, COUNTS_MS);
      await Promise.race([limit.promise, finding]);
      timer.cancel();
    }
    this.executor.abortAll('drain');
  }

  async #emptyBefore(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    const passed = deferred();
    const onAbort = (): void => passed.resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    const isEmpty = await Promise.race([this.executor.whenEmpty().then(() => true), passed.promise.then(() => false)]);
    signal.removeEventListener('abort', onAbort);
    return isEmpty;
  }

  #report(lingering: readonly Run[]): DrainReport {
    return {
      finished: this.#finished,
      aborted: this.#aborted,
      returned: this.#returned.map(refOf),
      lost: [...this.#lost].map(refOf),
      lingering: lingering.map(refOf),
    };
  }
}

function refOf({ held }: Run): JobRef {
  return { queue: held.queue.name, jobId: held.jobId, startedAt: held.startedAt };
}
