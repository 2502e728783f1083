import type { Tracing } from '../telemetry/tracing.js';
import type { ChildKind, ChildPage, PageRequest } from './children.js';
import type { JobRecord } from './job-record.js';
import type { JobState } from './job-state.js';
import type { PendingOutcome } from './outcome.js';

export interface ReprocessOptions {
  readonly lifo: boolean;
  readonly resetAttemptsMade: boolean;
  readonly resetAttemptsStarted: boolean;
}

/** What a Job may ask of the store that holds its queue. Statuses are those of the data model, section 4.1: 0 or more is success. */
export interface JobCommands {
  /** Absent: no telemetry. */
  readonly tracing?: Tracing | undefined;
  read(jobId: string): Promise<JobRecord | undefined>;
  state(jobId: string): Promise<JobState>;
  /** @param data JSON text. */
  updateData(jobId: string, data: string): Promise<number>;
  /** @param progress JSON text. */
  updateProgress(jobId: string, progress: string): Promise<number>;
  /** @param keep rows that stay; 0: all. @returns rows kept, or a negative status. */
  addLog(jobId: string, row: string, keep: number): Promise<number>;
  /** @param keep rows that stay; 0: none. */
  clearLogs(jobId: string, keep: number): Promise<void>;
  /** 1 removed, 0 a lock is held, else a negative status. */
  remove(jobId: string, withChildren: boolean): Promise<number>;
  /** 1 if the job owned the deduplication id, which is free now, else 0. */
  freeDeduplication(jobId: string, deduplicationId: string): Promise<number>;
  /** Stores an outcome now, apart from any turn. 1: `wait-children` without children to wait for. */
  settle(outcome: PendingOutcome): Promise<number>;
  /** @returns whether the lock was still held with this token. */
  extendLock(jobId: string, token: string, lockMs: number): Promise<boolean>;
  promote(jobId: string): Promise<number>;
  /** @param delayMs from now. */
  changeDelay(jobId: string, delayMs: number): Promise<number>;
  changePriority(jobId: string, priority: number, lifo: boolean): Promise<number>;
  /** A finished job runs again. */
  reprocess(jobId: string, state: 'completed' | 'failed', past: ReprocessOptions): Promise<number>;
  removePendingChildren(jobId: string): Promise<number>;
  /** 0 unlinked, 1 the parent did not wait for it, else a negative status. */
  removeChildDependency(jobId: string, parentKey: string): Promise<number>;
  /** Children of one kind: a page of them, or all. */
  children(jobId: string, kind: ChildKind, page?: Required<PageRequest>): Promise<ChildPage>;
  childCounts(jobId: string): Promise<Readonly<Record<ChildKind, number>>>;
  /**
   * Adds the scheduler's iteration after the job, which has just started.
   * @param slot epoch ms; undefined: by the scheduler's interval.
   * @param metadata the trace it goes on with, unless its scheduler names one or none; undefined: that of the job.
   * @returns the id of the iteration; undefined: the schedule has gone on already, or is gone.
   */
  addNextIteration(jobId: string, scheduler: string, slot: number | undefined, metadata: string | undefined): Promise<string | undefined>;
  /** Epoch ms. */
  now(): number;
}
