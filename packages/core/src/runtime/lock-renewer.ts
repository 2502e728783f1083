import { type Clock, type Logger, messageOf, type Timer } from '../kit/index.js';
import type { ExchangeStore } from '../store/index.js';
import type { HeldJob, JobOwner } from './consumer.js';
import { locksDue, type RenewalBatch, renewalBatches, renewalTickMs } from './locks-due.js';
import type { Outage } from './outage.js';

/** Owns the table of locks this process holds, and the one timer that renews them all. */
export class LockRenewer {
  readonly #held = new Set<HeldJob>();
  #timer: Timer | undefined;
  #tickMs = 0;
  #isStopped = false;

  /**
   * @param lost told of each lock that another token has, or that ran out because Redis was away.
   * @param failed told of a bug in a pass.
   */
  constructor(
    private readonly store: Pick<ExchangeStore, 'extendLocks'>,
    private readonly clock: Clock,
    private readonly outage: Outage,
    private readonly logger: Logger,
    private readonly lost: (job: HeldJob) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  hold(job: HeldJob): void {
    this.#held.add(job);
  }

  release(job: HeldJob): void {
    this.#held.delete(job);
  }

  get held(): ReadonlySet<HeldJob> {
    return this.#held;
  }

  /** Makes passes frequent enough for locks that are to be renewed after `lockRenewMs`. */
  pace(lockRenewMs: number | undefined): void {
    if (lockRenewMs === undefined) return;
    const tickMs = renewalTickMs(lockRenewMs);
    if (this.#tickMs > 0 && tickMs >= this.#tickMs) return;
    this.#tickMs = tickMs;
    this.#arm();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** One renewal pass. The timer calls it, and the runtime when Redis is back; tests call it directly. */
  async renewDue(): Promise<void> {
    const due = locksDue(this.#held, this.clock.monotonic());
    if (due.length === 0) return;
    if (!this.outage.mayTry) return this.#dropExpired(due);
    await Promise.all(renewalBatches(due).map((batch) => this.#renew(batch)));
  }

  async #renew(batch: RenewalBatch<HeldJob>): Promise<void> {
    const sentAt = this.clock.monotonic();
    const startedAt = this.clock.now();
    for (const job of batch.locks) job.isRenewing = true;
    try {
      const missing = await this.store.extendLocks(batch.queue, batch.locks, batch.lockMs);
      for (const job of batch.locks) job.lockedAt = sentAt;
      this.#dropMissing(batch, missing);
      this.#tellRenewed(batch.locks, missing, startedAt);
    } catch (error) {
      this.logger.warn('locks could not be renewed', { queue: batch.queue.name, locks: batch.locks.length, error: messageOf(error) });
      this.outage.failed();
      this.#dropExpired(batch.locks);
    } finally {
      for (const job of batch.locks) job.isRenewing = false;
    }
  }

  /** A lock may be missing because its outcome was committed meanwhile; only a job that still runs has lost it. */
  #dropMissing(batch: RenewalBatch<HeldJob>, missing: readonly string[]): void {
    if (missing.length === 0) return;
    const ids = new Set(missing);
    for (const job of batch.locks) if (ids.has(job.jobId) && job.phase === 'running') this.#drop(job);
  }

  #tellRenewed(locks: readonly HeldJob[], missing: readonly string[], startedAt: number): void {
    const gone = new Set(missing);
    const renewed = new Map<JobOwner, string[]>();
    for (const { jobId, owner } of locks) {
      const ids = renewed.get(owner);
      if (gone.has(jobId)) continue;
      if (ids) ids.push(jobId);
      else renewed.set(owner, [jobId]);
    }
    for (const [owner, jobIds] of renewed) owner.renewed?.(jobIds, startedAt);
  }

  /** While Redis is away nobody can say whose a lock is; once its time has run out it has to be taken for lost. */
  #dropExpired(jobs: readonly HeldJob[]): void {
    const now = this.clock.monotonic();
    for (const job of jobs) if (job.isExpired(now) && (job.phase === 'running' || job.phase === 'settled')) this.#drop(job);
  }

  #drop(job: HeldJob): void {
    if (this.#held.delete(job)) this.lost(job);
  }

  #arm(): void {
    this.#timer?.cancel();
    if (this.#isStopped) return;
    this.#timer = this.clock.setTimer(() => this.#tick(), this.#tickMs);
  }

  #tick(): void {
    this.#arm();
    this.renewDue().catch(this.failed);
  }
}
