import { queueKeys } from '../keys/queue-keys.js';
import { type Clock, type Deferred, deferred, type Logger, messageOf, type Timer } from '../kit/index.js';
import type { QueueState } from './consumer.js';
import { type ConsumerTable, hasFreePlace } from './consumer-table.js';
import { planWait, readMarker, type WaitPlan, type WaitView } from './plan-wait.js';

/** The blocking connection, as far as the waiter needs it. */
export interface MarkerSource {
  /** Pops the lowest member of the first of these sorted sets that has one; undefined when the time is over or the call was ended. */
  pop(keys: readonly string[], timeoutMs: number): Promise<{ readonly key: string; readonly score: number } | undefined>;
  /** Ends the blocked call through another connection. @returns false when none was blocked (yet). */
  unblock(): Promise<boolean>;
  /** Puts a popped marker back, for other processes. */
  restore(key: string, score: number): Promise<void>;
}

/** A queue as the wait sees it. */
class Waited implements WaitView {
  readonly hasFreePlace: boolean;
  readonly limitedUntil: number;
  readonly pollMs: number;

  constructor(readonly queue: QueueState) {
    this.hasFreePlace = hasFreePlace(queue);
    let limitedUntil = 0;
    let pollMs = Number.POSITIVE_INFINITY;
    for (const pool of queue.pools.values()) {
      if (pool.limitedUntil > 0) limitedUntil = limitedUntil === 0 ? pool.limitedUntil : Math.min(limitedUntil, pool.limitedUntil);
      for (const consumer of pool.consumers) pollMs = Math.min(pollMs, consumer.upkeep.pollMs);
    }
    this.limitedUntil = limitedUntil;
    this.pollMs = pollMs;
  }

  get isReady(): boolean {
    return this.queue.isReady;
  }
  get dueAt(): number {
    return this.queue.dueAt;
  }
  get checkedAt(): number {
    return this.queue.checkedAt;
  }
}

const RETRY_MS = 200;
const MIN_POLL_MS = 1;

/**
 * Owns the one blocking call of a runtime: a pop over the markers of all idle queues whose consumers have room (data model, section 3.4).
 *
 *     idle queues? --no--> sleep until something changes
 *        | yes
 *     blocked call ---- popped: ready, or due later ------> plan anew
 *        |  ---- time over: ask the queues not asked for long
 *        |  ---- an idle queue is missing from the call: ended by CLIENT UNBLOCK
 *        '  ---- connection lost: sleep, then presume every queue ready once
 *
 * Due times and ends of rate limits are waited for with a local timer, armed only while there are any.
 */
export class MarkerWaiter {
  #isStopped = false;
  #loop: Promise<void> | undefined;
  #wake: Deferred<void> | undefined;
  #pauseOver: Deferred<void> | undefined;
  #blockedOn: ReadonlySet<QueueState> | undefined;
  #isUnblocking = false;
  #isLooking = false;
  #polledAt: number;
  #timer: Timer | undefined;

  constructor(
    private readonly source: MarkerSource,
    private readonly table: ConsumerTable,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly failed: (error: unknown) => void,
  ) {
    this.#polledAt = clock.monotonic();
  }

  start(): void {
    this.#loop = this.#run().catch(this.failed);
  }

