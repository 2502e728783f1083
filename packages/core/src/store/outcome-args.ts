import type { KeepRule, Outcome, PendingOutcome } from '../job/index.js';
import type { RedisArgument } from '../redis/index.js';

/** Appends outcomes as lua/includes/read-outcomes.lua reads them: neighbours that completed alike share token, time and retention. */
export function pushOutcomes(args: RedisArgument[], outcomes: readonly PendingOutcome[]): void {
  for (let first = 0; first < outcomes.length; ) {
    const one = outcomes[first] as PendingOutcome;
    if (one.outcome.kind === 'complete') {
      const keep = keepText(one.outcome.keep);
      const end = endOfRun(outcomes, first);
      args.push('complete', one.token, one.at, keep, end - first);
      for (; first < end; first++) {
        const { jobId, outcome } = outcomes[first] as PendingOutcome;
        args.push(jobId, (outcome as Completion).value);
      }
    } else {
      pushOther(args, one, one.outcome);
      first++;
    }
  }
}

type Completion = Extract<Outcome, { kind: 'complete' }>;

/** Index behind the last outcome of the run that begins at `first`. */
function endOfRun(outcomes: readonly PendingOutcome[], first: number): number {
  const { token, at, outcome } = outcomes[first] as PendingOutcome;
  const { keep } = outcome as Completion;
  let end = first + 1;
  for (; end < outcomes.length; end++) {
    const next = outcomes[end] as PendingOutcome;
    if (next.outcome.kind !== 'complete' || next.at !== at || next.token !== token || !isSameRule(next.outcome.keep, keep)) break;
  }
  return end;
}

function isSameRule(a: KeepRule, b: KeepRule): boolean {
  return a === b || (a.count === b.count && a.ageS === b.ageS && a.limit === b.limit);
}

function pushOther(args: RedisArgument[], { jobId, token, at }: PendingOutcome, outcome: Exclude<Outcome, Completion>): void {
  args.push(outcome.kind, jobId, token, at);
  switch (outcome.kind) {
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
