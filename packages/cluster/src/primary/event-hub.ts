import type { Logger } from '@drover/core/kit';
import { matchesTopic, type Topic } from '../protocol/index.js';

/** A fact for subscribers, before it has an envelope. */
export interface HubEvent {
  readonly topic: Topic;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Subscription {
  readonly patterns: readonly string[];
  readonly listener: (event: HubEvent) => void;
}

/** Owns the list of subscribers. A subscriber that throws is logged and hears of the next fact all the same. */
export class EventHub {
  readonly #subscriptions = new Set<Subscription>();

  constructor(
    private readonly now: () => number,
    private readonly logger: Logger,
  ) {}

  /** @returns how to stop it. */
  subscribe(patterns: readonly string[], listener: (event: HubEvent) => void): () => void {
    const subscription = { patterns, listener };
    this.#subscriptions.add(subscription);
    return () => void this.#subscriptions.delete(subscription);
  }

  publish(topic: Topic, data: Readonly<Record<string, unknown>>): void {
    const event: HubEvent = { topic, at: this.now(), data };
    for (const { patterns, listener } of [...this.#subscriptions]) {
      if (!patterns.some((pattern) => matchesTopic(pattern, topic))) continue;
      try {
        listener(event);
      } catch (error) {
        this.logger.error('a subscriber of events failed', { topic, error });
      }
    }
  }
}
