import type { GroupConfig, SupervisionConfig } from '../../config/resolved.js';

/** Brakes with OTP-like defaults and no jitter, for tests. */
export const supervision: SupervisionConfig = {
  strategy: 'one_for_one',
  maxRestarts: undefined,
  periodMs: 60_000,
  onGiveUp: 'escalate',
  backoff: { firstMs: 0, baseMs: 250, factor: 2, capMs: 15_000, jitter: 'none' },
  maxConsecutiveFailures: 5,
  resetAfterMs: 30_000,
};

/** A group as configuration would make it, for tests. */
export function groupConfig(group = 'mail', changes: Partial<GroupConfig> = {}): GroupConfig {
  return {
    group,
    queue: group,
    prefix: 'bull',
    connection: 'redis://127.0.0.1:6379',
    module: { kind: 'processor', url: 'file:///processor.js' },
    workers: 0,
    isSizeFixed: false,
    min: 0,
    max: 10_000,
    concurrency: 500,
    lockMs: 30_000,
    renewMs: 15_000,
    stalledIntervalMs: 30_000,
    maxStalledCount: 1,
    drain: { deadlineMs: 25_000, abortLeadMs: 5_000, onTimeout: 'linger', maxReturns: 5, onMaxReturns: 'stall' },
    restart: 'permanent',
    supervision,
    ...changes,
  };
}
