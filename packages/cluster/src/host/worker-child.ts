import { type Clock, Deadline, deferred } from '@drover/core/kit';
import type { JobRef } from '../protocol/index.js';
import type { ChildExit, ChildHandle, Shutdown } from '../supervisor/index.js';
import { addReports, emptyReport, refOf } from './drain-report.js';
import type { DrainOptions, WorkerDrainReport } from './hosted-worker.js';

/** What a kind of worker offers to be a child. */
export interface WorkerBody {
  hand(): readonly JobRef[];
  /** May be called again, to shorten the deadline. */
  drain(deadline: Deadline, options: DrainOptions): Promise<WorkerDrainReport>;
  /** Settles when the worker has ended without being asked to. */
  readonly endedAlone: Promise<ChildExit>;
}

/** How often a process that drains looks for jobs that linger. */
const LOOK_MS = 50;

/**
 * One running worker, as its supervisor and the drain of the process see it. For the supervisor it is gone when its drain is over; jobs
 * that linger then are still in its hand.
 */
export class WorkerChild implements ChildHandle {
  readonly exited: Promise<ChildExit>;
  readonly #drained = deferred<ChildExit>();
  #deadline: Deadline | undefined;
  #report: WorkerDrainReport | undefined;
  #finish: { readonly deadline: Deadline; readonly done: Promise<void> } | undefined;

  /** @param drainOptions what becomes of jobs that do not end in time; can be changed until the drain begins. */
  constructor(
    readonly name: string,
    private readonly body: WorkerBody,
    public drainOptions: DrainOptions,
    private readonly clock: Clock,
  ) {
    this.exited = Promise.race([body.endedAlone, this.#drained.promise]);
  }

  /** What its drain did; undefined: it has not been drained. */
  get report(): WorkerDrainReport | undefined {
    return this.#report;
  }

  hand(): readonly JobRef[] {
    return this.body.hand();
  }

  async stop(shutdown: Shutdown): Promise<void> {
    const ms = shutdown === 'brutal_kill' ? 0 : shutdown;
    const isUnderWay = this.#deadline !== undefined;
    this.#deadline ??= Deadline.in(ms, this.clock);
    this.#deadline.shortenTo(ms);
    if (isUnderWay) void this.body.drain(this.#deadline, this.drainOptions);
    else void this.#drain(this.#deadline);
    await this.exited;
  }

  /** Gives the jobs that linger after its drain up to `ms` more, then gives back what its kind of worker can; what is left is lost with the process. Called again, it may shorten that. */
  finish(ms: number): Promise<void> {
    if (this.#finish) this.#finish.deadline.shortenTo(ms);
    else {
      const deadline = Deadline.in(ms, this.clock);
      this.#finish = { deadline, done: this.#awaitLingering(deadline) };
    }
    return this.#finish.done;
  }

  async #awaitLingering(deadline: Deadline): Promise<void> {
    const first = this.#report;
    let before = this.hand();
    const again = first && this.drainOptions.onDeadline === 'return' ? await this.body.drain(deadline, this.drainOptions) : first;
    if (first && again && again !== first && again.lingering.length === 0) {
      this.#report = { ...addReports([{ ...first, lingering: [] }, again]), lingering: [] }; // it gave them back, and counted them anew
      before = this.hand();
    }
    while (this.hand().length > 0 && !deadline.isPassed) {
      const look = deferred();
      this.clock.setTimer(look.resolve, Math.min(LOOK_MS, deadline.remainingMs()));
      await look.promise;
    }
    deadline.clear();
    const lost = this.hand().map(refOf);
    const report = this.#report ?? emptyReport();
    this.#report = { ...report, lingering: [], finished: report.finished + before.length - lost.length, lost: [...report.lost, ...lost] };
  }

  async #drain(deadline: Deadline): Promise<void> {
    this.#report = await this.body.drain(deadline, this.drainOptions);
    deadline.clear();
    this.#drained.resolve({ kind: 'shutdown' });
  }
}
