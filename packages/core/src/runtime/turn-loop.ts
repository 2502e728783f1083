import type { FetchedJob, Outcome } from '../job/index.js';
import { type BackoffRule, backoffMs, type Clock, type Logger, messageOf } from '../kit/index.js';
import type { ExchangeCall, ExchangeReply, ExchangeStore } from '../store/index.js';
import { type Consumer, HeldJob, type JobOwner, type Pool } from './consumer.js';
import { assign, type ConsumerTable, freePlaces, wantedOf } from './consumer-table.js';
import type { LockRenewer } from './lock-renewer.js';
import type { Outage } from './outage.js';
import type { OutcomeBuffer } from './outcome-buffer.js';
import { type CallPlan, type Demand, planTurn, type TurnLimits } from './plan-turn.js';

/** Statuses that the loop tells apart: codes of the data model, section 4.1, and one of the exchange script. */
const NO_CHILD_TO_WAIT_FOR = 1;
const GONE = -1;
const LOCK_MISSING = -2;
const PENDING_CHILDREN = -4;
const FAILED_CHILDREN = -9;

/** Wait after a call that failed on its own (not with the connection), before the next of its pool. */
const CALL_RETRY: BackoffRule = { firstMs: 50, baseMs: 100, factor: 2, capMs: 5_000, jitter: 'none' };

interface SentCall {
  readonly pool: Pool;
  readonly outcomes: readonly HeldJob[];
  readonly want: number;
  readonly hints: number;
}

export interface TurnLoopParts {
  readonly store: Pick<ExchangeStore, 'exchange'>;
  readonly table: ConsumerTable;
  readonly buffer: OutcomeBuffer;
  readonly renewer: LockRenewer;
  readonly outage: Outage;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What lock tokens begin with. */
  readonly incarnation: string;
  readonly limits: TurnLimits;
  /** Told of a bug in the loop: the runtime fails as one. */
  readonly failed: (error: unknown) => void;
}

/**
 * Owns the turns in flight: each is one pipeline of exchange calls, outcomes in and jobs out (engine-performance, section 4).
 * It has no timer: what is gathered during one event-loop tick leaves at its end, what is gathered during a turn leaves with the next.
 *
 * A turn whose connection is lost leaves nothing known. Its outcomes go back to the buffer and are sent again until their own locks have
 * run out; its wants are free again. Jobs that Redis handed out in vain are found by the stalled check, as their locks are not renewed.
 */
export class TurnLoop {
  readonly #lanes = new Set<Promise<void>>();
  #isStopped = false;
  #isScheduled = false;
  #noWants = false;
  #calls = 0;
  /** Jobs whose processors run: more outcomes may come within this tick. */
  #running = 0;
  #returning = 0;
  #returned: (() => void)[] = [];

  constructor(private readonly parts: TurnLoopParts) {}

