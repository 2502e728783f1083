import { InvalidOptionError } from '../kit/index.js';
import { checkJobOptions, checkSize, POLICIES } from './check-options.js';
import { type Deduplication, deduplicationOf } from './deduplication.js';
import { delayOf } from './delay.js';
import type { JobsOptions, ParentOptions } from './job-options.js';
import { decodeParent, type JobRecord, type StoredJobOptions } from './job-record.js';
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
  readonly deduplication: Deduplication | undefined;
}

/**
 * Checks a job and encodes it. Options of the call win over `defaults`, which never give a `jobId`.
 * @param now epoch ms.
 * @throws InvalidOptionError
 */
export function newJob(name: string, data: unknown, options: JobsOptions, defaults: JobsOptions, now: number): NewJob {
  if (typeof name !== 'string') throw new InvalidOptionError('job name', name, 'a text');
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError('opts', options, 'an object');
  const { jobId: _never, ...inherited } = defaults;
  const merged = withoutNulls({ ...inherited, ...options });
  checkJobOptions(merged);
  const json = JSON.stringify(data) ?? '{}';
  checkSize(json, merged.sizeLimit);
  return {
    id: merged.jobId,
    name,
    data: json,
    opts: toStoredOptions(merged),
    timestamp: merged.timestamp ?? now,
    delay: delayOf('delay', merged.delay ?? 0),
    priority: merged.priority ?? 0,
    lifo: merged.lifo === true,
    parent: merged.parent ? parentOf(merged.parent, merged) : undefined,
    deduplication: merged.deduplication && deduplicationOf(merged.deduplication),
  };
}

function withoutNulls(options: JobsOptions): JobsOptions {
  for (const value of Object.values(options)) if (value === null) return Object.fromEntries(notNull(options));
  return options;
}

function notNull(options: JobsOptions): [string, unknown][] {
  return Object.entries(options).filter(([, value]) => value !== null);
}

function parentOf({ id, queue }: ParentOptions, options: JobsOptions): NewJob['parent'] {
  const policy = Object.entries(POLICIES).find(([name]) => options[name as keyof typeof POLICIES]);
  const stored = { id, queueKey: queue, ...(policy ? { [policy[1]]: true } : {}) };
  return { key: `${queue}:${id}`, json: JSON.stringify(stored) };
}

/** What Redis has of a job that was just added. @param id what the add answered. */
export function addedRecord(job: NewJob, data: unknown, id: string): JobRecord {
  return {
    id,
    name: job.name,
    data: data === undefined ? {} : data,
    opts: job.opts,
    timestamp: job.timestamp,
    delay: job.delay,
    priority: job.priority,
    attemptsMade: 0,
    attemptsStarted: 0,
    stalledCounter: 0,
    processedOn: undefined,
    processedBy: undefined,
    finishedOn: undefined,
    progress: 0,
    returnvalue: undefined,
    failedReason: undefined,
    stacktrace: [],
    parentKey: job.parent?.key,
    parent: decodeParent(job.parent?.json),
    repeatJobKey: undefined,
    deduplicationId: job.deduplication?.id,
    deferredFailure: undefined,
  };
}
