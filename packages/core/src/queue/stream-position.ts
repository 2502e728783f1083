import { InvalidOptionError } from '../kit/index.js';

/** The place before every entry of a stream. */
export const START_OF_STREAM = '0-0';

const MAX = 2n ** 64n - 1n;

/**
 * A place in a stream, in the one form that `isAfter` compares: `$` (the end), or the id of the last entry not wanted.
 * @throws InvalidOptionError
 */
export function streamPosition(option: string, value: unknown): string {
  if (value === '$') return '$';
  const match = typeof value === 'string' ? /^(\d{1,20})(?:-(\d{1,20}))?$/.exec(value) : null;
  const parts = match && [BigInt(match[1] as string), BigInt(match[2] ?? 0)];
  if (parts?.every((part) => part <= MAX)) return parts.join('-');
  throw new InvalidOptionError(option, value, '"$" or the id of a stream entry, such as "1700000000000-0"');
}

/** Whether the entry `a` stands behind `b`. Ids are two unsigned 64-bit numbers without leading zeros, joined by a dash. */
export function isAfter(a: string, b: string): boolean {
  if (a === b) return false;
  const [ms, sequence] = a.split('-') as [string, string];
  const [otherMs, otherSequence] = b.split('-') as [string, string];
  return ms === otherMs ? isMore(sequence, otherSequence) : isMore(ms, otherMs);
}

function isMore(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}
