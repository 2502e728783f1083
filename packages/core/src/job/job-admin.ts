import { EngineError } from '../errors/index.js';
import { checked, flag, InvalidOptionError, integer, nonNegativeInt, type Shape } from '../kit/index.js';
import { MAX_PRIORITY } from './check-options.js';
import { delayOf } from './delay.js';
import { type JobProgress, JobView } from './job-view.js';

/** What `retry` forgets of a job's past. */
export interface RetryOptions {
  readonly resetAttemptsMade?: boolean;
  readonly resetAttemptsStarted?: boolean;
}

export interface PriorityChange {
  readonly priority?: number;
  readonly lifo?: boolean;
}

export interface RemoveOptions {
  readonly removeChildren?: boolean;
}

export const RETRY_OPTIONS: Shape<RetryOptions> = { resetAttemptsMade: flag, resetAttemptsStarted: flag };
export const REMOVE_OPTIONS: Shape<RemoveOptions> = { removeChildren: flag };
export const PRIORITY_CHANGE: Shape<PriorityChange> = {
  priority: (option, value) => integer(option, value, 0, MAX_PRIORITY),
  lifo: flag,
};

/** What operators change of a job. The view changes with Redis. Refusals are thrown as JobStatusError with BullMQ's code and message. */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export class JobAdmin<Data = any, Result = any, Name extends string = string> extends JobView<Data, Result, Name> {
  async updateData(data: Data): Promise<void> {
    this.check(await this.commands.updateData(this.id, JSON.stringify(data) ?? '{}'), 'updateData');
    this.applyUpdate({ data });
  }

  async updateProgress(progress: JobProgress): Promise<void> {
    this.applyUpdate({ progress });
    this.check(await this.commands.updateProgress(this.id, JSON.stringify(progress) ?? 'null'), 'updateProgress');
  }

  /** @returns the number of rows in the job's log. */
  async log(row: string): Promise<number> {
    return this.check(await this.commands.addLog(this.id, row, this.opts.keepLogs ?? 0), 'addLog');
  }

  /** @param keepLogs rows that stay, the newest ones. */
  async clearLogs(keepLogs = 0): Promise<void> {
    return this.commands.clearLogs(this.id, nonNegativeInt('keepLogs', keepLogs));
  }

  /** Makes a delayed job ready now. */
  async promote(): Promise<void> {
    this.check(await this.commands.promote(this.id), 'promote', 'delayed');
    this.applyUpdate({ delay: 0 });
  }

  /** Moves a delayed job to `delay` ms from now. */
  async changeDelay(delay: number): Promise<void> {
    const delayMs = delayOf('delay', delay);
    this.check(await this.commands.changeDelay(this.id, delayMs), 'changeDelay', 'delayed');
    this.applyUpdate({ delay: delayMs });
  }

  /** @param change `priority` 0 is none; `lifo`: in front of those of its priority instead of behind them. */
  async changePriority(change: PriorityChange): Promise<void> {
    const { priority = 0, lifo = false } = checked('', change, PRIORITY_CHANGE);
    this.check(await this.commands.changePriority(this.id, priority, lifo), 'changePriority');
    this.applyUpdate({ priority });
  }

  /** Lets a finished job run again; its parent waits for it again. */
  async retry(state: 'failed' | 'completed' = 'failed', options: RetryOptions = {}): Promise<void> {
    if (state !== 'failed' && state !== 'completed') throw new InvalidOptionError('state', state, '"failed" or "completed"');
    const { resetAttemptsMade = false, resetAttemptsStarted = false } = checked('', options, RETRY_OPTIONS);
    const past = { lifo: this.opts.lifo === true, resetAttemptsMade, resetAttemptsStarted };
    this.check(await this.commands.reprocess(this.id, state, past), 'reprocessJob', state);
    this.applyUpdate({
      finishedOn: undefined,
      processedOn: undefined,
      ...(state === 'failed' ? { failedReason: undefined } : { returnvalue: undefined }),
      ...(resetAttemptsMade ? { attemptsMade: 0 } : {}),
      ...(resetAttemptsStarted ? { attemptsStarted: 0 } : {}),
    });
  }

  /** Makes the job's deduplication id free for the next add. @returns whether this job still owned it. */
  async removeDeduplicationKey(): Promise<boolean> {
    const id = this.deduplicationId;
    return id !== undefined && (await this.commands.freeDeduplication(this.id, id)) === 1;
  }

  /** @throws EngineError JOB_LOCKED when a worker holds the job, or with `removeChildren` one of its children. */
  async remove(options: RemoveOptions = {}): Promise<void> {
    const { removeChildren = true } = checked('', options, REMOVE_OPTIONS);
    const removed = this.check(await this.commands.remove(this.id, removeChildren), 'removeJob');
    if (removed === 0) {
      throw new EngineError('JOB_LOCKED', `Job ${this.id} could not be removed because it is locked by another worker`);
    }
  }

  /** Removes the children this job waits for, with theirs; those that are being worked on or have failed stay. */
  async removeUnprocessedChildren(): Promise<void> {
    this.check(await this.commands.removePendingChildren(this.id), 'removeUnprocessedChildren');
  }

  /** Unlinks this job from its parent, which waits for it no more. @returns false when it did not wait for it. */
  async removeChildDependency(): Promise<boolean> {
    const { parentKey } = this;
    if (parentKey === undefined) return false;
    const status = this.check(await this.commands.removeChildDependency(this.id, parentKey), 'removeChildDependency');
    if (status === 1) return false;
    this.applyUpdate({ parentKey: undefined, parent: undefined });
    return true;
  }
}
