import type { QueueRef } from '../keys/queue-keys.js';
import type { FetchProfile } from '../store/exchange.js';
import type { HeldJob } from './held-job.js';

/** What the runtime does for a consumer besides fetching. */
export interface Upkeep {
  /** A lock is renewed before it gets older than this; undefined: never renewed. */
  readonly lockRenewMs: number | undefined;
  /** How often the queue is checked for stalled jobs, and how often a job may stall; undefined: this consumer asks for no check. */
  readonly stalled: { readonly intervalMs: number; readonly maxCount: number } | undefined;
  /** An idle queue is asked again after this time even without a marker. */
  readonly pollMs: number;
  /** A rate-limited queue is asked again after this time at the latest. */
  readonly maxLimitDelayMs: number;
}

/** Who is told what became of a held job. */
export interface JobOwner {
  /** The outcome is in Redis (code 0), or the job is not ours any more (a negative status code of the data model, section 4.1). */
  committed(job: HeldJob, code: number): void;
  /**
   * The outcome was refused for the children's sake and the job is still held, so it has to be settled anew: -4 pending children, -9 failed
   * children, 1 no child to wait for.
   */
  refused(job: HeldJob, code: number): void;
  /** The lock is gone while the job runs: abort, drop the result. */
  lost(job: HeldJob): void;
}

/** What the turn loop knows about a worker, and no more. */
export interface Consumer extends JobOwner {
  readonly queue: QueueRef;
  /** Consumers of a queue with equal profiles share a call. */
  readonly profile: FetchProfile;
  readonly upkeep: Upkeep;
  /** Places free now; 0 while paused or closing. */
  free(): number;
  /** Takes jobs whose locks are held from now on. Never more than `free()` allows at that moment. */
  deliver(jobs: readonly HeldJob[]): void;
  /** The queue is empty and nothing is in hand or due now. */
  drained(): void;
  /** The stalled check that this process ran put these jobs back. */
  stalled(jobIds: readonly string[]): void;
  /** A failure in the background that concerns this queue. */
  problem(error: Error): void;
}