  /** Ends the blocked call. Resolves when the loop is over. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#wake?.resolve();
    this.#pauseOver?.resolve();
    if (this.#blockedOn) this.#unblock();
    await this.#loop;
  }

  /** What is known of a queue changed. Looks once per tick, however often it is called. */
  changed(): void {
    if (this.#isLooking || this.#isStopped) return;
    this.#isLooking = true;
    setImmediate(this.#look);
  }

  readonly #look = (): void => {
    this.#isLooking = false;
    if (this.#isStopped) return;
    this.#wake?.resolve();
    if (!this.#blockedOn) return;
    const { idle } = this.#plan(false);
    const isMissing = idle.some((waited) => !this.#blockedOn?.has(waited.queue));
    if (isMissing || [...this.#blockedOn].some((queue) => !this.#mayTake(queue))) this.#unblock();
  };

  /** Whether a marker of this queue would be of use here; otherwise popping it would hide it from a process that has room. */
  #mayTake(queue: QueueState): boolean {
    return this.table.queues.get(queue.ref) === queue && (queue.isReady || hasFreePlace(queue));
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const { idle, blockMs } = this.#plan(true);
      if (idle.length === 0) await this.#sleep();
      else await this.#block(idle, blockMs);
    }
  }

  /** Marks what is due, arms the timer for what will be, and says what to block on. */
  #plan(mayPoll: boolean): WaitPlan<Waited> {
    const monotonic = this.clock.monotonic();
    const waited: Waited[] = [];
    let pollMs = Number.POSITIVE_INFINITY;
    for (const queue of this.table.queues.values()) {
      const view = new Waited(queue);
      pollMs = Math.min(pollMs, view.pollMs);
      waited.push(view);
    }
    const isPollTime = mayPoll && monotonic - this.#polledAt >= pollMs;
    if (isPollTime) this.#polledAt = monotonic;
    const plan = planWait(waited, this.clock.now(), monotonic, isPollTime);
    for (const { queue } of plan.due) this.#markDue(queue);
    for (const { queue } of plan.stale) this.table.markReady(queue);
    this.#arm(plan.wakeInMs);
    return plan.stale.length === 0 ? plan : { ...plan, idle: plan.idle.filter((one) => !one.isReady) };
  }

  #markDue(queue: QueueState): void {
    const now = this.clock.now();
    if (queue.dueAt > 0 && queue.dueAt <= now) queue.dueAt = 0;
    for (const pool of queue.pools.values()) if (pool.limitedUntil <= now) pool.limitedUntil = 0;
    this.table.markReady(queue);
  }

  #arm(wakeInMs: number | undefined): void {
    this.#timer?.cancel();
    this.#timer = wakeInMs === undefined ? undefined : this.clock.setTimer(() => this.changed(), Math.min(wakeInMs, 2 ** 31 - 1));
  }

  async #sleep(): Promise<void> {
    this.#wake = deferred();
    await this.#wake.promise;
    this.#wake = undefined;
  }

  async #block(idle: readonly Waited[], blockMs: number): Promise<void> {
    const byKey = new Map(idle.map(({ queue }) => [queueKeys(queue.ref).marker, queue]));
    this.#blockedOn = new Set(byKey.values());
    try {
      const popped = await this.source.pop([...byKey.keys()], Math.max(MIN_POLL_MS, blockMs));
      const queue = popped && byKey.get(popped.key);
      if (queue) await this.#popped(queue, popped);
    } catch (error) {
      if (this.#isStopped) return;
      this.logger.warn('waiting for markers failed', { queues: byKey.size, error: messageOf(error) });
      await this.#pause();
      this.table.markAllReady();
    } finally {
      this.#blockedOn = undefined;
    }
  }

  async #popped(queue: QueueState, { key, score }: { readonly key: string; readonly score: number }): Promise<void> {
    if (this.#isStopped || !this.#mayTake(queue)) return this.source.restore(key, score);
    const { isReady, dueAt } = readMarker(score, queue.dueAt, this.clock.now());
    queue.dueAt = dueAt;
    if (isReady) this.table.markReady(queue);
  }

  /** A wait after a failure, so that a server that refuses calls is not asked in a loop. */
  async #pause(): Promise<void> {
    this.#blockedOn = undefined;
    this.#pauseOver = deferred();
    const timer = this.clock.setTimer(this.#pauseOver.resolve, RETRY_MS);
    await this.#pauseOver.promise;
    timer.cancel();
  }

  /** The call may reach Redis after its end was asked for, so that is repeated until it has returned. */
  #unblock(): void {
    if (this.#isUnblocking) return;
    this.#isUnblocking = true;
    const blockedOn = this.#blockedOn;
    const isOver = () => this.#blockedOn !== blockedOn;
    const attempt = async (): Promise<void> => {
      while (!isOver() && !(await this.source.unblock())) await new Promise(setImmediate);
    };
    attempt()
      .catch((error) => this.logger.debug('the blocked call could not be ended', { error: messageOf(error) }))
      .finally(() => {
        this.#isUnblocking = false;
      });
  }
}
