import { anObject, type Check, checked, InvalidOptionError, type Shape } from '../kit/index.js';
import { checkJobOptions, checkSize } from './check-options.js';
import { checkRepeat, type Repeat, storedRepeat } from './check-repeat.js';
import { decodeJson, decodeObject } from './decode.js';
import type { JobsOptions, RepeatOptions } from './job-options.js';
import type { RawJobFields, StoredJobOptions } from './job-record.js';
import { toPublicOptions, toStoredOptions } from './stored-options.js';

/** Options of the jobs of a scheduler: those of any job, but what the scheduler itself gives, and what only single jobs can have. */
export type JobSchedulerTemplateOptions = Omit<JobsOptions, NotForTemplates>;

/** What the jobs of a scheduler are made from. */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export interface JobSchedulerTemplate<Data = any, Name extends string = string> {
  /** Default: the id of the scheduler. */
  readonly name?: Name;
  readonly data?: Data;
  readonly opts?: JobSchedulerTemplateOptions;
}

/** A job scheduler as it stands in Redis, with BullMQ's names. Instants in epoch ms. */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export interface JobSchedulerJson<Data = any> {
  /** Its id. */
  key: string;
  name: string;
  /** Of repeatable jobs before version 5 only. */
  id?: string;
  /** When the next iteration, which exists already, is to run. */
  next?: number;
  /** Iterations so far, the next included; absent: a repeatable job of version 5 or before. */
  iterationCount?: number;
  limit?: number;
  startDate?: number;
  endDate?: number;
  tz?: string;
  pattern?: string;
  every?: number;
  offset?: number;
  template?: { data?: Data; opts?: JobSchedulerTemplateOptions };
}

/** A scheduler on its way to Redis, checked and encoded. */
export interface NewScheduler {
  readonly id: string;
  readonly name: string;
  readonly repeat: Repeat;
  /** JSON text, for the first iteration. */
  readonly data: string;
  /** Stored options of the first iteration, less what follows from its slot. */
  readonly opts: StoredJobOptions;
  readonly priority: number;
  readonly lifo: boolean;
  /** What its definition has besides name, interval, start, offset and count: field -> text. */
  readonly definition: Readonly<Record<string, string>>;
}

const NOT_FOR_TEMPLATES = ['jobId', 'repeat', 'delay', 'deduplication', 'parent'] as const;
type NotForTemplates = (typeof NOT_FOR_TEMPLATES)[number];

const unchecked: Check = () => undefined; // any data will do
/** What a template may have; its options are checked together with the defaults of the queue. */
export const TEMPLATE: Shape<JobSchedulerTemplate> = { name: aName, data: unchecked, opts: anObject };

/**
 * Checks a scheduler and encodes it. Options of the template win over `defaults`, the queue's.
 * @param now epoch ms.
 * @throws InvalidOptionError, InvalidScheduleError
 */
export function newScheduler(
  id: string,
  options: RepeatOptions,
  template: JobSchedulerTemplate,
  defaults: JobsOptions,
  now: number,
): NewScheduler {
  if (typeof id !== 'string' || id === '') throw new InvalidOptionError('job scheduler id', id, 'a text that is not empty');
  const repeat = checkRepeat(options, now);
  const { name = id, data: given, opts = {} } = checked('template', template, TEMPLATE);
  const jobOptions = templateOptions(opts, defaults);
  const data = JSON.stringify(given) ?? '{}'; // null counts as absent
  checkSize(data, jobOptions.sizeLimit);
  const stored = storedTemplate(jobOptions);
  const { timestamp: _own, ...inherited } = stored;
  const { tz, limit, endAt, pattern } = repeat;
  return {
    id,
    name,
    repeat,
    data,
    opts: { ...inherited, repeat: storedRepeat(repeat) },
    priority: jobOptions.priority ?? 0,
    lifo: jobOptions.lifo === true,
    definition: {
      ...(tz === undefined ? {} : { tz }),
      ...(limit === undefined ? {} : { limit: String(limit) }),
      ...(endAt === undefined ? {} : { endDate: String(endAt) }),
      ...(pattern === undefined ? {} : { pattern }),
      ...(data === '{}' ? {} : { data }),
      ...(Object.keys(stored).length === 0 ? {} : { opts: JSON.stringify(stored) }),
    },
  };
}

/** What its hash and its place in `repeat` say of a scheduler; undefined when neither the fields nor the key are a definition. */
export function decodeScheduler(key: string, next: number, fields: RawJobFields | undefined): JobSchedulerJson | undefined {
  if (!fields) return decodeOldKey(key, next);
  const scheduler: JobSchedulerJson = { key, name: fields.name ?? key, next };
  const numbers = {
    iterationCount: 'ic',
    limit: 'limit',
    startDate: 'startDate',
    endDate: 'endDate',
    every: 'every',
    offset: 'offset',
  } as const;
  for (const [name, field] of Object.entries(numbers)) {
    if (fields[field]) scheduler[name as keyof typeof numbers] = Number(fields[field]);
  }
  if (fields.tz) scheduler.tz = fields.tz;
  if (fields.pattern) scheduler.pattern = fields.pattern;
  const template = {
    ...(fields.data ? { data: decodeJson(fields.data, {}).value } : {}),
    ...(fields.opts ? { opts: toPublicOptions(decodeObject(fields.opts).value as StoredJobOptions) } : {}),
  };
  if (Object.keys(template).length > 0) scheduler.template = template;
  return scheduler;
}

/** Before version 5 the key was the definition: "name:id:end:tz:pattern". */
function decodeOldKey(key: string, next: number): JobSchedulerJson | undefined {
  const match = /^([^:]*):([^:]*):(\d*):([^:]*):(.*[\s\d].*)$/.exec(key);
  if (!match) return undefined;
  const [, name = '', id, end, tz, pattern = ''] = match;
  return { key, name, pattern, next, ...(id ? { id } : {}), ...(end ? { endDate: Number(end) } : {}), ...(tz ? { tz } : {}) };
}

function aName(option: string, value: unknown): void {
  if (typeof value !== 'string') throw new InvalidOptionError(option, value, 'a text');
}

function templateOptions(opts: JobSchedulerTemplateOptions, defaults: JobsOptions): JobsOptions {
  for (const name of NOT_FOR_TEMPLATES) {
    const value = (opts as JobsOptions)[name];
    if (value !== undefined && value !== null)
      throw new InvalidOptionError(`template.opts.${name}`, value, 'absent for the jobs of a scheduler');
  }
  checkJobOptions(opts, 'template.opts.');
  const inherited = Object.entries(defaults).filter(([name]) => !(NOT_FOR_TEMPLATES as readonly string[]).includes(name));
  return { ...Object.fromEntries(inherited), ...opts };
}

/** Stored options without what was not given; a back-off stays as it was given. */
function storedTemplate(options: JobsOptions): StoredJobOptions {
  const { attempts, ...stored } = toStoredOptions(options);
  return {
    ...stored,
    ...(options.attempts === undefined || options.attempts === null ? {} : { attempts }),
    ...(typeof options.backoff === 'number' ? { backoff: options.backoff as unknown as StoredJobOptions['backoff'] } : {}),
  } as StoredJobOptions;
}
