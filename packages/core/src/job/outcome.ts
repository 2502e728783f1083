/** Which finished jobs stay: `count` -1 keeps all, 0 keeps none, n keeps the newest n; `ageS` in seconds; `limit` evictions per finish. */
export interface KeepRule {
  readonly count: number;
  readonly ageS?: number;
  readonly limit?: number;
}

/** What became of one run of a job, as the exchange script is told it. Texts are ready to be stored. */
export type Outcome =
  /** `value` is JSON text, `null` for undefined. */
  | { readonly kind: 'complete'; readonly value: string; readonly keep: KeepRule }
  /** Final failure. `reason` is the plain message, `stacktrace` a JSON array of texts. `attempts` as stored in the options. */
  | { readonly kind: 'fail'; readonly reason: string; readonly stacktrace: string; readonly keep: KeepRule; readonly attempts: number }
  /** Another attempt at once. */
  | { readonly kind: 'retry'; readonly reason: string; readonly stacktrace: string; readonly lifo: boolean }
  /** Another attempt after `delayMs` from `at`: back-off (counts as an attempt) or a manual move (does not). */
  | {
      readonly kind: 'delay';
      readonly delayMs: number;
      readonly countsAttempt: boolean;
      readonly reason?: string;
      readonly stacktrace?: string;
    }
  /** Back to the front of its class with attempts and stall count untouched: rate limited, moved by hand, drained (which may be counted), or unsupported. */
  | { readonly kind: 'wait'; readonly isRateLimited?: boolean; readonly isCounted?: boolean }
  /** `child`: full key of a child to wait for; without it, any. */
  | { readonly kind: 'wait-children'; readonly child?: string };

const COMMANDS: Readonly<Record<Outcome['kind'], string>> = {
  complete: 'moveToFinished',
  fail: 'moveToFinished',
  retry: 'retryJob',
  delay: 'moveToDelayed',
  wait: 'moveJobFromActiveToWait',
  'wait-children': 'moveToWaitingChildren',
};

/** What BullMQ calls the move in the message of its refusal. */
export function commandOf({ kind }: Outcome): string {
  return COMMANDS[kind];
}

/** An outcome on its way to Redis. `at` is the epoch ms at which the run ended: it becomes `finishedOn`, so a second try is recognised. */
export interface PendingOutcome {
  readonly jobId: string;
  readonly token: string;
  readonly at: number;
  readonly outcome: Outcome;
}
