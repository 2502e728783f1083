import { type Clock, type Logger, messageOf, type Timer } from '../kit/index.js';
import type { ExchangeStore } from '../store/index.js';
import type { Consumer, QueueState } from './consumer.js';
import type { ConsumerTable } from './consumer-table.js';
import type { Outage } from './outage.js';

/** Queues checked in one pass; further ones follow in the next. */
const MAX_PER_PASS = 50;
const NEXT_PASS_MS = 20;

interface CheckRule {
  readonly intervalMs: number;
  readonly maxCount: number;
  readonly asked: readonly Consumer[];
}

/**
 * Owns the time of the next stalled check of each queue, and the one timer for them all. A queue is checked when its first consumer
 * registers, then at the shortest interval that its consumers ask for.
 */
export class Maintenance {
  readonly #nextAt = new Map<QueueState, number>();
  #timer: Timer | undefined;
  #armedFor = Number.POSITIVE_INFINITY;
  #isStarted = false;

  constructor(
    private readonly store: Pick<ExchangeStore, 'moveStalled'>,
    private readonly table: ConsumerTable,
    private readonly clock: Clock,
    private readonly outage: Outage,
    private readonly logger: Logger,
    private readonly failed: (error: unknown) => void,
  ) {}

  start(): void {
    this.#isStarted = true;
    this.consumersChanged();
  }

  stop(): void {
    this.#isStarted = false;
    this.#timer?.cancel();
  }

  /** Consumers came or went: new queues are due at once. */
  consumersChanged(): void {
    if (!this.#isStarted) return;
    const now = this.clock.monotonic();
    for (const queue of this.table.queues.values()) if (!this.#nextAt.has(queue) && ruleOf(queue)) this.#nextAt.set(queue, now);
    this.#arm();
  }

  /** Checks what is due. The timer calls it; tests call it directly. */
  async checkDue(): Promise<void> {
    const now = this.clock.monotonic();
    const due: [QueueState, CheckRule][] = [];
    for (const [queue, at] of this.#nextAt) {
      const rule = this.table.queues.get(queue.ref) === queue ? ruleOf(queue) : undefined;
      if (!rule) this.#nextAt.delete(queue);
      else if (at <= now && due.length < MAX_PER_PASS) {
        due.push([queue, rule]);
        this.#nextAt.set(queue, now + rule.intervalMs);
      }
    }
    if (this.outage.mayTry) await Promise.all(due.map(([queue, rule]) => this.#check(queue, rule)));
  }

  async #check(queue: QueueState, rule: CheckRule): Promise<void> {
    const options = { maxStalledCount: rule.maxCount, stalledIntervalMs: rule.intervalMs, now: this.clock.now() };
    let moved: readonly string[];
    try {
      const check = await this.store.moveStalled(queue.ref, options);
      moved = check.moved;
      this.#checkedUntil(queue, check.nextMs);
    } catch (error) {
      this.logger.warn('the stalled check failed', { queue: queue.ref.name, error: messageOf(error) });
      return;
    }
    const [teller] = rule.asked; // told once, as by the one worker whose check it was
    teller?.checked?.(moved, options.now);
    if (moved.length === 0) return;
    this.table.markReady(queue);
    teller?.stalled(moved);
  }

  /** The next check is made as soon as Redis allows it, which is not a whole interval from now if another client was the last. */
  #checkedUntil(queue: QueueState, nextMs: number): void {
    if (!this.#nextAt.has(queue)) return;
    this.#nextAt.set(queue, this.clock.monotonic() + nextMs);
    this.#arm();
  }

  #arm(): void {
    if (!this.#isStarted) return;
    let next = Number.POSITIVE_INFINITY;
    for (const at of this.#nextAt.values()) next = Math.min(next, at);
    if (next === Number.POSITIVE_INFINITY || (this.#timer && next === this.#armedFor)) return;
    this.#timer?.cancel();
    this.#armedFor = next;
    const wait = next - this.clock.monotonic();
    this.#timer = this.clock.setTimer(() => this.#tick(), wait <= 0 ? NEXT_PASS_MS : wait);
  }

  #tick(): void {
    this.#timer = undefined;
    this.checkDue().catch(this.failed);
    this.#arm();
  }
}

/** The shortest interval asked for, with the count of whoever asked for it; undefined when nobody did. */
function ruleOf(queue: QueueState): CheckRule | undefined {
  const asked: Consumer[] = [];
  let shortest: { intervalMs: number; maxCount: number } | undefined;
  for (const pool of queue.pools.values()) {
    for (const consumer of pool.consumers) {
      const rule = consumer.upkeep.stalled;
      if (!rule) continue;
      asked.push(consumer);
      if (!shortest || rule.intervalMs < shortest.intervalMs) shortest = rule;
    }
  }
  return shortest && { intervalMs: shortest.intervalMs, maxCount: shortest.maxCount, asked };
}
