import type { QueueRef } from '../keys/queue-keys.js';
import type { ExchangeReply, FetchProfile } from '../store/index.js';
import type { Consumer, Pool, QueueState } from './consumer.js';
import { shareOut } from './plan-turn.js';

/** Hears what the turn loop and the marker waiter act upon. */
export interface TableListener {
  /** A queue is worth a fetch. */
  ready(): void;
  /** What is known of a queue changed: it may be idle, limited, due or gone. */
  changed(): void;
}

/** Owns the consumers, by queue and fetch profile, and what is known about their queues: readiness, limits, due times, share. */
export class ConsumerTable {
  readonly #queues = new Map<QueueRef, QueueState>();
  readonly #ready = new Set<QueueState>();
  readonly #shares = new Map<string, number>();
  #listener: TableListener = { ready: () => undefined, changed: () => undefined };

  listen(listener: TableListener): void {
    this.#listener = listener;
  }

  get queues(): ReadonlyMap<QueueRef, QueueState> {
    return this.#queues;
  }

  *consumers(): Iterable<Consumer> {
    for (const queue of this.#queues.values()) for (const pool of queue.pools.values()) yield* pool.consumers;
  }

  /** Adds a consumer; its queue is presumed ready. */
  register(consumer: Consumer): Pool {
    const queue = this.#queue(consumer.queue);
    const key = profileKey(consumer.profile);
    let pool = queue.pools.get(key);
    if (!pool) {
      const { profile } = consumer;
      const open = {
        cursor: 0,
        wanted: 0,
        running: 0,
        limitedUntil: 0,
        failuresInRow: 0,
        maxOutcomes: Number.POSITIVE_INFINITY,
        retryAt: 0,
      };
      pool = { queue, profile, key, consumers: [], ...open };
      queue.pools.set(key, pool);
    }
    pool.consumers.push(consumer);
    this.markReady(queue);
    return pool;
  }

  /** Takes a consumer out; nothing is delivered to it any more. @returns whether it was registered. */
  unregister(consumer: Consumer): boolean {
    const queue = this.#queues.get(consumer.queue);
    for (const pool of queue?.pools.values() ?? []) {
      const index = pool.consumers.indexOf(consumer);
      if (index < 0) continue;
      pool.consumers.splice(index, 1);
      this.sweep(pool.queue);
      return true;
    }
    return false;
  }

  /** Forgets pools, and their queue, once they have neither consumers nor anything open. */
  sweep(queue: QueueState): void {
    if (queue.inHand > 0) return;
    for (const pool of queue.pools.values()) if (pool.consumers.length === 0 && pool.wanted === 0) queue.pools.delete(pool.key);
    if (queue.pools.size > 0 || this.#queues.get(queue.ref) !== queue) return;
    this.#queues.delete(queue.ref);
    this.#ready.delete(queue);
    this.#listener.changed();
  }

  /** Processes that serve the queue; kept for queues that are not served yet, too. */
  setShare(queueName: string, share: number): void {
    this.#shares.set(queueName, share);
    for (const queue of this.#queues.values()) if (queue.ref.name === queueName) queue.share = share;
  }

  /** Something says that a fetch may find jobs: a marker, a due time, a new consumer. */
  markReady(queue: QueueState): void {
    queue.hints++;
    this.#setReady(queue, true);
    this.#listener.ready();
  }

  markAllReady(): void {
    for (const queue of this.#queues.values()) this.markReady(queue);
  }

  /** Queues worth a fetch, the one served longest ago first. */
  readyQueues(): Iterable<QueueState> {
    return this.#ready;
  }

  /** A turn asks this queue: it goes to the end of the rotation. */
  served(queue: QueueState): void {
    if (this.#ready.delete(queue)) this.#ready.add(queue);
  }

  /** Takes in what an answer says of its queue. `hints` is the queue's count when the call was sent. */
  learn(pool: Pool, want: number, hints: number, reply: ExchangeReply, nowEpoch: number, nowMonotonic: number): void {
    const { queue } = pool;
    queue.left = reply.left;
    if (reply.jobs.length > 0) queue.isDrainTold = false;
    if (want > 0) {
      queue.checkedAt = nowMonotonic;
      queue.dueAt = reply.nextDueAt;
    }
    if (want > 0 || reply.limitedForMs > 0) {
      pool.limitedUntil = reply.limitedForMs > 0 ? nowEpoch + Math.min(reply.limitedForMs, limitDelay(pool)) : 0;
    }
    if (mayFindMore(want, reply)) this.#setReady(queue, true);
    else if (hints === queue.hints) this.#setReady(queue, false);
    this.#listener.changed();
  }

  /** Tells `drained` once per emptying: the answer to a want found nothing, nothing is in hand, and no limit or pause hides jobs. */
  tellDrained(pool: Pool, want: number, reply: ExchangeReply): void {
    const { queue } = pool;
    if (queue.isDrainTold || want === 0 || reply.jobs.length > 0 || reply.left > 0) return;
    if (reply.isBlocked || reply.limitedForMs > 0 || queue.inHand > 0) return;
    queue.isDrainTold = true;
    for (const one of queue.pools.values()) for (const consumer of [...one.consumers]) consumer.drained();
  }

  #setReady(queue: QueueState, isReady: boolean): void {
    queue.isReady = isReady;
    if (!isReady) this.#ready.delete(queue);
    else if (this.#queues.get(queue.ref) === queue) this.#ready.add(queue);
  }

  #queue(ref: QueueRef): QueueState {
    let queue = this.#queues.get(ref);
    if (!queue) {
      const share = this.#shares.get(ref.name) ?? 1;
      const known = { isReady: false, hints: 0, dueAt: 0, checkedAt: 0, left: 0, inHand: 0, isDrainTold: false };
      queue = { ref, pools: new Map(), share, ...known };
      this.#queues.set(ref, queue);
    }
    return queue;
  }
}

/** Free places of a pool, without those that turns in flight ask for. */
export function freePlaces(pool: Pool): number {
  let free = -pool.wanted;
  for (const consumer of pool.consumers) free += consumer.free();
  return free;
}

/** Whether any consumer of the queue could take a job now. */
export function hasFreePlace(queue: QueueState): boolean {
  for (const pool of queue.pools.values()) for (const consumer of pool.consumers) if (consumer.free() > 0) return true;
  return false;
}

/** Hands jobs to the consumers of a pool, most free places first. @returns the jobs that found no place. */
export function assign<T>(pool: Pool, jobs: readonly T[], give: (consumer: Consumer, jobs: readonly T[]) => void): readonly T[] {
  const start = pool.cursor % Math.max(1, pool.consumers.length);
  const consumers = [...pool.consumers.slice(start), ...pool.consumers.slice(0, start)];
  const shares = shareOut(
    jobs.length,
    consumers.map((consumer) => consumer.free()),
  );
  let next = 0;
  for (const [i, share] of shares.entries()) {
    if (share === 0) continue;
    pool.cursor = start + i + 1;
    give(consumers[i] as Consumer, jobs.slice(next, next + share));
    next += share;
  }
  return jobs.slice(next);
}

/** Consumers whose profiles give the same text share calls. */
export function profileKey(profile: FetchProfile): string {
  const { lockMs, limiter, name, maxMetricsSize, asksSchedules, token } = profile;
  return JSON.stringify([lockMs, limiter?.max, limiter?.durationMs, name, maxMetricsSize, asksSchedules, token]);
}

function mayFindMore(want: number, reply: ExchangeReply): boolean {
  if (reply.isBlocked) return false;
  if (reply.limitedForMs > 0) return true; // asked again once the limit lifts
  return reply.left > 0 && (want === 0 || reply.jobs.length > 0);
}

function limitDelay(pool: Pool): number {
  let delay = Number.POSITIVE_INFINITY;
  for (const consumer of pool.consumers) delay = Math.min(delay, consumer.upkeep.maxLimitDelayMs);
  return delay;
}

/** Places that turns in flight ask for, over all pools of a queue. */
export function wantedOf(queue: QueueState): number {
  let wanted = 0;
  for (const pool of queue.pools.values()) wanted += pool.wanted;
  return wanted;
}
