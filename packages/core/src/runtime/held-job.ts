import type { FetchedJob, JobRecord, Outcome, PendingOutcome } from '../job/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import type { HeldLockRef } from '../store/exchange.js';
import type { JobOwner } from './consumer.js';
import type { Pool } from './consumer-table.js';

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
