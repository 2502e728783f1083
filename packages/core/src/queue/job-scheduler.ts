import { EventEmitter } from 'eventemitter3';
import { Job, type JobSchedulerJson, type JobSchedulerTemplateOptions, type RepeatOptions } from '../job/index.js';
import { type QueueRef, queueRef } from '../keys/queue-keys.js';
import { type Check, checked, flag, InvalidOptionError, OncePrinter, type Shape } from '../kit/index.js';
import { leaseRuntime, type RuntimeLease } from '../runtime/registry.js';
import { JobStore, SchedulerStore } from '../store/index.js';
import { Tracing } from '../telemetry/tracing.js';
import { QUEUE_OPTIONS, type QueueOptions, resolveQueueOptions } from './queue-options.js';
import { Schedulers } from './schedulers.js';

/** BullMQ's options of a JobScheduler by name and meaning. */
export type JobSchedulerOptions = Pick<
  QueueOptions,
  'connection' | 'prefix' | 'settings' | 'skipVersionCheck' | 'skipWaitingForReady' | 'telemetry'
>;

/** How each option is checked; what is not in here is refused. */
export const JOB_SCHEDULER_OPTIONS: Shape<JobSchedulerOptions> = {
  connection: QUEUE_OPTIONS.connection,
  prefix: QUEUE_OPTIONS.prefix,
  settings: QUEUE_OPTIONS.settings,
  skipVersionCheck: QUEUE_OPTIONS.skipVersionCheck,
  skipWaitingForReady: QUEUE_OPTIONS.skipWaitingForReady,
  telemetry: QUEUE_OPTIONS.telemetry,
};

/** How an iteration is added. */
export interface UpsertMode {
  /** Must be true, which is the default: adding the iteration after one that has started is the business of workers. */
  readonly override?: boolean;
}

const onlyTrue: Check = (option, value) => {
  if (!flag(option, value)) throw new InvalidOptionError(option, value, 'true: workers add the iterations themselves');
};
export const UPSERT_MODE: Shape<UpsertMode> = { override: onlyTrue };
const unheard = new OncePrinter((line) => console.error(line));

/**
 * The job schedulers of a queue, apart from a `Queue`: BullMQ's class of that name. `Queue` has the same under shorter names, and applies
 * its `defaultJobOptions`, which this class has none of.
 */
export class JobScheduler extends EventEmitter<{ error: (error: Error) => void }> {
  readonly opts: JobSchedulerOptions;
  readonly #queue: QueueRef;
  readonly #lease: RuntimeLease;
  readonly #commands: JobStore;
  readonly #schedulers: Schedulers;
  #closing: Promise<void> | undefined;

  /** @throws InvalidOptionError */
  constructor(queueName: string, options: JobSchedulerOptions = {}) {
    super();
    const resolved = resolveQueueOptions(checked('', options, JOB_SCHEDULER_OPTIONS));
    const { connection, prefix, repeatStrategy, skipVersionCheck, telemetry } = resolved;
    this.opts = options;
    this.#queue = queueRef(queueName, prefix);
    this.#lease = leaseRuntime(connection, skipVersionCheck);
    const { connections, clock } = this.#lease.runtime;
    this.#commands = new JobStore(this.#queue, connections.scripts, clock);
    this.#schedulers = new Schedulers({
      queue: this.#queue,
      store: new SchedulerStore(connections.scripts),
      defaultJobOptions: {},
      strategy: repeatStrategy,
      tracing: telemetry && new Tracing(telemetry, queueName, (error) => this.#problem(error)),
      now: () => clock.now(),
      ready: () => connections.command.whenReady(),
    });
  }

  get name(): string {
    return this.#queue.name;
  }

  /** `<prefix>:<queue>`. */
  get qualifiedName(): string {
    return this.#queue.qualified;
  }

  toKey(type: string): string {
    return this.#queue.base + type;
  }

  waitUntilReady(): Promise<void> {
    return this.#lease.runtime.connections.command.whenReady();
  }

  /** See `Queue#upsertJobScheduler`. */
  async upsertJobScheduler<Data, Result, Name extends string>(
    id: string,
    repeat: RepeatOptions,
    name: Name,
    data: Data,
    opts: JobSchedulerTemplateOptions = {},
    mode: UpsertMode = {},
  ): Promise<Job<Data, Result, Name> | undefined> {
    checked('', mode, UPSERT_MODE);
    const record = await this.#schedulers.upsert(id, repeat, { name, data, opts });
    return record && new Job<Data, Result, Name>(this.#queue, record, this.#commands);
  }

  /** @returns 0, or 1 when there was none. */
  async removeJobScheduler(id: string): Promise<number> {
    return (await this.#schedulers.remove(id)) ? 0 : 1;
  }

  getScheduler(id: string): Promise<JobSchedulerJson | undefined> {
    return this.#schedulers.one(id);
  }

  /** Whether there is a scheduler of that id. Repeatable jobs of version 5 are none. */
  async isJobScheduler(id: string): Promise<boolean> {
    return (await this.#schedulers.one(id))?.iterationCount !== undefined;
  }

  getJobSchedulers(start = 0, end = -1, asc = false): Promise<JobSchedulerJson[]> {
    return this.#schedulers.list(start, end, asc);
  }

  getSchedulersCount(): Promise<number> {
    return this.#schedulers.count();
  }

  /** Gives the connection back; the last of its users closes it. */
  close(): Promise<void> {
    this.#closing ??= this.#lease.release();
    return this.#closing;
  }

  disconnect(): Promise<void> {
    return this.close();
  }

  #problem(error: Error): void {
    if (this.listenerCount('error') > 0) this.emit('error', error);
    else unheard.print(`[drover] job schedulers of ${this.name}: ${error.message}`);
  }
}
