import { controlFlowOf } from '../errors/index.js';
import { messageOf, toError } from '../kit/index.js';
import { backoffDelayMs, NO_RETRY } from './backoff-delay.js';
import type { KeepJobs, RemovalOption } from './job-options.js';
import type { JobRecord } from './job-record.js';
import type { KeepRule, Outcome } from './outcome.js';

/** How a run of a processor ended. */
export type RunEnd = { readonly returned: unknown } | { readonly threw: unknown };

/** What the decision depends on besides the job and how its run ended. */
export interface OutcomeRules {
  /** 0 <= random < 1, for the jitter of back-off. */
  readonly random: number;
  /** The worker's rules, for jobs that have none of their own. */
  readonly removeOnComplete?: KeepJobs | undefined;
  readonly removeOnFail?: KeepJobs | undefined;
  /** Starts after which a job is not tried again, whatever attempts are left. */
  readonly maxStartedAttempts?: number | undefined;
  /** What the worker's own strategy answered for a back-off type it knows (see `customBackoffType`): ms, or -1 for no further try. */
  readonly customDelayMs?: number | undefined;
  /** The processor called `job.discard()`: no further try. */
  readonly isDiscarded?: boolean | undefined;
}

const DEFAULT_STACK_TRACES = 10;

/**
 * What becomes of a job after a run. Undefined: the processor has moved the job itself and said so by its error; nothing is left to
 * store, and the lock is gone. The rules are those of the data model, sections 4.7 (retention), 4.8 (retries) and 9 (special errors).
 */
export function decideOutcome(record: JobRecord, end: RunEnd, rules: OutcomeRules): Outcome | undefined {
  if ('returned' in end) {
    const value = encodeValue(end.returned);
    if (value.json === undefined) return decideFailure(record, value.error, rules);
    return { kind: 'complete', value: value.json, keep: keepRule(record.opts.removeOnComplete, rules.removeOnComplete) };
  }
  switch (controlFlowOf(end.threw)) {
    case 'DelayedError':
    case 'WaitingError':
    case 'WaitingChildrenError':
      return undefined;
    case 'RateLimitError':
      return { kind: 'wait', isRateLimited: true };
    default:
      return decideFailure(record, end.threw, rules);
  }
}

/** Why a fetched job must be failed without being run, if so. The error that says it is unrecoverable. */
export function refusalToRun(record: JobRecord, maxStartedAttempts: number | undefined): string | undefined {
  if (record.deferredFailure !== undefined) return record.deferredFailure;
  if (maxStartedAttempts !== undefined && record.attemptsStarted > maxStartedAttempts) return 'job started more than allowable limit';
  return undefined;
}

function decideFailure(record: JobRecord, thrown: unknown, rules: OutcomeRules): Outcome {
  const error = toError(thrown);
  const reason = messageOf(error);
  const stacktrace = JSON.stringify(withTrace(record, error));
  const delay = isRetryAllowed(record, error, rules) ? backoffDelayMs(record, rules.random, rules.customDelayMs) : NO_RETRY;
  if (typeof delay === 'string') return failed(record, delay, stacktrace, rules);
  if (delay === NO_RETRY) return failed(record, reason, stacktrace, rules);
  if (delay > 0) return { kind: 'delay', delayMs: delay, countsAttempt: true, reason, stacktrace };
  return { kind: 'retry', reason, stacktrace, lifo: record.opts.lifo === true };
}

function isRetryAllowed(record: JobRecord, error: Error, { isDiscarded, maxStartedAttempts }: OutcomeRules): boolean {
  if (isDiscarded || controlFlowOf(error) === 'UnrecoverableError') return false;
  if (record.attemptsMade + 1 >= (record.opts.attempts ?? 0)) return false;
  return maxStartedAttempts === undefined || record.attemptsStarted < maxStartedAttempts;
}

function failed(record: JobRecord, reason: string, stacktrace: string, rules: OutcomeRules): Outcome {
  const keep = keepRule(record.opts.removeOnFail, rules.removeOnFail);
  return { kind: 'fail', reason, stacktrace, keep, attempts: record.opts.attempts ?? 0 };
}

/** Newest last. */
function withTrace({ opts, stacktrace }: JobRecord, error: Error): readonly string[] {
  const limit = typeof opts.stackTraceLimit === 'number' ? opts.stackTraceLimit : DEFAULT_STACK_TRACES;
  if (limit <= 0) return [];
  return [...stacktrace, error.stack ?? String(error)].slice(-limit);
}

/** The job's own rule wins over the worker's; without any, everything is kept. */
export function keepRule(own: RemovalOption | undefined, workers: KeepJobs | undefined): KeepRule {
  const rule = own ?? workers;
  if (rule === true) return { count: 0 };
  if (typeof rule === 'number') return { count: wholeOr(rule, -1) };
  if (typeof rule !== 'object' || rule === null) return { count: -1 };
  const { count, age, limit } = rule;
  return {
    count: wholeOr(count, -1),
    ...(typeof age === 'number' ? { ageS: wholeOr(age, 0) } : {}),
    ...(typeof limit === 'number' ? { limit: wholeOr(limit, 1_000) } : {}),
  };
}

function wholeOr(value: unknown, fallback: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.trunc(value) : fallback;
}

/** A value that cannot be stored (a cycle, a BigInt) fails the job: its result would be lost. */
function encodeValue(value: unknown): { readonly json: string } | { readonly json: undefined; readonly error: Error } {
  try {
    return { json: JSON.stringify(value) ?? 'null' };
  } catch (error) {
    return { json: undefined, error: toError(error) };
  }
}
