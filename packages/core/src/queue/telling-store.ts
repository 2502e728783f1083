import type { JobProgress } from '../job/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import type { Clock } from '../kit/index.js';
import type { Scripts } from '../redis/index.js';
import { JobStore } from '../store/index.js';
import type { Tracing } from '../telemetry/tracing.js';

/** Who is told of what was done to jobs of a queue in this process. */
export interface JobTold {
  progress(jobId: string, progress: JobProgress): void;
  removed(jobId: string): void;
}

/** The store of a Queue's jobs, which tells the queue what its own events are about. */
export class TellingStore extends JobStore {
  readonly #told: JobTold;

  constructor(queue: QueueRef, scripts: Scripts, clock: Clock, told: JobTold, tracing: Tracing | undefined) {
    super(queue, scripts, clock, tracing);
    this.#told = told;
  }

  override async updateProgress(jobId: string, progress: string): Promise<number> {
    const status = await super.updateProgress(jobId, progress);
    if (status >= 0) this.#told.progress(jobId, JSON.parse(progress) as JobProgress);
    return status;
  }

  override async remove(jobId: string, withChildren: boolean): Promise<number> {
    const status = await super.remove(jobId, withChildren);
    if (status === 1) this.#told.removed(jobId);
    return status;
  }
}
