import { MAX_DELAY_MS } from './delay.js';
import type { JobRecord } from './job-record.js';

/** No further try. */
export const NO_RETRY = -1;

/** The name of a back-off strategy that is the worker's own, if the job asks for one; it is called with `attemptsMade + 1`. */
export function customBackoffType(record: JobRecord): string | undefined {
  const type = record.opts.backoff?.type;
  return type === undefined || type === 'fixed' || type === 'exponential' ? undefined : type;
}

/**
 * Ms until the next try of a job that failed; 0 at once, NO_RETRY never. A text: why it cannot be told, which fails the job.
 * @param random 0 <= random < 1.
 * @param customDelayMs what the worker's own strategy answered, for a type that is not ours.
 */
export function backoffDelayMs(record: JobRecord, random: number, customDelayMs: number | undefined): number | string {
  const { backoff } = record.opts;
  if (!backoff) return 0;
  const custom = customBackoffType(record);
  if (custom !== undefined) {
    if (customDelayMs === undefined) {
      return `Unknown backoff strategy ${custom}. If a custom backoff strategy is used, specify it in the settings of the worker.`;
    }
    return customDelayMs < 0 ? NO_RETRY : whole(customDelayMs);
  }
  const delay = backoff.delay ?? 0;
  const full = backoff.type === 'exponential' ? Math.round(2 ** record.attemptsMade * delay) : delay;
  const jitter = backoff.jitter ?? 0;
  return whole(full * (1 - jitter) + random * full * jitter);
}

function whole(delayMs: number): number {
  return Number.isNaN(delayMs) ? 0 : Math.min(Math.floor(delayMs), MAX_DELAY_MS);
}
