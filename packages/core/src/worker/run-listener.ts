import type { Job, JobProgress } from '../job/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import { toError } from '../kit/index.js';
import { channels } from '../telemetry/channels.js';
import type { RunListener } from './executor.js';
import { JobMessages } from './messages.js';
import type { Run } from './run.js';
import type { WorkerEvents } from './worker-events.js';

type EventName = keyof WorkerEvents<unknown, unknown, string>;

/** How a worker speaks to its application. */
export interface Voice {
  tell(event: EventName, ...payload: unknown[]): void;
  problem(error: Error): void;
  isHeard(event: EventName): boolean;
}

/**
 * What happens to the jobs of an executor, told as the worker's events and on the diagnostics channels. Nothing is made that nobody hears.
 * A class, because each worker has one: methods cost an idle worker nothing, closures would.
 */
export class WorkerRunListener implements RunListener {
  readonly #messages: JobMessages;

  constructor(
    queue: QueueRef,
    private readonly voice: Voice,
  ) {
    this.#messages = new JobMessages(queue);
  }

  active(job: Job): void {
    if (channels.jobStart.hasSubscribers) channels.jobStart.publish(this.#messages.of(job));
    this.voice.tell('active', job, 'waiting');
  }

  completed(job: Job, result: unknown): void {
    if (channels.jobComplete.hasSubscribers) channels.jobComplete.publish(this.#messages.ended(job));
    if (!this.voice.isHeard('completed')) return;
    job.applyUpdate({ returnvalue: result, attemptsMade: job.attemptsMade + 1 });
    this.voice.tell('completed', job, result, 'active');
  }

  failed(job: Job, error: Error): void {
    if (channels.jobFail.hasSubscribers) channels.jobFail.publish(this.#messages.ended(job, error));
    if (!this.voice.isHeard('failed')) return;
    job.applyUpdate({ failedReason: error.message, attemptsMade: job.attemptsMade + 1 });
    this.voice.tell('failed', job, error, 'active');
  }

  progress(job: Job, progress: JobProgress): void {
    this.voice.tell('progress', job, progress);
  }

  returned({ job }: Run): void {
    if (channels.jobReturn.hasSubscribers) channels.jobReturn.publish(this.#messages.ended(job));
  }

  lockLost({ job, signal }: Run): void {
    if (channels.jobLost.hasSubscribers) channels.jobLost.publish(this.#messages.ended(job, signal.reason));
    this.voice.tell('lockRenewalFailed', [job.id]);
    this.voice.problem(toError(signal.reason));
  }

  locksRenewed(jobIds: readonly string[]): void {
    this.voice.tell('locksRenewed', { count: jobIds.length, jobIds: [...jobIds] });
  }

  drained(): void {
    this.voice.tell('drained');
  }

  stalled(jobIds: readonly string[]): void {
    for (const jobId of jobIds) this.voice.tell('stalled', jobId, 'active');
  }

  problem(error: Error): void {
    this.voice.problem(error);
  }
}
