import { readFileSync } from 'node:fs';
import { errorFromStatus } from '../errors/index.js';
import { Job, type JobRecord, type JobsOptions, type NewJob, newJob } from '../job/index.js';
import { type QueueRef, queueRef } from '../keys/queue-keys.js';
import { OncePrinter, positiveInt, toError } from '../kit/index.js';
import { leaseRuntime, type RuntimeLease } from '../runtime/registry.js';
import { AdminStore, InspectStore, JobStore, ProducerStore } from '../store/index.js';
import { type QueueOptions, type ResolvedQueueOptions, resolveQueueOptions } from './queue-options.js';
import { QueueView } from './queue-view.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string };
const unheard = new OncePrinter((line) => console.error(line));

/** A job to be added, as `addBulk` takes it. */
export interface BulkJob<Data, Name extends string> {
  readonly name: Name;
  readonly data: Data;
  readonly opts?: JobsOptions;
}

/**
 * A queue, with BullMQ's names: adds jobs, and asks and tells what concerns all of its workers. Queues of a process that name the same
 * Redis share one connection, with its workers too; adds of one event-loop turn leave together.
 */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export class Queue<Data = any, Result = any, Name extends string = string> extends QueueView<Data, Result, Name> {
  readonly opts: QueueOptions;
  readonly #queue: QueueRef;
  readonly #options: ResolvedQueueOptions;
  readonly #lease: RuntimeLease;
  readonly #producer: ProducerStore;
  readonly #admin: AdminStore;
  readonly #commands: JobStore;
  readonly #metaWritten: Promise<void>;
  readonly #detach: () => void;
  #closing: Promise<void> | undefined;

  /** @throws InvalidOptionError */
  constructor(name: string, options: QueueOptions = {}) {
    const resolved = resolveQueueOptions(options);
    const queue = queueRef(name, resolved.prefix);
    const lease = leaseRuntime(resolved.connection);
    const { command, scripts } = lease.runtime.connections;
    const commands = new JobStore(queue, scripts, lease.runtime.clock);
    super({ queue, inspect: new InspectStore(scripts), commands, ready: () => command.whenReady() });
    this.opts = options;
    this.#queue = queue;
    this.#options = resolved;
    this.#lease = lease;
    this.#producer = new ProducerStore(scripts);
    this.#admin = new AdminStore(scripts);
    this.#commands = commands;
    this.#detach = this.#listen();
    this.#metaWritten = this.#writeMeta();
  }

  get defaultJobOptions(): JobsOptions {
    return this.#options.defaultJobOptions;
  }

  /** Resolves when Redis answers. @throws RedisUnreachableError when it does not within the connection's limit. */
  async waitUntilReady(): Promise<void> {
    await this.#ready();
    await this.#metaWritten;
  }

  /** @throws InvalidOptionError before anything is sent; ConnectionLostError when the answer got lost: the job may have been added. */
  async add(name: Name, data: Data, opts: JobsOptions = {}): Promise<Job<Data, Result, Name>> {
    const job = this.#newJob(name, data, opts);
    return this.#added(job, data, await this.#lease.adds.add(this.#queue, job));
  }

  /**
   * Adds many jobs, 500 a call, in their order.
   * @throws the error of the first job that was refused; the others were added all the same.
   */
  async addBulk(jobs: readonly BulkJob<Data, Name>[]): Promise<Job<Data, Result, Name>[]> {
    const fresh = jobs.map(({ name, data, opts = {} }) => this.#newJob(name, data, opts));
    const ids = await this.#producer.add({ queue: this.#queue, jobs: fresh, now: this.#now() });
    const refused = ids.find((id) => id instanceof Error);
    if (refused) throw refused;
    return fresh.map((job, at) => this.#added(job, (jobs[at] as BulkJob<Data, Name>).data, ids[at] as string));
  }

  /** Stops the queue for all workers of all clients; jobs in hand go on. */
  async pause(): Promise<void> {
    await this.#ready();
    await this.#admin.pause(this.#queue);
    this.emit('paused');
  }

  async resume(): Promise<void> {
    await this.#ready();
    await this.#admin.resume(this.#queue);
    this.emit('resumed');
  }

  /**
   * Removes a job, and its children unless told otherwise.
   * @returns 1 removed; 0 a worker holds it, or one of the children.
   * @throws JobStatusError for the next iteration of a job scheduler.
   */
  async remove(jobId: string, { removeChildren = true }: { readonly removeChildren?: boolean } = {}): Promise<number> {
    await this.#ready();
    const status = await this.#admin.remove(this.#queue, jobId, removeChildren);
    if (status < 0) throw errorFromStatus(status, { jobId, command: 'removeJob' });
    if (status === 1) this.emit('removed', jobId);
    return status;
  }

  /** Caps the active jobs of all workers together. */
  async setGlobalConcurrency(concurrency: number): Promise<void> {
    await this.#ready();
    await this.#admin.setGlobalConcurrency(this.#queue, positiveInt('concurrency', concurrency));
  }

  async removeGlobalConcurrency(): Promise<void> {
    await this.#ready();
    await this.#admin.setGlobalConcurrency(this.#queue, undefined);
  }

  /** At most `max` starts per `duration` ms, of all workers together. */
  async setGlobalRateLimit(max: number, duration: number): Promise<void> {
    await this.#ready();
    const limit = { max: positiveInt('max', max), durationMs: positiveInt('duration', duration) };
    await this.#admin.setGlobalRateLimit(this.#queue, limit);
  }

  async removeGlobalRateLimit(): Promise<void> {
    await this.#ready();
    await this.#admin.setGlobalRateLimit(this.#queue, undefined);
  }

  /** No job starts for `ms`, on workers that have a rate limit. */
  async rateLimit(ms: number): Promise<void> {
    await this.#ready();
    await this.#admin.rateLimit(this.#queue, positiveInt('expireTimeMs', ms));
  }

  async removeRateLimitKey(): Promise<void> {
    await this.#ready();
    await this.#admin.rateLimit(this.#queue, undefined);
  }

  /** Makes a deduplication id free for the next add, whichever job owns it. @returns 1 freed, 0 nobody owned it. */
  async removeDeduplicationKey(deduplicationId: string): Promise<number> {
    await this.#ready();
    return this.#admin.freeDeduplication(this.#queue, deduplicationId);
  }

  /** @deprecated the old name of `removeDeduplicationKey`. */
  removeDebounceKey(deduplicationId: string): Promise<number> {
    return this.removeDeduplicationKey(deduplicationId);
  }

  /** Gives the connection back; the last of its users closes it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  disconnect(): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (this.#lease.runtime.connections.command.isReady) await this.#metaWritten;
    this.#detach();
    await this.#lease.release();
  }

  #ready(): Promise<void> {
    return this.#lease.runtime.connections.command.whenReady();
  }

  #now(): number {
    return this.#lease.runtime.clock.now();
  }

  #newJob(name: Name, data: Data, opts: JobsOptions): NewJob {
    return newJob(name, data, opts, this.#options.defaultJobOptions, this.#now());
  }

  #added(job: NewJob, data: Data, id: string): Job<Data, Result, Name> {
    const added = new Job<Data, Result, Name>(this.#queue, recordOf(job, data, id), this.#commands);
    this.emit('waiting', added);
    return added;
  }

  async #writeMeta(): Promise<void> {
    if (!this.#options.isMetaWritten) return;
    try {
      await this.#producer.writeMeta(this.#queue, this.#options.maxEvents, `drover:${version}`);
    } catch (error) {
      if (!this.#closing) this.#problem(toError(error));
    }
  }

  #listen(): () => void {
    const { connections } = this.#lease.runtime;
    const offline = (): void => void this.emit('ioredis:close');
    const failed = (error: Error): void => this.#problem(error);
    connections.on('offline', offline).on('error', failed);
    return () => void connections.off('offline', offline).off('error', failed);
  }

  #problem(error: Error): void {
    if (this.listenerCount('error') > 0) this.emit('error', error);
    else unheard.print(`[drover] queue ${this.name}: ${error.message}`);
  }
}

/** What Redis has of a job that was just added. */
function recordOf(job: NewJob, data: unknown, id: string): JobRecord {
  const parent = job.parent && (JSON.parse(job.parent.json) as { id: string; queueKey: string });
  return {
    id,
    name: job.name,
    data: data === undefined ? {} : data,
    opts: job.opts,
    timestamp: job.timestamp,
    delay: job.delay,
    priority: job.priority,
    attemptsMade: 0,
    attemptsStarted: 0,
    stalledCounter: 0,
    processedOn: undefined,
    processedBy: undefined,
    finishedOn: undefined,
    progress: 0,
    returnvalue: undefined,
    failedReason: undefined,
    stacktrace: [],
    parentKey: job.parent?.key,
    parent: parent && { id: parent.id, queueKey: parent.queueKey },
    repeatJobKey: undefined,
    deduplicationId: job.deduplication?.id,
    deferredFailure: undefined,
  };
}
