import type { KeepRule, PendingOutcome } from '../job/index.js';
import type { RedisArgument } from '../redis/index.js';

/** Appends one outcome as lua/includes/read-outcomes.lua reads it. */
export function pushOutcome(args: RedisArgument[], { jobId, token, at, outcome }: PendingOutcome): void {
  args.push(outcome.kind, jobId, token, at);
  switch (outcome.kind) {
    case 'complete':
      args.push(keepText(outcome.keep), outcome.value);
      return;
    case 'fail':
      args.push(keepText(outcome.keep), outcome.attempts, outcome.reason, outcome.stacktrace);
      return;
    case 'retry':
      args.push(outcome.lifo ? 1 : 0, outcome.reason, outcome.stacktrace);
      return;
    case 'wait':
      args.push(outcome.isRateLimited ? 1 : outcome.isCounted ? 2 : 0);
      return;
    case 'wait-children':
      args.push(outcome.child ?? '');
      return;
    case 'delay': {
      const { delayMs, countsAttempt, reason, stacktrace } = outcome;
      args.push(delayMs, countsAttempt ? 1 : 0, reason === undefined ? 0 : 1, reason ?? '', stacktrace ?? '[]');
    }
  }
}

/** `<count>[:<ageS>[:<limit>]]`, see lua/includes/parse-keep.lua. */
export function keepText({ count, ageS, limit }: KeepRule): string {
  if (ageS === undefined && limit === undefined) return String(count);
  return `${count}:${ageS ?? ''}:${limit ?? ''}`;
}
