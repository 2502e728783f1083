import { EventEmitter } from 'eventemitter3';
import { Job, type JobProgress, type JobRecord } from '../job/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import type { AdminStore, ChildrenStore, ClientStore, InspectStore, JobStore, PurgeStore } from '../store/index.js';
import type { SpanDetails, TracedSpan, Tracing } from '../telemetry/tracing.js';
import type { Schedulers } from './schedulers.js';

/** What a queue tells of what its own methods, and jobs read through it, did; events of all clients come from the event stream. */
// biome-ignore lint/suspicious/noExplicitAny: jobs of any queue
export interface QueueEventMap<AnyJob = Job<any, any, any>> {
  /** A job was added here. */
  waiting: (job: AnyJob) => void;
  progress: (jobId: string, progress: JobProgress) => void;
  removed: (jobId: string) => void;
  cleaned: (jobIds: string[], type: string) => void;
  paused: () => void;
  resumed: () => void;
  /** Without a listener, errors are printed once per message. */
  error: (error: Error) => void;
  /** The connection to Redis was lost. */
  'ioredis:close': () => void;
}

/** What the layers of a queue share. The stores wait for no connection themselves, so `ready` does. */
export interface QueueParts {
  readonly queue: QueueRef;
  readonly commands: JobStore;
  readonly inspect: InspectStore;
  readonly children: ChildrenStore;
  readonly clients: ClientStore;
  readonly admin: AdminStore;
  readonly purge: PurgeStore;
  /** Absent without telemetry. */
  readonly tracing: Tracing | undefined;
  readonly schedulers: Schedulers;
  /** Epoch ms. */
  now(): number;
  ready(): Promise<void>;
}

/** Names and keys of a queue, and its parts for the classes above it: status, view, admin, and the public Queue. */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export class QueueBase<Data = any, Result = any, Name extends string = string> extends EventEmitter<QueueEventMap> {
  readonly #parts: QueueParts;

  constructor(parts: QueueParts) {
    super();
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.queue.name;
  }

  /** `<prefix>:<queue>`. */
  get qualifiedName(): string {
    return this.#parts.queue.qualified;
  }

  toKey(type: string): string {
    return this.#parts.queue.base + type;
  }

  /** A job of this queue from its record. */
  jobOf(record: JobRecord): Job<Data, Result, Name> {
    return new Job<Data, Result, Name>(this.#parts.queue, record, this.#parts.commands);
  }

  /** Does `work` inside a span, if there is telemetry. @param details asked for only then. */
  protected async traced<T>(
    operation: string,
    work: (span: TracedSpan | undefined) => Promise<T>,
    details: () => SpanDetails = () => ({}),
  ): Promise<T> {
    const { tracing } = this.#parts;
    return tracing ? tracing.trace(operation, details(), work) : work(undefined);
  }

  /** Waits for Redis itself, after it has checked what it was given. */
  protected get schedulers(): Schedulers {
    return this.#parts.schedulers;
  }

  /** The parts, once Redis answers. @throws RedisUnreachableError when it does not within the connection's limit. */
  protected async ready(): Promise<QueueParts> {
    await this.#parts.ready();
    return this.#parts;
  }
}
