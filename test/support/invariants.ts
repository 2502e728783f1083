/**
 * Reads every key of a queue and says what must never be true of it. Rules: the data model of BullMQ, sections 1 to 6, 8 and 12.
 * For tests only: it reads whole keys, and expects that nobody writes meanwhile.
 */
import type { Redis } from 'ioredis';
import { eventsReadable } from './invariants-events.js';
import { deduplicationsOwned, familiesAgree, schedulersWhole } from './invariants-links.js';
import { countersFit, keysKnown, locksMatch, markersFit, recordsWhole, statesOnce } from './invariants-states.js';
import { pairs, readQueue } from './queue-snapshot.js';

export interface InvariantOptions {
  /** Default `bull`. */
  readonly prefix?: string;
  /** Nothing works the queue any more: then nothing may be active, locked or waiting to be checked. */
  readonly isIdle?: boolean;
}

/** @returns one line per broken rule, empty when all hold. */
export async function brokenInvariants(redis: Redis, queue: string, options: InvariantOptions = {}): Promise<string[]> {
  const snapshot = await readQueue(redis, `${options.prefix ?? 'bull'}:${queue}:`);
  return [
    ...keysKnown(snapshot),
    ...statesOnce(snapshot),
    ...recordsWhole(snapshot),
    ...locksMatch(snapshot, options.isIdle ?? false),
    ...countersFit(snapshot),
    ...markersFit(snapshot),
    ...deduplicationsOwned(snapshot),
    ...familiesAgree(snapshot),
    ...schedulersWhole(snapshot),
    ...eventsReadable(snapshot),
  ];
}

/** Ids with more than one `completed` event, from a stream that was not trimmed. */
export async function completedTwice(redis: Redis, queue: string, prefix = 'bull'): Promise<string[]> {
  const counts = new Map<string, number>();
  for (const [, fields] of await redis.xrange(`${prefix}:${queue}:events`, '-', '+')) {
    const event = Object.fromEntries(pairs(fields));
    if (event.event === 'completed' && event.jobId) counts.set(event.jobId, (counts.get(event.jobId) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > 1).map(([id]) => id);
}

/**
 * Keys that an obliterated queue must not have. It may keep parents that wait for children with all that is theirs, the rate limit, and
 * deduplication ids of jobs that are still there; locks of jobs that were not active expire by themselves.
 */
export async function leftAfterObliterate(redis: Redis, queue: string, prefix = 'bull'): Promise<string[]> {
  const { keys, states, records, base } = await readQueue(redis, `${prefix}:${queue}:`);
  const parents = states.get('waiting-children') as ReadonlyMap<string, number>;
  const kept = new Set([...parents.keys()].map((id) => records.get(id)?.deid));
  const mayStay = (rest: string): boolean => {
    if (rest === 'waiting-children' || rest === 'limiter' || rest.endsWith(':lock')) return true;
    if (/^d[en]:/.test(rest)) return kept.has(rest.slice(3));
    return [...parents.keys()].some((id) => rest === id || rest.startsWith(`${id}:`));
  };
  return [...keys.keys()].filter((rest) => !mayStay(rest)).map((rest) => base + rest);
}
