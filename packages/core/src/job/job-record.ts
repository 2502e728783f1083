import { POLICIES } from './check-options.js';
import { decodeJson, decodeObject, integerField } from './decode.js';

/** A job as its hash has it, decoded once. Absent numbers are 0, absent texts undefined. See the data model, section 2.1. */
export interface JobRecord {
  readonly id: string;
  readonly name: string;
  /** Decoded `data`. */
  readonly data: unknown;
  /** Stored options, short names (data model 2.2), decoded. */
  readonly opts: StoredJobOptions;
  readonly timestamp: number;
  readonly delay: number;
  readonly priority: number;
  readonly attemptsMade: number;
  readonly attemptsStarted: number;
  readonly stalledCounter: number;
  readonly processedOn: number | undefined;
  readonly processedBy: string | undefined;
  readonly finishedOn: number | undefined;
  readonly progress: unknown;
  /** Decoded `returnvalue`; the raw text if it is not JSON (Elixir stores some values raw). */
  readonly returnvalue: unknown;
  readonly failedReason: string | undefined;
  readonly stacktrace: readonly string[];
  readonly parentKey: string | undefined;
  readonly parent: ParentLink | undefined;
  readonly repeatJobKey: string | undefined;
  readonly deduplicationId: string | undefined;
  /** Set: the next activation must fail the job with this text, without running it. */
  readonly deferredFailure: string | undefined;
}

/** Where a child's parent is, and what becomes of it when the child fails for good: one flag at most (data model 8.4). */
export interface ParentLink {
  readonly id: string;
  /** `<prefix>:<queue>`. */
  readonly queueKey: string;
  readonly fpof?: true;
  readonly cpof?: true;
  readonly idof?: true;
  readonly rdof?: true;
}

/** The stored form of job options; unknown names are kept. */
export interface StoredJobOptions {
  readonly attempts?: number;
  readonly backoff?: { readonly type: string; readonly delay?: number; readonly jitter?: number };
  readonly delay?: number;
  readonly priority?: number;
  readonly lifo?: boolean;
  readonly removeOnComplete?: boolean | number | { count?: number; age?: number; limit?: number };
  readonly removeOnFail?: boolean | number | { count?: number; age?: number; limit?: number };
  readonly jobId?: string;
  readonly timestamp?: number;
  readonly stackTraceLimit?: number;
  readonly [name: string]: unknown;
}

/** One job out of an exchange: decoded, locked with `token`, not yet delivered. */
export interface FetchedJob {
  readonly record: JobRecord;
  readonly token: string;
  /** Set when the stored data or options could not be decoded: the job is failed with this text instead of being run. */
  readonly undecodable?: string;
  /** What is to be done about the job's schedule before it runs; see lua/includes/follow-schedule.lua. */
  readonly schedule?: ScheduleDuty;
}

/** `ask`: add the next iteration; `legacy`: a repeatable job of version 5 or before, which is not to be run. */
export type ScheduleDuty = 'ask' | 'legacy';

/** The fields of a job's hash, raw. A missing one is undefined (HGETALL) or null (HMGET). */
export type RawJobFields = Readonly<Record<string, string | null | undefined>>;

/** What a fetch brings of a record, in the order of lua/includes/activate-job.lua. */
export const FETCHED_FIELDS = [
  'name',
  'data',
  'opts',
  'timestamp',
  'delay',
  'priority',
  'ats',
  'atm',
  'stc',
  'progress',
  'parentKey',
  'parent',
  'rjk',
  'deid',
  'defa',
  'failedReason',
  'stacktrace',
] as const;

/**
 * Decodes the fields of one job. What cannot be decoded gets its default, and `undecodable` says which field and why: data and options
 * that another client wrote in a form of its own must not stop the jobs fetched with it.
 */
