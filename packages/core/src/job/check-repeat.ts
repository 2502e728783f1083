import { type Check, CodedError, checked, flag, InvalidOptionError, nonNegativeInt, positiveInt, type Shape } from '../kit/index.js';
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

const unheeded: Check = () => undefined;
/** An interval of 0 counts as absent. */
const interval: Check = (option, value) => (value === 0 ? undefined : positiveInt(option, value));

/** How each option is checked; what is not in here is refused. */
export const REPEAT_OPTIONS: Shape<RepeatOptions> = {
  pattern: aText,
  every: interval,
  limit: nonNegativeInt,
  startDate: instant,
  endDate: instant,
  tz: aText,
  immediately: flag,
  offset: nonNegativeInt,
  count: nonNegativeInt,
  key: unheeded,
  jobId: unheeded,
  prevMillis: unheeded,
};

/**
 * Checks the options of a job scheduler. Null, an empty pattern and an interval of 0 count as absent.
 * @param now epoch ms.
 * @throws InvalidOptionError for unknown names, wrong types and values out of range; InvalidScheduleError for what does not go together.
 */
export function checkRepeat(options: RepeatOptions, now: number): Repeat {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidOptionError('repeat options', options, 'an object with pattern or every');
  }
  const repeat = valuesOf(checked('repeat', options, REPEAT_OPTIONS));
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

function valuesOf({ pattern, every, tz, startDate, endDate, limit, count = 0, offset, immediately = false }: RepeatOptions): Repeat {
  return {
    pattern: pattern || undefined,
    every: every || undefined,
    tz: tz || undefined,
    startAt: startDate === undefined ? undefined : instant('repeat.startDate', startDate),
    endAt: endDate === undefined ? undefined : instant('repeat.endDate', endDate),
    limit,
    count: 1 + count,
    offset: (every && offset) || undefined, // a pattern has no grid to be shifted
    immediately,
  };
}

/** It may be empty: that counts as absent. */
function aText(option: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new InvalidOptionError(option, value, 'a text');
}

/** Epoch ms. */
function instant(option: string, value: unknown): number {
  const isDate = typeof value === 'number' || typeof value === 'string' || value instanceof Date;
  const at = isDate ? new Date(value).getTime() : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidOptionError(option, value, 'a date, epoch ms or the text of a date');
  return at;
}
