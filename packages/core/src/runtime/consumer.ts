import type { FetchedJob } from '../job/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import type { FetchProfile } from '../store/exchange.js';

/** What the turn loop knows about a worker, and no more. */
export interface Consumer {
  readonly queue: QueueRef;
  readonly profile: FetchProfile;
  /** Places free now; 0 while paused or closing. */
  free(): number;
  /** Takes jobs whose locks are held from now on. Never more than `free()` allowed when the turn was planned, unless that fell meanwhile. */
  deliver(jobs: readonly FetchedJob[]): void;
  /** An outcome of this consumer is in Redis (code 0) or was refused (a negative status code). */
  committed(jobId: string, code: number): void;
  /** The lock is gone: abort, drop the result. */
  lost(jobId: string): void;
  /** The queue is empty and nothing is in hand or due now. */
  drained(): void;
}
