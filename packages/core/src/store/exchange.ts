import type { FetchedJob, PendingOutcome } from '../job/index.js';
import type { QueueRef } from '../keys/queue-keys.js';

/** How jobs are taken: consumers of a queue with equal profiles share a call. `name` is stored as `pb` (processedBy). */
export interface FetchProfile {
  readonly lockMs: number;
  readonly limiter?: { readonly max: number; readonly durationMs: number };
  readonly name?: string;
  /** Data points per metric kept in Redis; undefined: no metrics. */
  readonly maxMetricsSize?: number;
  /** The consumer adds every next iteration of a scheduler itself; otherwise Redis adds those that follow from an interval. */
  readonly asksSchedules?: boolean;
  /** Lock token of the jobs taken, the caller's own; undefined: one that is made for each call. */
  readonly token?: string;
}

/** One call of the exchange script: outcomes of one queue in, jobs of that queue out. At most 200 of each. */
export interface ExchangeCall {
  readonly queue: QueueRef;
  readonly profile: FetchProfile;
  /** Epoch ms. */
  readonly now: number;
  readonly outcomes: readonly PendingOutcome[];
  readonly want: number;
  /** Processes that serve this queue: on a short queue a call takes at most its share (engine-performance, section 4 rule 5). 1 or more. */
  readonly share: number;
  /** Lock token of every job this call hands out; begins with the incarnation and is never used for a second call. */
  readonly token: string;
}

export interface ExchangeReply {
  /** One status per outcome, in order: 0 done, else a negative status code of the data model, section 4.1. */
  readonly codes: readonly number[];
  readonly jobs: readonly FetchedJob[];
  /** Ready jobs (wait + prioritized) left behind. */
  readonly left: number;
  /** Ms until the rate limit lifts; 0: not limited. */
  readonly limitedForMs: number;
  /** Paused, or at the global concurrency: fetching again at once is useless. */
  readonly isBlocked: boolean;
  /** Epoch ms of the earliest delayed job; 0: none. */
  readonly nextDueAt: number;
}

export interface HeldLockRef {
  readonly jobId: string;
  readonly token: string;
}

/** What a stalled check did. */
export interface StalledCheck {
  /** Jobs that went back to wait. */
  readonly moved: readonly string[];
  /** Ms until the next check may be made, by whichever client. */
  readonly nextMs: number;
}

/** What the runtime asks of Redis; `ConsumerStore` implements it over scripts. */
export interface ExchangeStore {
  /** All calls in one pipeline; a call that failed on its own is an Error in its place. Rejects when the connection is lost: nothing is known then. */
  exchange(calls: readonly ExchangeCall[]): Promise<readonly (ExchangeReply | Error)[]>;
  /** Extends locks of one queue to `lockMs` from receipt. @returns ids whose lock is missing or another token's. */
  extendLocks(queue: QueueRef, locks: readonly HeldLockRef[], lockMs: number): Promise<readonly string[]>;
  /** The two-phase stalled check; it moves nothing when another client has checked within the interval. */
  moveStalled(
    queue: QueueRef,
    options: { readonly maxStalledCount: number; readonly stalledIntervalMs: number; readonly now: number },
  ): Promise<StalledCheck>;
}