  /** Something waits: a turn leaves at the end of this tick, if a lane is free. */
  wake(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    if (this.#running === 0) process.nextTick(this.#leave);
    else setImmediate(this.#leave);
  }

  /** What became of a held job; it goes to Redis with the next turn. A job that was lost meanwhile is left alone. */
  settle(job: HeldJob, outcome: Outcome, at: number): void {
    if (job.phase !== 'running') return;
    job.outcome = outcome;
    job.at = at;
    this.#running--;
    job.pool.running--;
    this.parts.buffer.put(job);
    this.wake();
  }

  /** Gives a held job up without an outcome: its processor has already moved it. */
  release(job: HeldJob): void {
    if (job.phase !== 'running') return;
    this.#forget(job);
    this.wake();
  }

  /** From now on nothing is fetched; jobs that turns in flight still bring are given back unstarted. */
  stopFetching(): void {
    this.#noWants = true;
  }

  /** Resolves when the turns now in flight are answered and what they brought without a taker is given back. */
  async settleFetches(): Promise<void> {
    await Promise.allSettled(this.#lanes);
    if (this.#returning > 0) await new Promise<void>((resolve) => this.#returned.push(resolve));
  }

  /** No further turn leaves. Resolves when those in flight are answered. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.allSettled(this.#lanes);
  }

  /** The lock of a job that waits for a turn has run out: the stalled check owns the job now. */
  abandon(job: HeldJob): void {
    this.parts.buffer.remove(job);
    this.#over(job, LOCK_MISSING);
  }

  readonly #leave = (): void => {
    this.#isScheduled = false;
    try {
      while (!this.#isStopped && this.parts.outage.mayTry) {
        const calls = this.#gather();
        if (calls.length === 0) return;
        const lane = this.#send(calls).finally(() => this.#lanes.delete(lane));
        this.#lanes.add(lane);
        lane.then(this.#wakeAgain, this.parts.failed);
      }
    } catch (error) {
      this.parts.failed(error);
    }
  };

  readonly #wakeAgain = (): void => this.wake();

  #gather(): SentCall[] {
    const { buffer, limits, table } = this.parts;
    const pools = this.#waitingPools();
    if (pools.length === 0) return [];
    const noWants = this.#noWants || buffer.isPressed;
    const plans = planTurn(
      pools.map((pool) => this.#demandOf(pool)),
      this.#lanes.size,
      noWants,
      limits,
    );
    return plans.map((plan) => this.#take(pools[plan.demand] as Pool, plan, table));
  }

  /** Pools of ready queues, those served longest ago first, then the others that have outcomes. */
  #waitingPools(): Pool[] {
    const { buffer, clock, table } = this.parts;
    const pools: Pool[] = [];
    for (const queue of table.readyQueues()) for (const pool of queue.pools.values()) pools.push(pool);
    for (const pool of buffer.pools()) if (!pool.queue.isReady || !table.queues.has(pool.queue.ref)) pools.push(pool);
    const now = clock.monotonic();
    return pools.some((pool) => pool.retryAt > now) ? pools.filter((pool) => pool.retryAt <= now) : pools;
  }

  #demandOf(pool: Pool): Demand {
    const { buffer, clock } = this.parts;
    const { queue } = pool;
    const asked = wantedOf(queue);
    const free = freePlaces(pool);
    return {
      places: free + pool.wanted + pool.running,
      outcomes: buffer.count(pool),
      fitting: Math.min(buffer.fitting(pool), pool.maxOutcomes),
      free,
      isReady: queue.isReady,
      isLimited: pool.limitedUntil > clock.now(),
      isAsked: asked > 0,
      backlog: queue.left - asked,
    };
  }

  #take(pool: Pool, plan: CallPlan, table: ConsumerTable): SentCall {
    pool.wanted += plan.want;
    if (plan.want > 0) table.served(pool.queue);
    return { pool, outcomes: this.parts.buffer.take(pool, plan.outcomes), want: plan.want, hints: pool.queue.hints };
  }

  async #send(calls: readonly SentCall[]): Promise<void> {
    const { clock, logger, outage, store } = this.parts;
    const sentAt = clock.monotonic();
    const now = clock.now();
    let replies: readonly (ExchangeReply | Error)[];
    try {
      replies = await store.exchange(calls.map((call) => this.#callOf(call, now)));
    } catch (error) {
      if (outage.failed()) logger.warn('an exchange was not answered', { calls: calls.length, error: messageOf(error) });
      for (const call of calls) this.#takeBack(call);
      return;
    }
    if (outage.succeeded()) logger.info('Redis answers again');
    for (const [i, call] of calls.entries()) this.#answer(call, replies[i] as ExchangeReply | Error, sentAt);
  }

  #callOf({ pool, outcomes, want }: SentCall, now: number): ExchangeCall {
    const token = pool.profile.token ?? `${this.parts.incarnation}:${++this.#calls}`;
    return { queue: pool.queue.ref, profile: pool.profile, now, outcomes, want, share: pool.queue.share, token };
  }

  #answer(call: SentCall, reply: ExchangeReply | Error, sentAt: number): void {
    if (reply instanceof Error) {
      this.#callFailed(call, reply);
      return;
    }
    const { pool, want } = call;
    const { clock, table } = this.parts;
    pool.wanted -= want;
    if (pool.failuresInRow > 0) Object.assign(pool, { failuresInRow: 0, maxOutcomes: Number.POSITIVE_INFINITY, retryAt: 0 });
    for (const [i, job] of call.outcomes.entries()) this.#answered(job, reply.codes[i] ?? GONE);
    table.learn(pool, want, call.hints, reply, clock.now(), clock.monotonic());
    if (reply.jobs.length > 0) this.#deliver(pool, reply.jobs, sentAt);
    table.tellDrained(pool, want, reply);
    table.sweep(pool.queue);
  }

  #answered(job: HeldJob, code: number): void {
    this.parts.buffer.commit();
    if (code === PENDING_CHILDREN || code === FAILED_CHILDREN || code === NO_CHILD_TO_WAIT_FOR) {
      this.#running++;
      job.pool.running++;
      job.phase = 'running'; // nothing has changed in Redis
      job.owner.refused(job, code);
    } else this.#over(job, wasCommittedBefore(job, code) ? 0 : code);
  }

