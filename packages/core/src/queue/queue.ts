import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { addedRecord, type Job, type JobsOptions, type NewJob, newJob } from '../job/index.js';
import { type QueueRef, queueRef } from '../keys/queue-keys.js';
import { anArray, anObject, type Check, checked, OncePrinter, type Shape, toError } from '../kit/index.js';
import { leaseRuntime, type RuntimeLease } from '../runtime/registry.js';
import { AdminStore, ChildrenStore, ClientStore, InspectStore, ProducerStore, PurgeStore, SchedulerStore } from '../store/index.js';
import { Tracing } from '../telemetry/tracing.js';
import { JobScheduler } from './job-scheduler.js';
import { type QueueOptions, type ResolvedQueueOptions, resolveQueueOptions } from './queue-options.js';
import { QueueSchedulers } from './queue-schedulers.js';
import { Schedulers } from './schedulers.js';
import { type JobTold, TellingStore } from './telling-store.js';
import { tracedAdd, tracedAddBulk } from './traced-adds.js';
import { warnOfEviction } from './warn-of-eviction.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string };
/** The version of BullMQ whose interface is offered. */
const BULLMQ_VERSION = '6.7.0';
const unheard = new OncePrinter((line) => console.error(line));

/** A job to be added, as `addBulk` takes it. */
export interface BulkJob<Data, Name extends string> {
  readonly name: Name;
  readonly data: Data;
  readonly opts?: JobsOptions;
}

const unchecked: Check = () => undefined; // `newJob` looks at them
export const BULK_JOB: Shape<BulkJob<unknown, string>> = { name: unchecked, data: unchecked, opts: anObject };

