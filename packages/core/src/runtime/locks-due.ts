import type { QueueRef } from '../keys/queue-keys.js';
import type { HeldJob, HeldPhase } from './consumer.js';

/** What decides about a lock's renewal. */
export interface RenewableLock {
  readonly phase: HeldPhase;
  readonly isRenewing: boolean;
  readonly lockedAt: number;
  readonly lockRenewMs: number | undefined;
}

/** Locks of one queue that one call extends by the same time. */
export interface RenewalBatch<T> {
  readonly queue: QueueRef;
  readonly lockMs: number;
  readonly locks: readonly T[];
}

/** Renewal passes per `lockRenewMs`: with locks renewed from half that age on, none gets older than five sixths of it. */
const PASSES = 3;
const MAX_BATCH = 500;

/** Time between two renewal passes for consumers that ask for renewal after `lockRenewMs`. */
export function renewalTickMs(lockRenewMs: number): number {
  return Math.max(1, Math.floor(lockRenewMs / PASSES));
}

/**
 * Locks to be renewed now: held for more than half of their renewal time, and neither under way to be renewed nor to be released.
 * A lock whose outcome waits for a turn is renewed, as that turn may be long in coming.
 */
export function locksDue<T extends RenewableLock>(held: Iterable<T>, nowMs: number): T[] {
  const due: T[] = [];
  for (const lock of held) {
    if (lock.lockRenewMs === undefined || lock.isRenewing || lock.phase === 'sent' || lock.phase === 'over') continue;
    if (nowMs - lock.lockedAt >= lock.lockRenewMs / 2) due.push(lock);
  }
  return due;
}

/** Groups locks by queue and lock time, at most 500 in a batch. */
export function renewalBatches<T extends Pick<HeldJob, 'queue' | 'lockMs'>>(locks: readonly T[]): RenewalBatch<T>[] {
  const open = new Map<QueueRef, Map<number, T[]>>();
  const batches: RenewalBatch<T>[] = [];
  for (const lock of locks) {
    const byTime = open.get(lock.queue) ?? new Map<number, T[]>();
    open.set(lock.queue, byTime);
    let batch = byTime.get(lock.lockMs);
    if (!batch || batch.length >= MAX_BATCH) {
      batch = [];
      byTime.set(lock.lockMs, batch);
      batches.push({ queue: lock.queue, lockMs: lock.lockMs, locks: batch });
    }
    batch.push(lock);
  }
  return batches;
}
