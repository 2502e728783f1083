import { type Check, flag, InvalidOptionError, integer, nonNegativeInt, positiveInt, refuseUnknown } from '../kit/index.js';
import { checkDeduplication } from './deduplication.js';
import { delayOf } from './delay.js';
import type { JobsOptions } from './job-options.js';

export const MAX_PRIORITY = 2_097_151;

/** The failure policies of a child, with their stored names. */
export const POLICIES = {
  failParentOnFailure: 'fpof',
  continueParentOnFailure: 'cpof',
  ignoreDependencyOnFailure: 'idof',
  removeDependencyOnFailure: 'rdof',
} as const;

/** How each option is checked; what is not in here is refused. */
export const JOB_OPTIONS: Readonly<Record<Exclude<keyof JobsOptions, 'repeatJobKey' | 'prevMillis'> | 'debounce', Check>> = {
  timestamp: nonNegativeInt,
  priority: (option, value) => integer(option, value, 0, MAX_PRIORITY),
  delay: delayOf,
  attempts: nonNegativeInt,
  backoff: checkBackoff,
  lifo: flag,
  removeOnComplete: checkRemoval,
  removeOnFail: checkRemoval,
  keepLogs: nonNegativeInt,
  stackTraceLimit: nonNegativeInt,
  sizeLimit: nonNegativeInt,
  jobId: checkJobId,
  parent: checkParent,
  deduplication: checkDeduplication,
  debounce: (option, value) => refuse(option, value, 'absent: the option is called "deduplication"'),
  repeat: (option, value) => refuse(option, value, 'absent: repeated jobs are made by a job scheduler'),
  failParentOnFailure: flag,
  continueParentOnFailure: flag,
  ignoreDependencyOnFailure: flag,
  removeDependencyOnFailure: flag,
  telemetry: checkTelemetry,
};
const KNOWN: ReadonlySet<string> = new Set(Object.keys(JOB_OPTIONS).filter((name) => name !== 'debounce'));

/** Ids that are names of keys of the queue itself: such a job would overwrite them. */
const RESERVED_IDS = new Set(
  'wait paused active prioritized pc delayed waiting-children completed failed stalled stalled-check marker meta id events limiter repeat delay priority'.split(
    ' ',
  ),
);

/**
 * Checks every option of a job. Undefined and null count as absent.
 * @param path what names are prefixed with in errors.
 * @throws InvalidOptionError with the name of the option, the value it had and what it has to be.
 */
export function checkJobOptions(options: JobsOptions, path = ''): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidOptionError(path === '' ? 'options' : path.slice(0, -1), options, 'an object');
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null) continue;
    if (Object.hasOwn(JOB_OPTIONS, name)) JOB_OPTIONS[name as keyof typeof JOB_OPTIONS](path + name, value);
    else refuseUnknown(path, { [name]: value }, KNOWN);
  }
  const policies = Object.keys(POLICIES).filter((policy) => options[policy as keyof typeof POLICIES]);
  if (policies.length > 1) throw new InvalidOptionError(path + policies.join(' and '), true, 'given one at a time');
  if (options.deduplication && options.parent) refuse(`${path}deduplication`, options.deduplication, 'absent for a child job');
}

/** @throws InvalidOptionError when the JSON text of a job's data takes more bytes than its `sizeLimit`. */
export function checkSize(json: string, sizeLimit: number | undefined): void {
  if (sizeLimit === undefined) return;
  const size = Buffer.byteLength(json);
  if (size > sizeLimit) throw new InvalidOptionError('data', json, `at most ${sizeLimit} bytes of JSON (it has ${size})`);
}

function checkBackoff(option: string, value: unknown): void {
  if (typeof value === 'number') {
    delayOf(option, value);
    return;
  }
  const { type, delay, jitter } = members(option, value);
  if (typeof type !== 'string' || type === '') refuse(`${option}.type`, type, '"fixed", "exponential" or the name of a strategy');
  if (type === 'fixed' || type === 'exponential') refuseUnknown(`${option}.`, value as object, new Set(['type', 'delay', 'jitter']));
  if (isGiven(delay)) delayOf(`${option}.delay`, delay);
  if (isGiven(jitter) && !(typeof jitter === 'number' && jitter >= 0 && jitter <= 1)) {
    refuse(`${option}.jitter`, jitter, 'a number from 0 to 1');
  }
}

function checkRemoval(option: string, value: unknown): void {
  if (typeof value === 'boolean') return;
  if (typeof value === 'number') {
    integer(option, value, -1);
    return;
  }
  const { count, age, limit } = members(option, value, ['count', 'age', 'limit']);
  if (isGiven(count)) integer(`${option}.count`, count, -1);
  if (isGiven(age)) nonNegativeInt(`${option}.age`, age);
  if (isGiven(limit)) positiveInt(`${option}.limit`, limit);
}

function checkJobId(option: string, value: unknown): void {
  const id = typeof value === 'string' && value !== '' ? value : refuse(option, value, 'a text that is not empty');
  if (/^[+-]?\d+$/.test(id)) refuse(option, id, 'a text that does not look like an integer');
  if (id.startsWith('0:')) refuse(option, id, 'a text that does not begin with "0:"');
  if (id.includes(':') && id.split(':').length !== 3) refuse(option, id, 'a text without ":"');
  if (RESERVED_IDS.has(id)) refuse(option, id, 'a text that is not the name of a key of the queue');
}

/** @throws InvalidOptionError when it does not name a job: `{ id, queue: '<prefix>:<queue>' }`. */
export function checkParent(option: string, value: unknown): void {
  const { id, queue } = members(option, value, ['id', 'queue']);
  if (typeof id !== 'string' || id === '') refuse(`${option}.id`, id, 'the id of a job');
  if (typeof queue !== 'string' || !queue.includes(':')) {
    refuse(`${option}.queue`, queue, 'the qualified name of a queue, "<prefix>:<queue>"');
  }
}

function checkTelemetry(option: string, value: unknown): void {
  const { metadata, omitContext } = members(option, value, ['metadata', 'omitContext']);
  if (isGiven(metadata) && typeof metadata !== 'string') refuse(`${option}.metadata`, metadata, 'a text');
  if (isGiven(omitContext)) flag(`${option}.omitContext`, omitContext);
}

/** The members of an option that has to be an object; with `names`, of no others. */
function members(option: string, value: unknown, names?: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(option, value, 'an object');
  if (names) refuseUnknown(`${option}.`, value, new Set(names));
  return value as Record<string, unknown>;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function refuse(option: string, value: unknown, expected: string): never {
  throw new InvalidOptionError(option, value, expected);
}
