import type { Job } from '../job/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import type { JobMessage } from '../telemetry/channels.js';

/** Builds what diagnostics channels carry; only called while somebody subscribes. */
export class JobMessages {
  constructor(private readonly queue: QueueRef) {}

  of(job: Job): JobMessage {
    return {
      queue: this.queue.name,
      prefix: this.queue.prefix,
      jobId: job.id,
      name: job.name,
      token: job.token ?? '',
      attempt: job.attemptsMade + 1,
      startedAt: job.processedOn ?? 0,
    };
  }

  ended(job: Job, error?: unknown): JobMessage {
    const message = { ...this.of(job), endedAt: Date.now() };
    return error === undefined ? message : { ...message, error };
  }
}