export function decodeJob(id: string, fields: RawJobFields): { readonly record: JobRecord; readonly undecodable?: string } {
  const data = decodeJson(fields.data, {});
  const opts = decodeObject(fields.opts);
  const record: JobRecord = {
    id,
    name: fields.name ?? '',
    data: data.value,
    opts: withBackoffObject(opts.value),
    timestamp: integerField(fields.timestamp),
    delay: integerField(fields.delay),
    priority: integerField(fields.priority),
    attemptsMade: integerField(fields.atm ?? fields.attemptsMade),
    attemptsStarted: integerField(fields.ats),
    stalledCounter: integerField(fields.stc ?? fields.stalledCounter),
    processedOn: optionalInteger(fields.processedOn),
    processedBy: fields.pb ?? undefined,
    finishedOn: optionalInteger(fields.finishedOn),
    progress: decodeJson(fields.progress, 0).value,
    returnvalue: decodeReturnValue(fields.returnvalue),
    failedReason: decodeFailedReason(fields.failedReason),
    stacktrace: decodeStackTrace(fields.stacktrace),
    parentKey: fields.parentKey ?? undefined,
    parent: decodeParent(fields.parent),
    repeatJobKey: fields.rjk ?? undefined,
    deduplicationId: fields.deid ?? undefined,
    deferredFailure: fields.defa ?? undefined,
  };
  const problem = data.problem ? `data: ${data.problem}` : opts.problem ? `options: ${opts.problem}` : undefined;
  return problem === undefined ? { record } : { record, undecodable: `job ${id} cannot be decoded: ${problem}` };
}

/** A job out of an exchange. The script has counted the start and noted holder and time; the fields are those before. */
export function decodeFetched(id: string, values: readonly (string | null)[], token: string, now: number, holder?: string): FetchedJob {
  const fields: Record<string, string | null> = {};
  for (let at = 0; at < FETCHED_FIELDS.length; at++) fields[FETCHED_FIELDS[at] as string] = values[at] ?? null;
  const { record, undecodable } = decodeJob(id, fields);
  const started = { ...record, attemptsStarted: record.attemptsStarted + 1, processedOn: now, processedBy: holder };
  const schedule = values[FETCHED_FIELDS.length];
  return {
    record: started,
    token,
    ...(undecodable === undefined ? {} : { undecodable }),
    ...(schedule ? { schedule: schedule as ScheduleDuty } : {}),
  };
}

/** Schedulers of BullMQ hand on a back-off that was given as a number as it was given. */
function withBackoffObject(opts: Record<string, unknown>): StoredJobOptions {
  return typeof opts.backoff === 'number' ? { ...opts, backoff: { type: 'fixed', delay: opts.backoff } } : opts;
}

function optionalInteger(text: string | null | undefined): number | undefined {
  return text === null || text === undefined ? undefined : integerField(text);
}

function decodeReturnValue(text: string | null | undefined): unknown {
  if (text === null || text === undefined) return undefined;
  const { value, problem } = decodeJson(text, undefined);
  return problem === undefined ? value : text;
}

/** The Python client stores the reason of a final failure JSON-quoted. */
function decodeFailedReason(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined) return undefined;
  if (!(text.length > 1 && text.startsWith('"') && text.endsWith('"'))) return text;
  const { value } = decodeJson(text, text);
  return typeof value === 'string' ? value : text;
}

function decodeStackTrace(text: string | null | undefined): readonly string[] {
  if (text === null || text === undefined) return [];
  const { value } = decodeJson(text, []);
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

/** JSON text of a job's parent -> link; undefined where it has no usable one. */
export function decodeParent(text: string | null | undefined): ParentLink | undefined {
  if (text === null || text === undefined) return undefined;
  const { id, queueKey, ...flags } = decodeObject(text).value;
  if ((typeof id !== 'string' && typeof id !== 'number') || typeof queueKey !== 'string') return undefined;
  const policies = Object.values(POLICIES).filter((flag) => flags[flag] === true);
  return { id: String(id), queueKey, ...Object.fromEntries(policies.map((flag) => [flag, true])) };
}
