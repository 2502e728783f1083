import { type QueueRef, queueKeys } from '../keys/queue-keys.js';
import type { StreamView } from './plan-read.js';
import { isAfter } from './stream-position.js';

/** An entry as Redis replies it: id and flat field list. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

/** Who is told what a stream says. None of these may throw. */
export interface EventSink {
  /** How long a read may wait for this listener's stream, ms. */
  readonly blockMs: number;
  entry(id: string, fields: readonly string[]): void;
  /** The place from which on entries arrive is fixed: whatever is written from now on will. */
  placed(): void;
  problem(error: Error): void;
  /** The stream connection was lost; reading goes on where it stopped once there is one again. */
  offline(): void;
  /** Nothing arrives any more: the connections were closed by their owner. */
  ended(error: Error): void;
}

/** One listener's place in one stream. */
export class Subscription {
  /** Id of the last entry that this listener has no need of; undefined until `$` has become one. */
  position: string | undefined;
  isActive = true;
  /** Monotonic ms before which its place is not asked for again. */
  retryAt = 0;

  constructor(
    readonly stream: EventStream,
    readonly from: string,
    readonly sink: EventSink,
  ) {}
}

/**
 * The event stream of one queue, and who listens to it. It is read from the place of the listener furthest behind; a listener gets what
 * lies behind its own place, once and in order.
 */
export class EventStream implements StreamView {
  readonly key: string;
  readonly subscriptions = new Set<Subscription>();
  isApart = false;
  retryAt = 0;
  /** The last read left something behind, as far as is known. */
  hasMore = false;

  constructor(readonly queue: QueueRef) {
    this.key = queueKeys(queue).events;
  }

  get blockMs(): number {
    let shortest = Number.POSITIVE_INFINITY;
    for (const { sink } of this.subscriptions) shortest = Math.min(shortest, sink.blockMs);
    return shortest;
  }

  /** Where to read from; undefined while no listener has a place. */
  get position(): string | undefined {
    let first: string | undefined;
    for (const { position } of this.subscriptions) {
      if (position !== undefined && (first === undefined || isAfter(first, position))) first = position;
    }
    return first;
  }

  /** Hands out entries that were read from `from` on. Who stands before `from` gets none: the next read begins with it. */
  deliver(from: string, entries: readonly StreamEntry[]): void {
    for (const subscription of [...this.subscriptions]) {
      const { position, sink } = subscription;
      if (position === undefined || isAfter(from, position)) continue;
      const isLevel = position === from;
      for (const [id, fields] of entries) {
        if (!subscription.isActive) break;
        if (!isLevel && !isAfter(id, position)) continue;
        subscription.position = id;
        sink.entry(id, fields);
      }
    }
  }

  /** Brings places behind `end`, the last entry there is, back to it. */
  rewind(end: string): void {
    for (const subscription of this.subscriptions) {
      const { position } = subscription;
      if (position !== undefined && isAfter(position, end)) subscription.position = end;
    }
  }

  tell(error: Error): void {
    for (const { sink } of [...this.subscriptions]) sink.problem(error);
  }
}

/** Owns the streams of one Redis target and the places of their listeners. */
export class StreamTable {
  readonly #streams = new Map<QueueRef, EventStream>();
  readonly #unplaced = new Set<Subscription>();

  get size(): number {
    return this.#streams.size;
  }

  /** The one that has been here longest. */
  get eldest(): EventStream | undefined {
    return this.#streams.values().next().value;
  }

  add(queue: QueueRef, from: string, sink: EventSink): Subscription {
    const stream = this.#streams.get(queue) ?? new EventStream(queue);
    this.#streams.set(queue, stream);
    const subscription = new Subscription(stream, from, sink);
    stream.subscriptions.add(subscription);
    this.#unplaced.add(subscription);
    return subscription;
  }

  remove(subscription: Subscription): void {
    const { stream } = subscription;
    subscription.isActive = false;
    this.#unplaced.delete(subscription);
    stream.subscriptions.delete(subscription);
    if (stream.subscriptions.size === 0 && this.#streams.get(stream.queue) === stream) this.#streams.delete(stream.queue);
  }

  /** Listeners without a place, who are due to get one. */
  unplaced(nowMs: number): Subscription[] {
    return [...this.#unplaced].filter(({ retryAt }) => retryAt <= nowMs);
  }

  hasUnplaced(nowMs: number): boolean {
    for (const { retryAt } of this.#unplaced) if (retryAt <= nowMs) return true;
    return false;
  }

  place(subscription: Subscription, position: string): void {
    if (!this.#unplaced.delete(subscription)) return; // gone meanwhile
    subscription.position = position;
    subscription.sink.placed();
  }

  /** Streams that somebody with a place listens to. */
  *readable(): Generator<EventStream> {
    for (const stream of this.#streams.values()) if (stream.position !== undefined) yield stream;
  }

  *sinks(): Generator<EventSink> {
    for (const { subscriptions } of [...this.#streams.values()]) for (const { sink } of [...subscriptions]) yield sink;
  }
}
