import { InvalidOptionError, integer, nonNegativeInt } from '../kit/index.js';
import type { JobsOptions, ParentOptions } from './job-options.js';
import type { StoredJobOptions } from './job-record.js';
import { toStoredOptions } from './stored-options.js';

/** A job on its way to Redis, checked and encoded. */
export interface NewJob {
  /** Undefined: Redis gives it a number. */
  readonly id: string | undefined;
  readonly name: string;
  /** JSON text. */
  readonly data: string;
  readonly opts: StoredJobOptions;
  readonly timestamp: number;
  readonly delay: number;
  readonly priority: number;
  readonly lifo: boolean;
  readonly parent: { readonly key: string; readonly json: string } | undefined;
}

export const MAX_PRIORITY = 2_097_151;
/** A delay beyond ten years is taken as ten years: scores of delayed jobs must stay exact. */
export const MAX_DELAY_MS = 315_360_000_000;

const POLICIES = {
  failParentOnFailure: 'fpof',
  continueParentOnFailure: 'cpof',
  ignoreDependencyOnFailure: 'idof',
  removeDependencyOnFailure: 'rdof',
} as const;

/** Ids that are names of keys of the queue itself: such a job would overwrite them. */
const RESERVED_IDS = new Set(
  'wait paused active prioritized pc delayed waiting-children completed failed stalled stalled-check marker meta id events limiter repeat delay priority'.split(
    ' ',
  ),
);

/**
 * Checks a job and encodes it. Options of the call win over `defaults`, which never give a `jobId`.
 * @param now epoch ms.
 * @throws InvalidOptionError
 */
export function newJob(name: string, data: unknown, options: JobsOptions, defaults: JobsOptions, now: number): NewJob {
  if (typeof name !== 'string') throw new InvalidOptionError('job name', name, 'a text');
  const { jobId: _never, ...inherited } = defaults;
  const merged: JobsOptions = { ...inherited, ...options };
  refuseUnsupported(merged);
  checkOptions(merged);
  const json = JSON.stringify(data) ?? '{}';
  checkSize(json, merged.sizeLimit);
  return {
    id: merged.jobId === undefined ? undefined : customId(merged.jobId),
    name,
    data: json,
    opts: toStoredOptions(merged),
    timestamp: merged.timestamp ?? now,
    delay: delayOf(merged.delay),
    priority: merged.priority ?? 0,
    lifo: merged.lifo === true,
    parent: merged.parent ? parentOf(merged.parent, merged) : undefined,
  };
}

function refuseUnsupported({ deduplication, repeat }: JobsOptions): void {
  if (deduplication) throw new InvalidOptionError('deduplication', deduplication, 'absent: adding with deduplication is not supported yet');
  if (repeat) throw new InvalidOptionError('repeat', repeat, 'absent: a repeated job is made by a job scheduler');
}

function checkOptions(options: JobsOptions): void {
  if (options.timestamp !== undefined) nonNegativeInt('timestamp', options.timestamp);
  if (options.attempts !== undefined) nonNegativeInt('attempts', options.attempts);
  if (options.priority !== undefined) integer('priority', options.priority, 0, MAX_PRIORITY);
  if (options.keepLogs !== undefined) nonNegativeInt('keepLogs', options.keepLogs);
  if (options.stackTraceLimit !== undefined) nonNegativeInt('stackTraceLimit', options.stackTraceLimit);
  checkBackoff(options.backoff);
  const policies = Object.keys(POLICIES).filter((policy) => options[policy as keyof typeof POLICIES]);
  if (policies.length > 1) throw new InvalidOptionError(policies.join(' and '), true, 'given one at a time');
}

function checkBackoff(backoff: JobsOptions['backoff']): void {
  if (backoff === undefined || backoff === null) return;
  if (typeof backoff === 'number') {
    nonNegativeInt('backoff', backoff);
    return;
  }
  if (typeof backoff !== 'object') throw new InvalidOptionError('backoff', backoff, 'ms or an object with a type');
  if (backoff.delay !== undefined) nonNegativeInt('backoff.delay', backoff.delay);
  const { jitter } = backoff;
  if (jitter !== undefined && !(typeof jitter === 'number' && jitter >= 0 && jitter <= 1)) {
    throw new InvalidOptionError('backoff.jitter', jitter, 'a number from 0 to 1');
  }
}

function customId(id: unknown): string {
  if (typeof id !== 'string' || id === '') throw new InvalidOptionError('jobId', id, 'a text that is not empty');
  if (/^[+-]?\d+$/.test(id)) throw new InvalidOptionError('jobId', id, 'a text that does not look like an integer');
  if (id.startsWith('0:')) throw new InvalidOptionError('jobId', id, 'a text that does not begin with "0:"');
  if (id.includes(':') && id.split(':').length !== 3) throw new InvalidOptionError('jobId', id, 'a text without ":"');
  if (RESERVED_IDS.has(id)) throw new InvalidOptionError('jobId', id, 'a text that is not the name of a key of the queue');
  return id;
}

function checkSize(json: string, sizeLimit: number | undefined): void {
  if (sizeLimit === undefined) return;
  const size = Buffer.byteLength(json);
  if (size > sizeLimit) throw new InvalidOptionError('data', json, `at most ${sizeLimit} bytes of JSON (it has ${size})`);
}

/** ms: whole, not negative, ten years at most. @throws InvalidOptionError when it is no number. */
export function delayOf(delay: number | undefined): number {
  if (delay === undefined) return 0;
  if (typeof delay !== 'number' || Number.isNaN(delay)) throw new InvalidOptionError('delay', delay, 'ms');
  return Math.min(Math.max(0, Math.trunc(delay)), MAX_DELAY_MS);
}

function parentOf({ id, queue }: ParentOptions, options: JobsOptions): NewJob['parent'] {
  if (typeof id !== 'string' || id === '') throw new InvalidOptionError('parent.id', id, 'the id of a job');
  if (typeof queue !== 'string' || !queue.includes(':')) {
    throw new InvalidOptionError('parent.queue', queue, 'the qualified name of a queue, "<prefix>:<queue>"');
  }
  const policy = Object.entries(POLICIES).find(([name]) => options[name as keyof typeof POLICIES]);
  const stored = { id, queueKey: queue, ...(policy ? { [policy[1]]: true } : {}) };
  return { key: `${queue}:${id}`, json: JSON.stringify(stored) };
}
