import { errorFromStatus } from '../errors/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import { checked, flag, nonNegativeInt, positiveInt, type Shape } from '../kit/index.js';
import {
  CHILD_KINDS,
  type ChildKind,
  type DependenciesRequest,
  type DependencyCountsRequest,
  type JobDependencies,
  type PageRequest,
  toDependencies,
  toValues,
} from './children.js';
import type { JobCommands } from './commands.js';
import { toPublicJson, toStoredJson } from './job-json.js';
import type { JobsOptions } from './job-options.js';
import type { JobRecord, ParentLink } from './job-record.js';
import type { JobState } from './job-state.js';
import { toPublicOptions } from './stored-options.js';

/** Progress as a processor reports it: anything that JSON can carry. */
export type JobProgress = number | string | boolean | object;

export const PAGE_REQUEST: Shape<PageRequest> = { cursor: nonNegativeInt, count: positiveInt };
const page = (option: string, value: unknown): PageRequest => checked(option, value, PAGE_REQUEST);
export const DEPENDENCIES_REQUEST: Shape<DependenciesRequest> = { processed: page, unprocessed: page, ignored: page, failed: page };
export const DEPENDENCY_COUNTS_REQUEST: Shape<DependencyCountsRequest> = {
  processed: flag,
  unprocessed: flag,
  ignored: flag,
  failed: flag,
};

/** The reading half of a job: its record with BullMQ's names, and what Redis knows of its state and its children. */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export class JobView<Data = any, Result = any, Name extends string = string> {
  protected readonly queue: QueueRef;
  protected readonly commands: JobCommands;
  protected currentRecord: JobRecord;
  #options: { readonly of: JobRecord['opts']; readonly value: JobsOptions } | undefined;

  constructor(queue: QueueRef, record: JobRecord, commands: JobCommands) {
    this.queue = queue;
    this.currentRecord = record;
    this.commands = commands;
  }

  get id(): string {
    return this.currentRecord.id;
  }
  get name(): Name {
    return this.currentRecord.name as Name;
  }
  get data(): Data {
    return this.currentRecord.data as Data;
  }
  get opts(): JobsOptions {
    const { opts } = this.currentRecord;
    if (this.#options?.of !== opts) this.#options = { of: opts, value: toPublicOptions(opts) };
    return this.#options.value;
  }
  get timestamp(): number {
    return this.currentRecord.timestamp;
  }
  get delay(): number {
    return this.currentRecord.delay;
  }
  get priority(): number {
    return this.currentRecord.priority;
  }
  get progress(): JobProgress {
    return this.currentRecord.progress as JobProgress;
  }
  get returnvalue(): Result {
    return this.currentRecord.returnvalue as Result;
  }
  /** Undefined instead of BullMQ's missing property. */
  get failedReason(): string | undefined {
    return this.currentRecord.failedReason;
  }
  get stacktrace(): readonly string[] {
    return this.currentRecord.stacktrace;
  }
  get processedOn(): number | undefined {
    return this.currentRecord.processedOn;
  }
  get finishedOn(): number | undefined {
    return this.currentRecord.finishedOn;
  }
  get processedBy(): string | undefined {
    return this.currentRecord.processedBy;
  }
  get attemptsMade(): number {
    return this.currentRecord.attemptsMade;
  }
  get attemptsStarted(): number {
    return this.currentRecord.attemptsStarted;
  }
  get stalledCounter(): number {
    return this.currentRecord.stalledCounter;
  }
  get deferredFailure(): string | undefined {
    return this.currentRecord.deferredFailure;
  }
  get parent(): ParentLink | undefined {
    return this.currentRecord.parent;
  }
  get parentKey(): string | undefined {
    return this.currentRecord.parentKey;
  }
  get deduplicationId(): string | undefined {
    return this.currentRecord.deduplicationId;
  }
  get repeatJobKey(): string | undefined {
    return this.currentRecord.repeatJobKey;
  }
  get queueName(): string {
    return this.queue.name;
  }
  get prefix(): string {
    return this.queue.prefix;
  }
  get queueQualifiedName(): string {
    return this.queue.qualified;
  }
  /** What the engine works with; applications use the properties. */
  get record(): JobRecord {
    return this.currentRecord;
  }

  /** Takes over what became of the job; for the worker that ran it. */
  applyUpdate(update: Partial<JobRecord>): void {
    this.currentRecord = { ...this.currentRecord, ...update };
  }

  getState(): Promise<JobState> {
    return this.commands.state(this.id);
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

  /** Values of finished children by their full key. */
  async getChildrenValues<Value = unknown>(): Promise<Record<string, Value>> {
    return toValues((await this.commands.children(this.id, 'processed')).entries) as Record<string, Value>;
  }

  /** Failures of children that did not fail this job, by their full key. */
  async getIgnoredChildrenFailures(): Promise<Record<string, string>> {
    const { entries } = await this.commands.children(this.id, 'ignored');
    return Object.fromEntries(entries.map(([key, text]) => [key, text ?? '']));
  }

  /** The former name of `getIgnoredChildrenFailures`. */
  getFailedChildrenValues(): Promise<Record<string, string>> {
    return this.getIgnoredChildrenFailures();
  }

  /** The job's children by what became of them: all of them, or pages of the kinds asked for. A next cursor of 0 means the last page. */
  async getDependencies(request: DependenciesRequest = {}): Promise<JobDependencies> {
    const kinds = kindsOf(checked('', request, DEPENDENCIES_REQUEST));
    const isPaged = kinds.length > 0;
    const pages = await Promise.all(
      (isPaged ? kinds : CHILD_KINDS).map(async (kind) => {
        if (!isPaged) return [kind, await this.commands.children(this.id, kind)] as const;
        const { cursor = 0, count = 20 } = request[kind] ?? {};
        return [kind, await this.commands.children(this.id, kind, { cursor, count })] as const;
      }),
    );
    return toDependencies(pages, isPaged);
  }

  /** How many children of each kind asked for there are; without any: of every kind. */
  async getDependenciesCount(request: DependencyCountsRequest = {}): Promise<Partial<Record<ChildKind, number>>> {
    const asked = kindsOf(checked('', request, DEPENDENCY_COUNTS_REQUEST)).filter((kind) => request[kind]);
    const counts = await this.commands.childCounts(this.id);
    return Object.fromEntries((asked.length > 0 ? asked : CHILD_KINDS).map((kind) => [kind, counts[kind]]));
  }

  /** The record with public names, as BullMQ prints it. */
  toJSON(): Record<string, unknown> {
    return toPublicJson(this.queue, this.currentRecord);
  }

  /** The record as texts, the way its hash has it. */
  asJSON(): Record<string, unknown> {
    return toStoredJson(this.currentRecord);
  }

  /** @throws JobStatusError for a negative status. @param state the state the job had to be in. */
  protected check(status: number, command: string, state?: string): number {
    if (status >= 0) return status;
    const { parentKey } = this.currentRecord;
    throw errorFromStatus(status, {
      jobId: this.id,
      command,
      ...(state === undefined ? {} : { state }),
      ...(parentKey === undefined ? {} : { parentKey }),
    });
  }
}

/** The kinds that a checked request names. */
function kindsOf(request: object): ChildKind[] {
  return CHILD_KINDS.filter((kind) => kind in request);
}
