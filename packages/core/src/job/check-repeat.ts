import { CodedError, InvalidOptionError, nonNegativeInt, positiveInt, refuseUnknown } from '../kit/index.js';
import type { RepeatOptions } from './job-options.js';

/** A rule of a job scheduler that cannot be followed; the message is BullMQ's. */
export class InvalidScheduleError extends CodedError {
  constructor(message: string, options?: ErrorOptions) {
    super('INVALID_SCHEDULE', message, options);
  }
}

/** A rule below the edge: an interval or a pattern. Instants in epoch ms. */
export interface Repeat {
  readonly pattern: string | undefined;
  readonly every: number | undefined;
  readonly tz: string | undefined;
  readonly startAt: number | undefined;
  readonly endAt: number | undefined;
  readonly limit: number | undefined;
  /** The number of the next iteration: 1, or what the caller says has been, plus 1. */
  readonly count: number;
  /** Of an interval, above 0; undefined: where its first slot falls. */
  readonly offset: number | undefined;
  readonly immediately: boolean;
}

const KNOWN: ReadonlySet<string> = new Set<keyof RepeatOptions>([
  'pattern',
  'every',
  'limit',
  'startDate',
  'endDate',
  'tz',
  'immediately',
  'offset',
  'count',
  'key',
  'jobId',
  'prevMillis',
]);

/**
 * Checks the options of a job scheduler. Null, an empty pattern and an interval of 0 count as absent.
 * @param now epoch ms.
 * @throws InvalidOptionError for unknown names, wrong types and values out of range; InvalidScheduleError for what does not go together.
 */
export function checkRepeat(options: RepeatOptions, now: number): Repeat {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidOptionError('repeat options', options, 'an object with pattern or every');
  }
  refuseUnknown('repeat.', options, KNOWN);
  const repeat = valuesOf(options);
  if (repeat.endAt !== undefined && repeat.endAt < now) throw new InvalidScheduleError('End date must be greater than current timestamp');
  if (repeat.pattern !== undefined && repeat.every !== undefined) {
    throw new InvalidScheduleError('Both .pattern and .every options are defined for this repeatable job');
  }
  if (repeat.pattern === undefined && repeat.every === undefined) {
    throw new InvalidScheduleError('Either .pattern or .every options must be defined for this repeatable job');
  }
  if (repeat.immediately && repeat.startAt !== undefined) {
    throw new InvalidScheduleError('Both .immediately and .startDate options are defined for this repeatable job');
  }
  return repeat;
}

/** The rule as the options of an iteration carry it. */
export function storedRepeat({ pattern, every, tz, startAt, endAt, limit, count, offset }: Repeat): Readonly<Record<string, unknown>> {
  const interval = every === undefined ? {} : { every, ...(offset ? { offset } : {}) };
  return {
    ...interval,
    ...(pattern === undefined ? {} : { pattern }),
    ...(tz === undefined ? {} : { tz }),
    ...(startAt === undefined ? {} : { startDate: startAt }),
    ...(endAt === undefined ? {} : { endDate: endAt }),
    ...(limit === undefined ? {} : { limit }),
    count,
  };
}

function valuesOf(options: RepeatOptions): Repeat {
  const { pattern, every, tz, startDate, endDate, limit, count, offset, immediately } = options;
  if (isGiven(immediately) && typeof immediately !== 'boolean')
    throw new InvalidOptionError('repeat.immediately', immediately, 'true or false');
  return {
    pattern: text('pattern', pattern),
    every: every ? positiveInt('repeat.every', every) : undefined,
    tz: text('tz', tz),
    startAt: instant('startDate', startDate),
    endAt: instant('endDate', endDate),
    limit: isGiven(limit) ? nonNegativeInt('repeat.limit', limit) : undefined,
    count: 1 + (isGiven(count) ? nonNegativeInt('repeat.count', count) : 0),
    offset: offsetOf(offset, every),
    immediately: immediately === true,
  };
}

/** A pattern has no grid to be shifted. */
function offsetOf(offset: unknown, every: unknown): number | undefined {
  if (!isGiven(offset)) return undefined;
  return nonNegativeInt('repeat.offset', offset) && every ? (offset as number) : undefined;
}

function text(name: string, value: unknown): string | undefined {
  if (!isGiven(value) || value === '') return undefined;
  if (typeof value !== 'string') throw new InvalidOptionError(`repeat.${name}`, value, 'a text');
  return value;
}

function instant(name: string, value: unknown): number | undefined {
  if (!isGiven(value)) return undefined;
  const isDate = typeof value === 'number' || typeof value === 'string' || value instanceof Date;
  const at = isDate ? new Date(value).getTime() : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidOptionError(`repeat.${name}`, value, 'a date, epoch ms or the text of a date');
  return at;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
