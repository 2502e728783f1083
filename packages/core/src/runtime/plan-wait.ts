/** What decides how a queue is waited for. Instants of Redis are epoch ms, those of this process monotonic ms. */
export interface WaitView {
  readonly isReady: boolean;
  readonly hasFreePlace: boolean;
  /** Epoch ms of the earliest delayed job; 0: none known. */
  readonly dueAt: number;
  /** Epoch ms until which a rate limit holds; 0: none. */
  readonly limitedUntil: number;
  /** Monotonic ms of the last fetch. */
  readonly checkedAt: number;
  readonly pollMs: number;
}

export interface WaitPlan<T> {
  /** Queues that are worth a fetch now: a delayed job is due, or a limit has lifted. */
  readonly due: readonly T[];
  /** Idle queues whose markers are to be waited for, because a consumer could take a job. */
  readonly idle: readonly T[];
  /** Idle queues not asked for longer than their poll time, longest first: a hint may have been lost with a process that took it. */
  readonly stale: readonly T[];
  /** Ms until the next due time or end of a limit; undefined: none known. */
  readonly wakeInMs: number | undefined;
  /** Ms that the blocking call may take. */
  readonly blockMs: number;
}

const MAX_BLOCK_MS = 10_000;
/** Idle queues asked without a hint, per poll time: bounds what thousands of idle queues cost. */
const MAX_STALE = 50;

/** Decides which queues to fetch from, which markers to wait for, and how long. `isPollTime` allows stale queues. */
export function planWait<T extends WaitView>(
  queues: Iterable<T>,
  nowEpoch: number,
  nowMonotonic: number,
  isPollTime: boolean,
): WaitPlan<T> {
  const due: T[] = [];
  const idle: T[] = [];
  let stale: T[] = [];
  let wakeAt = Number.POSITIVE_INFINITY;
  let blockMs = MAX_BLOCK_MS;
  for (const queue of queues) {
    const at = earliest(queue);
    if (at <= nowEpoch) due.push(queue);
    else wakeAt = Math.min(wakeAt, at);
    if (at <= nowEpoch || queue.isReady || !queue.hasFreePlace) continue;
    if (isPollTime && nowMonotonic - queue.checkedAt >= queue.pollMs) stale.push(queue);
    idle.push(queue);
    blockMs = Math.min(blockMs, queue.pollMs);
  }
  if (stale.length > MAX_STALE) stale = stale.sort((a, b) => a.checkedAt - b.checkedAt).slice(0, MAX_STALE);
  return { due, idle, stale, wakeInMs: wakeAt === Number.POSITIVE_INFINITY ? undefined : wakeAt - nowEpoch, blockMs };
}

/** What a popped marker means: 0, or an instant that has come, is a hint to fetch now; else the earlier due time counts. */
export function readMarker(score: number, knownDueAt: number, nowEpoch: number): { readonly isReady: boolean; readonly dueAt: number } {
  if (score <= nowEpoch + 1) return { isReady: true, dueAt: knownDueAt };
  return { isReady: false, dueAt: knownDueAt > 0 ? Math.min(knownDueAt, score) : score };
}

function earliest(queue: WaitView): number {
  const due = queue.dueAt > 0 ? queue.dueAt : Number.POSITIVE_INFINITY;
  return queue.limitedUntil > 0 ? Math.min(due, queue.limitedUntil) : due;
}
