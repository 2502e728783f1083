import type { QueueRef } from '../keys/queue-keys.js';
import { checked, integer, positiveInt, type Shape, toError } from '../kit/index.js';
import { traceSettlement } from '../telemetry/settlement.js';
import { checkParent } from './check-options.js';
import type { JobCommands } from './commands.js';
import { decideOutcome } from './decide-outcome.js';
import { decodeObject } from './decode.js';
import { MAX_DELAY_MS } from './delay.js';
import { JobAdmin } from './job-admin.js';
import type { JobsOptions, ParentOptions } from './job-options.js';
import { decodeJob, type JobRecord, type RawJobFields } from './job-record.js';
import { commandOf, type Outcome } from './outcome.js';
import { toPublicOptions } from './stored-options.js';
import { type FinishEvents, waitUntilFinished } from './wait-until-finished.js';

/** What the factories of `Job` need of a queue. */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export interface JobHome<Data = any, Result = any, Name extends string = string> {
  add(name: Name, data: Data, opts?: JobsOptions): Promise<Job<Data, Result, Name>>;
  addBulk(jobs: readonly { readonly name: Name; readonly data: Data; readonly opts?: JobsOptions }[]): Promise<Job<Data, Result, Name>[]>;
  getJob(jobId: string): Promise<Job<Data, Result, Name> | undefined>;
  jobOf(record: JobRecord): Job<Data, Result, Name>;
  addJobLog(jobId: string, row: string, keepLogs?: number): Promise<number>;
}

/**
 * What ending a job by hand brings of the next one: its record, as `Job.fromJSON` reads it, and its id, or null and 0 when there is none
 * now; then ms until the rate limit lifts and epoch ms of the earliest delayed job, 0 each if none. Undefined: nothing is left.
 */
export type NextJobData = [jobData: Record<string, unknown> | null, jobId: string | 0, limitUntil: number, delayUntil: number];

/** What a job waits for. */
export interface WaitOptions {
  /** Only this child; without it, any that is pending. */
  readonly child?: ParentOptions;
}

export const WAIT_OPTIONS: Shape<WaitOptions> = { child: checkParent };

