import { errorFromStatus } from '../errors/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import { toError } from '../kit/index.js';
import type { JobCommands } from './commands.js';
import { decideOutcome } from './decide-outcome.js';
import { decodeJson } from './decode.js';
import type { JobsOptions } from './job-options.js';
import type { JobRecord } from './job-record.js';
import type { JobState } from './job-state.js';
import type { Outcome } from './outcome.js';
import { toPublicOptions } from './stored-options.js';
import { type FinishEvents, waitUntilFinished } from './wait-until-finished.js';

/** Progress as a processor reports it: anything that JSON can carry. */
export type JobProgress = number | string | boolean | object;

/**
 * What ending a job by hand brings of the next one: its record, as `Job.fromJSON` reads it, and its id, or null and 0 when there is none
 * now; then ms until the rate limit lifts and epoch ms of the earliest delayed job, 0 each if none. Undefined: nothing is left.
 */
export type NextJobData = [jobData: Record<string, unknown> | null, jobId: string | 0, limitUntil: number, delayUntil: number];

/**
 * One job: a view on its record, with BullMQ's names. The record is what Redis had when the job was read or fetched; methods that change
 * Redis change it too. A job out of a worker carries the token of its lock.
 */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export class Job<Data = any, Result = any, Name extends string = string> {
  readonly token: string | undefined;
  readonly #queue: QueueRef;
  readonly #commands: JobCommands;
  #record: JobRecord;
  #options: JobsOptions | undefined;
  #isDiscarded = false;

  constructor(queue: QueueRef, record: JobRecord, commands: JobCommands, token?: string) {
    this.#queue = queue;
    this.#record = record;
    this.#commands = commands;
    this.token = token;
  }

  get id(): string {
    return this.#record.id;
  }
  get name(): Name {
    return this.#record.name as Name;
  }
  get data(): Data {
    return this.#record.data as Data;
  }
  get opts(): JobsOptions {
    this.#options ??= toPublicOptions(this.#record.opts);
    return this.#options;
  }
  get timestamp(): number {
    return this.#record.timestamp;
  }
  get delay(): number {
    return this.#record.delay;
  }
  get priority(): number {
    return this.#record.priority;
  }
  get progress(): JobProgress {
    return this.#record.progress as JobProgress;
  }
  get returnvalue(): Result {
    return this.#record.returnvalue as Result;
  }
  /** Undefined instead of BullMQ's missing property. */
  get failedReason(): string | undefined {
    return this.#record.failedReason;
  }
  get stacktrace(): readonly string[] {
    return this.#record.stacktrace;
  }
  get processedOn(): number | undefined {
    return this.#record.processedOn;
  }
  get finishedOn(): number | undefined {
    return this.#record.finishedOn;
  }
  get processedBy(): string | undefined {
    return this.#record.processedBy;
  }
  get attemptsMade(): number {
    return this.#record.attemptsMade;
  }
  get attemptsStarted(): number {
    return this.#record.attemptsStarted;
  }
  get stalledCounter(): number {
    return this.#record.stalledCounter;
  }
  get deferredFailure(): string | undefined {
    return this.#record.deferredFailure;
  }
  get parent(): { readonly id: string; readonly queueKey: string } | undefined {
    return this.#record.parent;
  }
  get parentKey(): string | undefined {
    return this.#record.parentKey;
  }
  get deduplicationId(): string | undefined {
    return this.#record.deduplicationId;
  }
  get repeatJobKey(): string | undefined {
    return this.#record.repeatJobKey;
  }
  get queueName(): string {
    return this.#queue.name;
  }
  get prefix(): string {
    return this.#queue.prefix;
  }
  get queueQualifiedName(): string {
    return this.#queue.qualified;
  }
  /** The processor called `discard()`. */
  get isDiscarded(): boolean {
    return this.#isDiscarded;
  }
  /** What the engine works with; applications use the properties. */
  get record(): JobRecord {
    return this.#record;
  }

  /** Takes over what became of the job; for the worker that ran it. */
  applyUpdate(update: Partial<JobRecord>): void {
    this.#record = { ...this.#record, ...update };
  }

  /** No further try after this run, whatever attempts are left. */
  discard(): void {
    this.#isDiscarded = true;
  }

  async updateData(data: Data): Promise<void> {
    this.#check(await this.#commands.updateData(this.id, JSON.stringify(data) ?? '{}'), 'updateData');
    this.applyUpdate({ data });
  }

  async updateProgress(progress: JobProgress): Promise<void> {
    this.applyUpdate({ progress });
    this.#check(await this.#commands.updateProgress(this.id, JSON.stringify(progress) ?? 'null'), 'updateProgress');
  }

  /** @returns the number of rows in the job's log. */
  async log(row: string): Promise<number> {
    return this.#check(await this.#commands.addLog(this.id, row, this.opts.keepLogs ?? 0), 'addLog');
  }

  /** @param keepLogs rows that stay, the newest ones. */
  clearLogs(keepLogs = 0): Promise<void> {
    return this.#commands.clearLogs(this.id, keepLogs);
  }

  getState(): Promise<JobState> {
    return this.#commands.state(this.id);
  }
  async isCompleted(): Promise<boolean> {
    return (await this.getState()) === 'completed';
  }
  async isFailed(): Promise<boolean> {
    return (await this.getState()) === 'failed';
  }
  async isDelayed(): Promise<boolean> {
    return (await this.getState()) === 'delayed';
  }
  async isActive(): Promise<boolean> {
    return (await this.getState()) === 'active';
  }
  async isWaiting(): Promise<boolean> {
    return (await this.getState()) === 'waiting';
  }
  async isWaitingChildren(): Promise<boolean> {
    return (await this.getState()) === 'waiting-children';
  }

  /** @throws Error when a worker holds the job, or with `removeChildren` one of its children. */
  async remove({ removeChildren = true }: { readonly removeChildren?: boolean } = {}): Promise<void> {
    const removed = this.#check(await this.#commands.remove(this.id, removeChildren), 'removeJob');
    if (removed === 0) {
      throw new Error(`Job ${this.id} could not be removed because it is locked by another worker`);
    }
  }

  /** Makes the job's deduplication id free for the next add. @returns whether this job still owned it. */
  async removeDeduplicationKey(): Promise<boolean> {
    const id = this.deduplicationId;
    return id !== undefined && (await this.#commands.freeDeduplication(this.id, id)) === 1;
  }

  /** @returns 1 if the lock was still held with `token`, else 0. */
  async extendLock(token: string, lockMs: number): Promise<number> {
    return (await this.#commands.extendLock(this.id, token, lockMs)) ? 1 : 0;
  }

  /** Values of finished children by their full key. */
  async getChildrenValues<Value = unknown>(): Promise<Record<string, Value>> {
    const values = Object.entries(await this.#commands.childValues(this.id));
    return Object.fromEntries(values.map(([key, text]) => [key, decodeJson(text, undefined).value as Value]));
  }

  /** Failures of children that did not fail this job, by their full key. */
  async getIgnoredChildrenFailures(): Promise<Record<string, string>> {
    return { ...(await this.#commands.ignoredChildFailures(this.id)) };
  }

  /**
   * For manual processing: ends the run with a result.
   * @param fetchNext locks the next job with the same token and returns it; only for jobs out of `Worker.getNextJob`.
   */
  async moveToCompleted(value: Result, token = this.ownToken(), _fetchNext = true): Promise<NextJobData | undefined> {
    await this.#settle({ returned: value }, token, 'moveToCompleted');
    return undefined;
  }

  /** For manual processing: ends the run with an error; the job is retried or fails, as its options say. */
  async moveToFailed(error: unknown, token = this.ownToken(), _fetchNext = false): Promise<NextJobData | undefined> {
    await this.#settle({ threw: toError(error) }, token, 'moveToFailed');
    return undefined;
  }

  /** Back to delayed until `timestamp` (epoch ms), without counting an attempt. The processor then throws DelayedError. */
  async moveToDelayed(timestamp: number, token = this.ownToken()): Promise<void> {
    const now = this.#commands.now();
    const delayMs = Math.max(0, Math.trunc(timestamp) - now);
    await this.#move({ kind: 'delay', delayMs, countsAttempt: false }, token, 'moveToDelayed', now);
    this.applyUpdate({ delay: delayMs });
  }

  /** Back to the front of wait, without counting an attempt. The processor then throws WaitingError. */
  async moveToWait(token = this.ownToken()): Promise<void> {
    await this.#move({ kind: 'wait' }, token, 'moveToWait');
  }

  /**
   * Waits for children that were added meanwhile. @returns false when there is none to wait for: the job is still active. If true, the
   * processor throws WaitingChildrenError.
   */
  async moveToWaitingChildren(token = this.ownToken()): Promise<boolean> {
    return (await this.#move({ kind: 'wait-children' }, token, 'moveToWaitingChildren')) === 0;
  }

  /** Resolves with what the processor returns, rejects when the job fails; without `ttlMs`, waits without limit. See `wait-until-finished.ts`. */
  waitUntilFinished(queueEvents: FinishEvents, ttlMs?: number): Promise<Result> {
    return waitUntilFinished(this, this.#commands, queueEvents, ttlMs) as Promise<Result>;
  }

  /** The record with public names, as BullMQ prints it. */
  toJSON(): Record<string, unknown> {
    const { opts: _stored, ...record } = this.#record;
    return { ...record, opts: this.opts, queueQualifiedName: this.queueQualifiedName };
  }

  /** The record as texts, the way its hash has it. */
  asJSON(): Record<string, unknown> {
    const { data, opts, progress, returnvalue, stacktrace, parent, ...record } = this.#record;
    return {
      ...record,
      data: JSON.stringify(data) ?? '{}',
      opts,
      progress,
      stacktrace: JSON.stringify(stacktrace),
      returnvalue: JSON.stringify(returnvalue),
      parent: parent === undefined ? undefined : JSON.stringify(parent),
    };
  }

  async #settle(end: Parameters<typeof decideOutcome>[1], token: string, command: string): Promise<void> {
    const outcome = decideOutcome(this.#record, end, { random: Math.random(), isDiscarded: this.#isDiscarded });
    if (outcome) await this.#move(outcome, token, command);
  }

  async #move(outcome: Outcome, token: string, command: string, at = this.#commands.now()): Promise<number> {
    return this.#check(await this.#commands.settle({ jobId: this.id, token, at, outcome }), command);
  }

  #check(status: number, command: string): number {
    if (status < 0) throw errorFromStatus(status, { jobId: this.id, command });
    return status;
  }

  protected ownToken(): string {
    if (this.token === undefined) throw new Error(`job ${this.id} is not locked here: give the token of its lock`);
    return this.token;
  }
}