/**
 * A queue, with BullMQ's names: adds jobs, and asks and tells what concerns all of its workers. Queues of a process that name the same
 * Redis share one connection, with its workers too; adds of one event-loop turn leave together.
 */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export class Queue<Data = any, Result = any, Name extends string = string> extends QueueSchedulers<Data, Result, Name> {
  readonly opts: QueueOptions;
  readonly #queue: QueueRef;
  readonly #options: ResolvedQueueOptions;
  readonly #lease: RuntimeLease;
  readonly #tracing: Tracing | undefined;
  readonly #producer: ProducerStore;
  readonly #metaWritten: Promise<void>;
  readonly #detach: () => void;
  #jobScheduler: JobScheduler | undefined;
  #closing: Promise<void> | undefined;

  /** @throws InvalidOptionError */
  constructor(name: string, options: QueueOptions = {}) {
    const resolved = resolveQueueOptions(options);
    const queue = queueRef(name, resolved.prefix);
    const lease = leaseRuntime(resolved.connection, resolved.skipVersionCheck);
    const { command, scripts } = lease.runtime.connections;
    const { clock } = lease.runtime;
    const { telemetry } = resolved;
    const tracing = telemetry && new Tracing(telemetry, name, (error) => this.#problem(error));
    const told: JobTold = {
      progress: (jobId, progress) => void this.emit('progress', jobId, progress),
      removed: (jobId) => void this.emit('removed', jobId),
    };
    const commands = new TellingStore(queue, scripts, clock, told, tracing);
    super({
      queue,
      commands,
      inspect: new InspectStore(scripts),
      children: new ChildrenStore(scripts),
      clients: new ClientStore(command),
      admin: new AdminStore(scripts),
      purge: new PurgeStore(scripts),
      tracing,
      schedulers: new Schedulers({
        queue,
        store: new SchedulerStore(scripts),
        defaultJobOptions: resolved.defaultJobOptions,
        strategy: resolved.repeatStrategy,
        tracing,
        now: () => clock.now(),
        ready: () => command.whenReady(),
      }),
      now: () => clock.now(),
      ready: () => command.whenReady(),
    });
    this.opts = options;
    this.#queue = queue;
    this.#options = resolved;
    this.#lease = lease;
    this.#tracing = tracing;
    this.#producer = new ProducerStore(scripts);
    this.#detach = this.#listen();
    this.#metaWritten = this.#writeMeta();
  }

  get defaultJobOptions(): JobsOptions {
    return this.#options.defaultJobOptions;
  }

  /** Resolves when Redis answers. @throws RedisUnreachableError when it does not within the connection's limit. */
  async waitUntilReady(): Promise<void> {
    await this.ready();
    await this.#metaWritten;
  }

  /** @throws InvalidOptionError before anything is sent; ConnectionLostError when the answer got lost: the job may have been added. */
  add(name: Name, data: Data, opts: JobsOptions = {}): Promise<Job<Data, Result, Name>> {
    const tracing = this.#tracing;
    if (!tracing) return this.#add(name, data, opts);
    const add = (options: JobsOptions) => this.#add(name, data, options);
    return tracedAdd(tracing, this.name, name, opts, add);
  }

  async #add(name: Name, data: Data, opts: JobsOptions): Promise<Job<Data, Result, Name>> {
    const job = this.#newJob(name, data, opts);
    return this.#added(job, data, await this.#lease.adds.add(this.#queue, job));
  }

  /**
   * Adds many jobs, 500 a call, in their order.
   * @throws the error of the first job that was refused; the others were added all the same.
   */
  async addBulk(jobs: readonly BulkJob<Data, Name>[]): Promise<Job<Data, Result, Name>[]> {
    for (const [at, job] of anArray('jobs', jobs).entries()) checked(`jobs[${at}]`, job, BULK_JOB);
    const tracing = this.#tracing;
    if (!tracing) return this.#addBulk(jobs);
    return tracedAddBulk(tracing, jobs, (carrying) => this.#addBulk(carrying));
  }

  async #addBulk(jobs: readonly BulkJob<Data, Name>[]): Promise<Job<Data, Result, Name>[]> {
    const fresh = jobs.map(({ name, data, opts }) => this.#newJob(name, data, opts ?? {}));
    const ids = await this.#producer.add({ queue: this.#queue, jobs: fresh, now: this.#now() });
    const refused = ids.find((id) => id instanceof Error);
    if (refused) throw refused;
    return fresh.map((job, at) => this.#added(job, (jobs[at] as BulkJob<Data, Name>).data, ids[at] as string));
  }

  /** What tools that serve BullMQ's queues tell them by: the interface this class has. Redis has our own name and version. */
  get metaValues(): Readonly<Record<string, string | number>> {
    return { 'opts.maxLenEvents': this.#options.maxEvents, version: `bullmq:${BULLMQ_VERSION}` };
  }

  /** The schedulers of this queue behind the interface that BullMQ's own class has; it is closed with the queue. */
  get jobScheduler(): Promise<JobScheduler> {
    const { connection, prefix, skipVersionCheck, repeatStrategy, telemetry } = this.#options;
    const more = { ...(repeatStrategy ? { settings: { repeatStrategy } } : {}), ...(telemetry ? { telemetry } : {}) };
    this.#jobScheduler ??= new JobScheduler(this.name, { connection, prefix, skipVersionCheck, ...more });
    return Promise.resolve(this.#jobScheduler);
  }

  /** The Redis client below, for tools that look at the server; it is shared with all queues and workers of this process. */
  get client(): Promise<Redis> {
    return this.#lease.runtime.connections.command.client();
  }

  /** Gives the connection back; the last of its users closes it. */
  close(): Promise<void> {
    this.#closing ??= this.traced('close', () => this.#close());
    return this.#closing;
  }

  disconnect(): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (this.#lease.runtime.connections.command.isReady) await this.#metaWritten;
    this.#detach();
    await this.#jobScheduler?.close();
    await this.#lease.release();
  }

  #now(): number {
    return this.#lease.runtime.clock.now();
  }

  #newJob(name: Name, data: Data, opts: JobsOptions): NewJob {
    return newJob(name, data, opts, this.#options.defaultJobOptions, this.#now());
  }

  #added(job: NewJob, data: Data, id: string): Job<Data, Result, Name> {
    const added = this.jobOf(addedRecord(job, data, id));
    this.emit('waiting', added);
    return added;
  }

  async #writeMeta(): Promise<void> {
    if (!this.#options.isMetaWritten) return;
    try {
      const { command } = this.#lease.runtime.connections;
      await this.#producer.writeMeta(this.#queue, this.#options.maxEvents, `drover:${version}`);
      await warnOfEviction(command);
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