/**
 * One job: a view on its record, with BullMQ's names. The record is what Redis had when the job was read or fetched; methods that change
 * Redis change it too. A job out of a worker carries the token of its lock.
 */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export class Job<Data = any, Result = any, Name extends string = string> extends JobAdmin<Data, Result, Name> {
  readonly token: string | undefined;
  #isDiscarded = false;

  constructor(queue: QueueRef, record: JobRecord, commands: JobCommands, token?: string) {
    super(queue, record, commands);
    this.token = token;
  }

  /** Adds a job: the same as `queue.add`. */
  static create<D, R, N extends string>(queue: JobHome<D, R, N>, name: N, data: D, opts?: JobsOptions): Promise<Job<D, R, N>> {
    return queue.add(name, data, opts);
  }

  /** Adds many jobs: the same as `queue.addBulk`. */
  static createBulk<D, R, N extends string>(
    queue: JobHome<D, R, N>,
    jobs: readonly { readonly name: N; readonly data: D; readonly opts?: JobsOptions }[],
  ): Promise<Job<D, R, N>[]> {
    return queue.addBulk(jobs);
  }

  /** @returns undefined when there is no such job. */
  static fromId<D, R, N extends string>(queue: JobHome<D, R, N>, jobId: string): Promise<Job<D, R, N> | undefined> {
    return queue.getJob(jobId);
  }

  /** A job from the fields of its hash, all of them texts. */
  static fromJSON<D, R, N extends string>(queue: JobHome<D, R, N>, fields: RawJobFields, jobId: string): Job<D, R, N> {
    return queue.jobOf(decodeJob(jobId, fields).record);
  }

  /** Public options from the text that is stored. */
  static optsFromJSON(text: string | undefined): JobsOptions {
    return toPublicOptions(decodeObject(text).value);
  }

  /** Appends a row to a job's log. @returns the number of rows kept. */
  static addJobLog(queue: JobHome, jobId: string, row: string, keepLogs?: number): Promise<number> {
    return queue.addJobLog(jobId, row, keepLogs);
  }

  /** The processor called `discard()`. */
  get isDiscarded(): boolean {
    return this.#isDiscarded;
  }
  /** No further try after this run, whatever attempts are left. */
  discard(): void {
    this.#isDiscarded = true;
  }

  /** @returns 1 if the lock was still held with `token`, else 0. */
  async extendLock(token: string, lockMs: number): Promise<number> {
    return (await this.commands.extendLock(this.id, token, positiveInt('duration', lockMs))) ? 1 : 0;
  }

  /**
   * For manual processing: ends the run with a result.
   * @param fetchNext locks the next job with the same token and returns it; only for jobs out of `Worker.getNextJob`.
   */
  async moveToCompleted(value: Result, token = this.ownToken(), _fetchNext = true): Promise<NextJobData | undefined> {
    await this.#settle({ returned: value }, token);
    return undefined;
  }

  /** For manual processing: ends the run with an error; the job is retried or fails, as its options say. */
  async moveToFailed(error: unknown, token = this.ownToken(), _fetchNext = false): Promise<NextJobData | undefined> {
    await this.#settle({ threw: toError(error) }, token);
    return undefined;
  }

  /** Back to delayed until `timestamp` (epoch ms), without counting an attempt. The processor then throws DelayedError. */
  async moveToDelayed(timestamp: number, token = this.ownToken()): Promise<void> {
    const now = this.commands.now();
    const due = Number.isFinite(timestamp) ? Math.trunc(timestamp) : timestamp;
    const delayMs = Math.max(0, integer('timestamp', due, 0, now + MAX_DELAY_MS) - now);
    await this.#move({ kind: 'delay', delayMs, countsAttempt: false }, token, now);
    this.applyUpdate({ delay: delayMs });
  }

  /** Back to the front of wait, without counting an attempt. The processor then throws WaitingError. */
  async moveToWait(token = this.ownToken()): Promise<void> {
    await this.#move({ kind: 'wait' }, token);
  }

  /**
   * Waits for children that were added meanwhile, if any is pending, or `child` is. @returns false when there is none to wait for: the job
   * is still active. If true, the processor throws WaitingChildrenError.
   */
  async moveToWaitingChildren(token = this.ownToken(), options: WaitOptions = {}): Promise<boolean> {
    const { child } = checked('', options, WAIT_OPTIONS);
    const outcome: Outcome = { kind: 'wait-children', ...(child ? { child: `${child.queue}:${child.id}` } : {}) };
    return (await this.#move(outcome, token)) === 0;
  }

  /** Resolves with what the processor returns, rejects when the job fails; without `ttlMs`, waits without limit. See `wait-until-finished.ts`. */
  waitUntilFinished(queueEvents: FinishEvents, ttlMs?: number): Promise<Result> {
    return waitUntilFinished(this, this.commands, queueEvents, ttlMs) as Promise<Result>;
  }

  async #settle(end: Parameters<typeof decideOutcome>[1], token: string): Promise<void> {
    const outcome = decideOutcome(this.record, end, { random: Math.random(), isDiscarded: this.#isDiscarded });
    if (outcome) await this.#move(outcome, token);
  }

  async #move(outcome: Outcome, token: string, at = this.commands.now()): Promise<number> {
    const { commands } = this;
    const store = async (): Promise<number> =>
      this.check(await commands.settle({ jobId: this.id, token, at, outcome }), commandOf(outcome));
    const { tracing } = commands;
    return tracing ? traceSettlement({ tracing, now: () => commands.now() }, this.record, outcome, store) : store();
  }

  protected ownToken(): string {
    if (this.token === undefined) throw new Error(`job ${this.id} is not locked here: give the token of its lock`);
    return this.token;
  }
}
