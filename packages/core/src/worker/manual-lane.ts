import { errorFromStatus } from '../errors/index.js';
import {
  commandOf,
  decideOutcome,
  type FetchedJob,
  Job,
  type JobCommands,
  type NextJobData,
  type Outcome,
  type RunEnd,
} from '../job/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import { flag, type Shape, toError } from '../kit/index.js';
import type { Consumer, HeldJob } from '../runtime/consumer.js';
import type { Runtime } from '../runtime/runtime.js';
import { ConsumerStore, type ExchangeReply } from '../store/index.js';
import { traceSettlement } from '../telemetry/settlement.js';
import { failureRules } from './failure-rules.js';
import { NextJobWait } from './next-job-wait.js';
import { addNextIteration } from './schedules.js';
import type { ResolvedWorkerOptions } from './worker-options.js';
import type { WorkerSpans } from './worker-spans.js';

export interface NextJobOptions {
  /** Waits for a job, as long as `drainDelay` says. Default true. */
  readonly block?: boolean;
}

export const NEXT_JOB_OPTIONS: Shape<NextJobOptions> = { block: flag };

/** What a lane needs of its worker. */
export interface ManualLaneParts {
  readonly runtime: Runtime;
  readonly queue: QueueRef;
  readonly options: ResolvedWorkerOptions;
  readonly commands: JobCommands;
  problem(error: Error): void;
  stalled(jobIds: readonly string[]): void;
  readonly spans: WorkerSpans | undefined;
}

interface Ended {
  readonly status: number;
  readonly reply: ExchangeReply;
}

/**
 * Fetches jobs one by one for whoever runs them by hand, with lock tokens of the caller's own. It holds nothing: locks are extended, and
 * runs ended, by the caller.
 */
export class ManualLane {
  readonly #store: ConsumerStore;
  readonly #waits = new Set<NextJobWait>();
  #watcher: Consumer | undefined;
  #isClosed = false;

  constructor(readonly parts: ManualLaneParts) {
    this.#store = new ConsumerStore(parts.runtime.connections.scripts);
  }

  /**
   * The next job, locked with `token`; undefined when there is none. With `block` it waits for one, as long as an idle queue is waited for
   * (`drainDelay`).
   */
  async next(token: string, block: boolean): Promise<Job | undefined> {
    await this.parts.runtime.connections.command.whenReady();
    const first = await this.#accept((await this.#exchange([], 1, token)).jobs[0]);
    if (first || !block || this.#isClosed) return first;
    return this.#accept(await this.#wait(token));
  }

  /** Stores how a run ended; with `fetchNext` the next job comes back with the answer. */
  async end(job: Job, end: RunEnd, token: string, fetchNext: boolean): Promise<NextJobData | undefined> {
    const { options, commands, runtime } = this.parts;
    await runtime.connections.command.whenReady();
    const thrown = 'threw' in end ? end.threw : undefined;
    const outcome = decideOutcome(job.record, end, await failureRules(job, thrown, options, this.parts.problem));
    if (!outcome) return undefined;
    const at = commands.now();
    const settle = () => this.#settleOrThrow(job, outcome, token, at, fetchNext && !this.#isClosed);
    const { tracing } = commands;
    const reply = tracing ? await traceSettlement({ tracing, now: () => at }, job.record, outcome, settle) : await settle();
    job.applyUpdate(updateOf(job, end, outcome, at));
    return fetchNext ? this.#nextData(reply) : undefined;
  }

  /** Renews locks by hand. @returns the ids of jobs whose lock is missing or another token's. */
  async extendLocks(locks: readonly { readonly jobId: string; readonly token: string }[], lockMs: number): Promise<readonly string[]> {
    await this.parts.runtime.connections.command.whenReady();
    return this.#store.extendLocks(this.parts.queue, locks, lockMs);
  }

  /** Checks the queue for stalled jobs from now on, as a worker that runs does. */
  watch(): void {
    if (this.#watcher || this.#isClosed) return;
    this.#watcher = new Watcher(this.parts);
    this.parts.runtime.register(this.#watcher);
  }

  /** Nobody waits any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const wait of this.#waits) wait.end();
    if (this.#watcher) await this.parts.runtime.unregister(this.#watcher);
  }

  async #wait(token: string): Promise<FetchedJob | undefined> {
    const wait = new NextJobWait(this.parts, token);
    this.#waits.add(wait);
    try {
      return await wait.run();
    } finally {
      this.#waits.delete(wait);
    }
  }

  /** A fetched job as its runner gets it. One that must not run goes back, one that cannot be read is failed; both are reported. */
  async #accept(fetched: FetchedJob | undefined): Promise<ManualJob | undefined> {
    if (!fetched) return undefined;
    const { record, token, schedule, undecodable } = fetched;
    const { commands, options, problem, queue, spans } = this.parts;
    const job = new ManualJob(queue, fetched, commands, this);
    if (undecodable !== undefined) {
      await this.end(job, { threw: new Error(undecodable) }, token, false);
      problem(new Error(undecodable));
      return undefined;
    }
    if (!schedule) return job;
    const result =
      schedule === 'ask'
        ? await addNextIteration(record, commands, options.repeatStrategy, spans?.iterationByHand)
        : ({ mayRun: false } as const);
    if (result.mayRun) {
      if (result.problem) problem(result.problem);
      return job;
    }
    await this.#settle(record.id, { kind: 'wait' }, token, commands.now(), false);
    if (schedule === 'legacy')
      problem(new Error(`job ${record.id} belongs to a repeatable job of BullMQ 5 or before: it went back to wait`));
    return undefined;
  }

  async #nextData({ jobs, limitedForMs, nextDueAt }: ExchangeReply): Promise<NextJobData | undefined> {
    const next = await this.#accept(jobs[0]);
    if (!next) return limitedForMs > 0 || nextDueAt > 0 ? [null, 0, limitedForMs, limitedForMs > 0 ? 0 : nextDueAt] : undefined;
    const { id, ...data } = next.asJSON();
    return [data, id as string, 0, 0];
  }

  async #settleOrThrow(job: Job, outcome: Outcome, token: string, at: number, fetchNext: boolean): Promise<ExchangeReply> {
    const { status, reply } = await this.#settle(job.id, outcome, token, at, fetchNext);
    if (status < 0) throw errorFromStatus(status, { jobId: job.id, command: commandOf(outcome) });
    return reply;
  }

