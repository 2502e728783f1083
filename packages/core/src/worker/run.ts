import { Job, type JobCommands, type JobProgress, type RunEnd } from '../job/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import type { HeldJob } from '../runtime/consumer.js';
import type { RunTrace } from './run-trace.js';
import type { OnMaxReturns } from './worker-options.js';

/** Why a run's signal was aborted: it is to make room for a stop, somebody asked for it, or the job is somebody else's now. */
export type AbortCause = 'drain' | 'cancel' | 'lock-lost';

/** What `signal.reason` is for an abort that was not asked for with a reason of its own. */
export class JobAbortedError extends Error {
  override readonly name = 'AbortError';
  readonly code = 'JOB_ABORTED';

  constructor(
    override readonly cause: AbortCause,
    jobId: string,
  ) {
    super(`job ${jobId} was aborted: ${cause}`);
  }
}

/** A job as its processor sees it: progress it reports is told to the worker's listeners, too. */
export class RunningJob extends Job {
  readonly #told: (job: Job, progress: JobProgress) => void;

  constructor(held: HeldJob, queue: QueueRef, commands: JobCommands, told: (job: Job, progress: JobProgress) => void) {
    super(queue, held.record, commands, held.token);
    this.#told = told;
  }

  override async updateProgress(progress: JobProgress): Promise<void> {
    await super.updateProgress(progress);
    this.#told(this, progress);
  }
}

/** One call of a processor: the job it holds, its abort signal, and how it ended. */
export class Run {
  #controller: AbortController | undefined;
  #reason: unknown;
  abortCause: AbortCause | undefined;
  end: RunEnd | undefined;
  /** It went back as often as it may: what is done instead, should a drain leave it no time. */
  instead: OnMaxReturns | undefined;
  /** Absent without telemetry. */
  trace: RunTrace | undefined;

  constructor(
    readonly held: HeldJob,
    readonly job: RunningJob,
  ) {}

  /** Made when first asked for. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.abortCause !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Aborts the signal once; the first cause stays. */
  abort(cause: AbortCause, reason: unknown = new JobAbortedError(cause, this.held.jobId)): void {
    if (this.abortCause !== undefined) return;
    this.abortCause = cause;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}
