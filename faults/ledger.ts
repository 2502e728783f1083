/** What must be true when the load has ended and every job is done. */
import { brokenInvariants } from '../test/support/invariants.js';
import type { EventBook } from './event-book.js';
import { LOCK_MS, QUEUE, RENEW_MS } from './job-data.js';
import { PREFIX, type System } from './system.js';

export interface Verdict {
  readonly jobs: number;
  readonly completed: number;
  /** Added, and without a `completed` event. */
  readonly lost: number;
  readonly completedTwice: number;
  /** Failed although nobody told it to, poison jobs apart. */
  readonly failed: number;
  /** Failed unrun, because processes ended with it in hand: the rule against poison jobs, hit by chance. The suite retries those. */
  readonly poisoned: number;
  /** Completed with the result of a run that was not the last to take the job: its lock was another's. */
  readonly withoutLock: number;
  /** Runs that began while another run of the job still lived, although its holder could renew its lock. */
  readonly overlaps: number;
  /** The same, where Redis was out of reach for so long that the lock may have run out: at-least-once permits it. */
  readonly permittedOverlaps: number;
  /** Starts beyond those that attempts explain. */
  readonly startedAgain: number;
  readonly eventsMissed: number;
  readonly broken: readonly string[];
}

interface Overlap {
  readonly id: string;
  readonly at: number;
}

/** The reason of a job that fails unrun. */
export const POISONED = /^the job was in hand at \d+ abnormal ends of its process/;
/** Twice alone is enough, too; under this load no process is ever left with a single job. */
const FEWEST_ENDS = 2;

/** A holder that cannot reach Redis for this long may lose its lock. */
const LONGEST_HARMLESS_MS = LOCK_MS - RENEW_MS;

export async function judge(system: System, book: EventBook): Promise<Verdict> {
  const eventsMissed = await book.finish();
  const { ledger, redis, added, outages } = system;
  const last = await ledger.hgetall('ledger:last');
  const starts = await ledger.hgetall('ledger:starts');
  const overlaps = (await ledger.lrange('ledger:overlaps', 0, -1)).map((text) => JSON.parse(text) as Overlap);
  const isPermitted = ({ at }: Overlap): boolean =>
    outages.some(({ from, to }) => to - from >= LONGEST_HARMLESS_MS && at >= from && at <= to + LOCK_MS);
  const permittedOverlaps = overlaps.filter(isPermitted).length;
  const results = [...book.completed];
  const isExplained = (id: string): boolean => book.poisoned.has(id) && Number(starts[id]) >= FEWEST_ENDS;
  const ids = [...added.keys()];
  const inFailed = await redis.zrange(`${PREFIX}:${QUEUE}:failed`, '0', '-1');
  return {
    jobs: added.size,
    completed: ids.filter((id) => book.completed.has(id)).length,
    lost: ids.filter((id) => !book.completed.has(id)).length,
    completedTwice: results.filter(([, runs]) => runs.length > 1).length,
    failed: new Set([...book.failed.keys(), ...inFailed, ...[...book.poisoned].filter((id) => !isExplained(id))]).size,
    poisoned: [...book.poisoned].filter(isExplained).length,
    withoutLock: results.filter(([id, runs]) => JSON.stringify(last[id]) !== runs.at(-1)).length,
    overlaps: overlaps.length - permittedOverlaps,
    permittedOverlaps,
    startedAgain: await startedAgain(system, starts),
    eventsMissed,
    broken: await brokenInvariants(redis, QUEUE, { prefix: PREFIX, isIdle: true }),
  };
}

async function startedAgain({ redis }: System, starts: Readonly<Record<string, string>>): Promise<number> {
  let more = 0;
  const ids = Object.keys(starts);
  for (let from = 0; from < ids.length; from += 1_000) {
    const pipeline = redis.pipeline();
    for (const id of ids.slice(from, from + 1_000)) pipeline.hget(`${PREFIX}:${QUEUE}:${id}`, 'atm');
    const replies = (await pipeline.exec()) ?? [];
    for (const [nth, [, attempts]] of replies.entries()) more += Number(starts[ids[from + nth] as string]) - Number(attempts);
  }
  return more;
}

/** What a verdict has against it, one line each. */
export function objections(verdict: Verdict): string[] {
  const zero = ['lost', 'completedTwice', 'failed', 'withoutLock', 'overlaps', 'eventsMissed'] as const;
  return [...zero.filter((name) => verdict[name] !== 0).map((name) => `${name}: ${verdict[name]}`), ...verdict.broken.slice(0, 20)];
}