  async #settle(jobId: string, outcome: Outcome, token: string, at: number, fetchNext: boolean): Promise<Ended> {
    const reply = await this.#exchange([{ jobId, token, at, outcome }], fetchNext ? 1 : 0, token);
    return { status: reply.codes[0] as number, reply };
  }

  async #exchange(
    outcomes: Parameters<ConsumerStore['exchange']>[0][number]['outcomes'],
    want: number,
    token: string,
  ): Promise<ExchangeReply> {
    const { commands, options, queue } = this.parts;
    const call = { queue, profile: options.profile, now: commands.now(), outcomes, want, share: 1, token };
    const [reply] = await this.#store.exchange([call]);
    if (!reply || reply instanceof Error) throw reply ?? new Error('the exchange was not answered');
    return reply;
  }
}

/** A job that is run by hand: ending it may bring the next one. */
export class ManualJob extends Job {
  constructor(
    queue: QueueRef,
    { record, token }: Pick<FetchedJob, 'record' | 'token'>,
    commands: JobCommands,
    private readonly lane: ManualLane,
  ) {
    super(queue, record, commands, token);
  }

  override moveToCompleted(value: unknown, token = this.ownToken(), fetchNext = true): Promise<NextJobData | undefined> {
    return this.lane.end(this, { returned: value }, token, fetchNext);
  }

  override moveToFailed(error: unknown, token = this.ownToken(), fetchNext = false): Promise<NextJobData | undefined> {
    return this.lane.end(this, { threw: toError(error) }, token, fetchNext);
  }
}

/** Takes no jobs; its queue is checked for stalled ones all the same. */
class Watcher implements Consumer {
  readonly queue: QueueRef;
  readonly profile;
  readonly upkeep;

  constructor(private readonly parts: ManualLaneParts) {
    this.queue = parts.queue;
    this.profile = parts.options.profile;
    this.upkeep = parts.options.upkeep;
  }

  free(): number {
    return 0;
  }
  deliver(_jobs: readonly HeldJob[]): void {}
  committed(): void {}
  refused(): void {}
  lost(): void {}
  drained(): void {}
  stalled(jobIds: readonly string[]): void {
    this.parts.stalled(jobIds);
  }
  checked(stalled: readonly string[], startedAt: number): void {
    this.parts.spans?.checked(stalled, startedAt);
  }
  problem(error: Error): void {
    this.parts.problem(error);
  }
}

function updateOf({ attemptsMade }: Job, end: RunEnd, outcome: Outcome, at: number): Parameters<Job['applyUpdate']>[0] {
  if (outcome.kind === 'wait' || outcome.kind === 'wait-children') return {};
  const stacktrace = 'stacktrace' in outcome ? { stacktrace: JSON.parse(outcome.stacktrace ?? '[]') as string[] } : {};
  const finishedOn = outcome.kind === 'complete' || outcome.kind === 'fail' ? { finishedOn: at } : {};
  const result = 'returned' in end && outcome.kind === 'complete' ? { returnvalue: end.returned } : {};
  const reason = 'reason' in outcome ? { failedReason: outcome.reason } : {};
  return { attemptsMade: attemptsMade + 1, ...finishedOn, ...result, ...reason, ...stacktrace };
}
