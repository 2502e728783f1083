import type { FetchedJob, JobRecord, Outcome, PendingOutcome, ScheduleDuty } from '../job/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import type { FetchProfile, HeldLockRef } from '../store/index.js';

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
  /** Locks of jobs that it owns were extended, by a call sent at `startedAt`, epoch ms. */
  renewed?(jobIds: readonly string[], startedAt: number): void;
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
  /** A stalled check of the queue, begun at `startedAt` (epoch ms), has put these jobs back, or none. Told to one of its consumers. */
  checked?(stalled: readonly string[], startedAt: number): void;
  /** A failure in the background that concerns this queue. */
  problem(error: Error): void;
}

/** Consumers of one queue with equal fetch profiles: they share calls. Lives on without consumers while outcomes or wants are open. */
export interface Pool {
  readonly queue: QueueState;
  readonly profile: FetchProfile;
  readonly key: string;
  readonly consumers: Consumer[];
  /** Where the next sharing-out of jobs begins, so that the odd ones do not always go to the same consumers. */
  cursor: number;
  /** Places asked for by turns in flight. */
  wanted: number;
  /** Jobs whose outcome is not known yet. */
  running: number;
  /** Epoch ms until which the rate limit holds; 0: none. */
  limitedUntil: number;
  /** Calls of this pool that failed on their own, not with the connection, since one succeeded. */
  failuresInRow: number;
  /** Outcomes per call; halves with each such failure, so that one bad outcome cannot hold the others. */
  maxOutcomes: number;
  /** Monotonic ms before which no call is sent after such a failure. */
  retryAt: number;
}

/** What is known of one queue that consumers of this process serve. */
export interface QueueState {
  readonly ref: QueueRef;
  readonly pools: Map<string, Pool>;
  /** A fetch may find something. Set by the table alone. */
  isReady: boolean;
  /** Counts what made the queue ready, so that an answer from before does not make it idle again. */
  hints: number;
  /** Epoch ms of the earliest delayed job; 0: none known. */
  dueAt: number;
  /** Monotonic ms of the last fetch that was answered. */
  checkedAt: number;
  /** Ready jobs when last seen. */
  left: number;
  /** Processes that serve the queue. */
  share: number;
  /** Jobs of this queue that this process holds. */
  inHand: number;
  /** `drained` has been told since the last job came. */
  isDrainTold: boolean;
}

/**
 * Where a held job stands.
 *
 *     running -> settled -> sent -> over        settled: its outcome waits for a turn; sent: a turn under way carries it
 *                   ^---------'                 back to settled when the connection was lost before the answer
 *     running | settled | sent -> over          lost: the lock ran out or is another token's
 */
export type HeldPhase = 'running' | 'settled' | 'sent' | 'over';

const BACK_TO_WAIT: Outcome = Object.freeze({ kind: 'wait' });

/**
 * One job whose lock this process holds: made from an exchange's reply, forgotten when the exchange that carries its outcome is
 * answered. The same object serves as lock, as run and as outcome, so that a job costs no lookup key and no second record on its way.
 */
export class HeldJob implements PendingOutcome, HeldLockRef {
  readonly jobId: string;
  readonly record: JobRecord;
  readonly token: string;
  readonly undecodable: string | undefined;
  readonly schedule: ScheduleDuty | undefined;
  phase: HeldPhase = 'running';
  /** Until a run settles it, giving the job back is what is to become of it. */
  outcome: Outcome = BACK_TO_WAIT;
  /** Epoch ms at which the run ended. */
  at = 0;
  /** How often a turn has carried the outcome. */
  tries = 0;
  /** Monotonic ms of the first exchange that answered with an error for this outcome alone; 0: none. */
  refusedAt = 0;
  isRenewing = false;

  constructor(
    fetched: FetchedJob,
    readonly queue: QueueRef,
    readonly pool: Pool,
    readonly owner: JobOwner,
    /** The lock is renewed before it gets older than this; undefined: never, its user extends it. */
    readonly lockRenewMs: number | undefined,
    /** Epoch ms at which this process got it. */
    readonly startedAt: number,
    /** Monotonic ms at which the call that last set the lock's time to live was sent: the lock lives at least `lockMs` from then. */
    public lockedAt: number,
  ) {
    this.jobId = fetched.record.id;
    this.record = fetched.record;
    this.token = fetched.token;
    this.undecodable = fetched.undecodable;
    this.schedule = fetched.schedule;
  }

  get lockMs(): number {
    return this.pool.profile.lockMs;
  }

  /** Whether the lock may have run out in Redis, as no renewal has been confirmed for its whole time to live. */
  isExpired(nowMs: number): boolean {
    return nowMs - this.lockedAt >= this.lockMs;
  }

  /** Characters that the outcome adds to a call, near enough to bound it. */
  get weight(): number {
    const outcome = this.outcome;
    switch (outcome.kind) {
      case 'complete':
        return outcome.value.length;
      case 'fail':
      case 'retry':
        return outcome.reason.length + outcome.stacktrace.length;
      case 'delay':
        return (outcome.reason?.length ?? 0) + (outcome.stacktrace?.length ?? 0);
      default:
        return 0;
    }
  }
}