  #over(job: HeldJob, code: number): void {
    this.#forget(job);
    job.owner.committed(job, code);
  }

  #forget(job: HeldJob): void {
    if (job.phase === 'running') {
      this.#running--;
      job.pool.running--;
    }
    job.phase = 'over';
    this.parts.renewer.release(job);
    job.pool.queue.inHand--;
    this.parts.table.sweep(job.pool.queue);
  }

  #deliver(pool: Pool, fetched: readonly FetchedJob[], sentAt: number): void {
    const startedAt = this.parts.clock.now();
    const hold = (jobs: readonly FetchedJob[], owner: JobOwner, renewMs: number | undefined): HeldJob[] =>
      jobs.map((job) => {
        const held = new HeldJob(job, pool.queue.ref, pool, owner, renewMs, startedAt, sentAt);
        pool.queue.inHand++;
        this.#running++;
        pool.running++;
        this.parts.renewer.hold(held);
        return held;
      });
    const give = (consumer: Consumer, jobs: readonly FetchedJob[]): void =>
      consumer.deliver(hold(jobs, consumer, consumer.upkeep.lockRenewMs));
    const surplus = this.#noWants ? fetched : assign(pool, fetched, give);
    for (const job of hold(surplus, this.#returns, undefined)) {
      this.#returning++;
      this.settle(job, job.outcome, startedAt);
    }
  }

  /** Owns the jobs that came when nobody had room for them any more: they go back unstarted. */
  readonly #returns: JobOwner = {
    committed: (job, code) => {
      if (code !== 0) this.parts.logger.warn('a job could not be given back unstarted', { queue: job.queue.name, jobId: job.jobId, code });
      if (--this.#returning > 0) return;
      const resolvers = this.#returned;
      this.#returned = [];
      for (const resolve of resolvers) resolve();
    },
    refused: (job) => this.settle(job, job.outcome, job.at),
    lost: () => undefined, // never runs
  };

  /** The connection was lost: nothing is known. What may still be ours is sent again. */
  #takeBack(call: SentCall): void {
    const { pool } = call;
    const now = this.parts.clock.monotonic();
    pool.wanted -= call.want;
    this.parts.buffer.giveBack(
      pool,
      call.outcomes.filter((job) => !job.isExpired(now)),
    );
    for (const job of call.outcomes) if (job.isExpired(now)) this.#expire(job);
    this.parts.table.sweep(pool.queue);
  }

  /** The script refused a whole call, which is a bug or a full server. Smaller calls find out which outcome it is. */
  #callFailed(call: SentCall, error: Error): void {
    const { pool, outcomes } = call;
    const { buffer, clock, logger, table } = this.parts;
    const now = clock.monotonic();
    if (++pool.failuresInRow === 1) {
      logger.error('an exchange call failed', {
        queue: pool.queue.ref.name,
        outcomes: outcomes.length,
        want: call.want,
        error: error.message,
      });
      for (const consumer of [...pool.consumers]) consumer.problem(error);
    }
    const wait = backoffMs(pool.failuresInRow, CALL_RETRY, 0);
    pool.wanted -= call.want;
    pool.maxOutcomes = Math.max(1, Math.floor(outcomes.length / 2));
    pool.retryAt = now + wait;
    const isHopeless = (job: HeldJob): boolean => job.refusedAt > 0 && now - job.refusedAt >= job.lockMs;
    buffer.giveBack(
      pool,
      outcomes.filter((job) => !isHopeless(job)),
    );
    for (const job of outcomes) {
      if (isHopeless(job)) this.#expire(job);
      else if (job.refusedAt === 0 && outcomes.length === 1) job.refusedAt = now;
    }
    table.sweep(pool.queue);
    clock.setTimer(this.#wakeAgain, wait);
  }

  #expire(job: HeldJob): void {
    this.parts.buffer.commit();
    this.#over(job, LOCK_MISSING);
  }
}

/** A second try finds a job gone that the first one, whose answer was lost, had finished and not kept. */
function wasCommittedBefore(job: HeldJob, code: number): boolean {
  const { outcome } = job;
  return code === GONE && job.tries > 1 && (outcome.kind === 'complete' || outcome.kind === 'fail') && outcome.keep.count === 0;
}
