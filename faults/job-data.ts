/** What a job of the suite is to do. */
export interface FaultJob {
  /** How long it waits before it ends, ms. */
  readonly ms: number;
  /** Fails at so many attempts before it completes. */
  readonly fails?: number;
  /** Blocks the event loop for ever, at its first start only: whoever runs it again completes it. */
  readonly loops?: boolean;
}

export const QUEUE = 'mixed';
/** Longer than any outage of the suite, so that no holder loses a lock while it lives. */
export const LOCK_MS = 12_000;
export const RENEW_MS = 3_000;
