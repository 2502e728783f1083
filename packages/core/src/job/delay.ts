import { InvalidOptionError } from '../kit/index.js';

/** The longest delay, ten years: scores of delayed jobs must stay exact. */
export const MAX_DELAY_MS = 315_360_000_000;

/**
 * A delay as it is stored, in whole ms. A fraction is cut off: delays are often spread by chance (`5_000 * Math.random()`), and BullMQ
 * takes them.
 * @throws InvalidOptionError for what is no number, below 0, or beyond ten years.
 */
export function delayOf(option: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= MAX_DELAY_MS) return Math.trunc(value);
  throw new InvalidOptionError(option, value, `a number of ms from 0 to ${MAX_DELAY_MS}`);
}
