import { EventEmitter } from 'node:events';
import { ConnectionClosedError, EngineError } from '../errors/index.js';
import { type QueueRef, queueRef } from '../keys/queue-keys.js';
import { type Deferred, deferred, messageOf, OncePrinter, toError } from '../kit/index.js';
import { leaseRuntime, type RuntimeLease } from '../runtime/registry.js';
import type { Runtime } from '../runtime/runtime.js';
import { decodeEvent, readEvent, type StreamEvent } from './decode-event.js';
import { type EventReaderLease, leaseEventReader } from './event-readers.js';
import type { EventSink, Subscription } from './event-stream.js';
import { OWN_EVENTS, type QueueEventsListener } from './queue-events-listener.js';
import { type QueueEventsOptions, type ResolvedQueueEventsOptions, resolveQueueEventsOptions } from './queue-events-options.js';

/** Errors that nobody listens to; an emitter would throw, and that must not end the process. */
const unheard = new OncePrinter((line) => console.error(line));

// biome-ignore lint/suspicious/noExplicitAny: any listener, to be called with what its event has
type AnyListener = (...args: any[]) => unknown;

/**
 * Tells what happens in a queue, whoever does it: every entry of its event stream, from `lastEventId` on, in order, with BullMQ's names
 * and payloads. It owns its listeners, and nothing that costs: all QueueEvents of a process that name the same Redis share one
 * connection and one waiting read (see `event-reader.ts`), and a lost connection loses and repeats nothing.
 *
 * Differences from BullMQ: what a listener throws, or rejects with, becomes an `error` event and stops neither the other listeners nor
 * the reading; a `returnvalue` or progress that is not JSON arrives as the text it is, with one `error` event for the first. As a
 * connection has one name, other clients see the listeners of a process under the name of one of their queues.
 */
export class QueueEvents extends EventEmitter {
  readonly name: string;
  readonly opts: QueueEventsOptions;
  readonly #queue: QueueRef;
  readonly #options: ResolvedQueueEventsOptions;
  readonly #lease: RuntimeLease | undefined;
  readonly #runtime: Runtime;
  readonly #placed: Deferred<void> = deferred();
  readonly #ended: Deferred<void> = deferred();
  readonly #onClose = new Set<() => void>();
  readonly #undecodable = new Set<string>();
  #readerLease: EventReaderLease | undefined;
  #subscription: Subscription | undefined;
  #closing: Promise<void> | undefined;

  /** @throws InvalidOptionError */
  constructor(name: string, options: QueueEventsOptions = {}) {
    super();
    this.setMaxListeners(0);
    this.#options = resolveQueueEventsOptions(options);
    this.#queue = queueRef(name, this.#options.prefix);
    this.name = name;
    this.opts = options;
    this.#lease = this.#options.runtime ? undefined : leaseRuntime(this.#options.connection, this.#options.skipVersionCheck);
    this.#runtime = this.#options.runtime ?? (this.#lease as RuntimeLease).runtime;
    this.#placed.promise.catch(() => undefined); // whoever waits has the error
    if (this.#options.isAutorun) void this.run(); // cannot fail here
  }

  /** `<prefix>:<queue>`. */
  get qualifiedName(): string {
    return this.#queue.qualified;
  }

  isRunning(): boolean {
    return this.#subscription !== undefined && this.#closing === undefined;
  }

  /** Starts to listen. Resolves when it has closed. @throws when it runs already, or was closed. */
  async run(): Promise<void> {
    if (this.#closing) throw this.#closedError();
    if (this.#subscription) throw new EngineError('ALREADY_RUNNING', `the queue events of ${this.name} run already`);
    this.#readerLease = leaseEventReader(this.#runtime);
    this.#subscription = this.#readerLease.reader.subscribe(this.#queue, this.#options.lastEventId, this.#sink());
    await this.#ended.promise;
  }

  /**
   * Resolves when no event that is written from now on will be missed; before `run`, when Redis answers.
   * @throws ConnectionClosedError when it closes before.
   */
  async waitUntilReady(): Promise<void> {
    if (this.#closing) throw this.#closedError();
    if (this.#subscription) await this.#placed.promise;
    else await this.#runtime.connections.command.whenReady();
  }

  /** Calls back when this is about to close: no event comes after. @returns a function that takes the callback away. */
  onClose(callback: () => void): () => void {
    this.#onClose.add(callback);
    return () => void this.#onClose.delete(callback);
  }

  /** Ends the listening at once: events that were read already are not told any more. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  override on<L extends QueueEventsListener = QueueEventsListener, E extends keyof L = keyof L>(event: E, listener: L[E]): this {
    return super.on(event as string, listener as AnyListener);
  }

  override once<L extends QueueEventsListener = QueueEventsListener, E extends keyof L = keyof L>(event: E, listener: L[E]): this {
    return super.once(event as string, listener as AnyListener);
  }

  override off<L extends QueueEventsListener = QueueEventsListener, E extends keyof L = keyof L>(event: E, listener: L[E]): this {
    return super.off(event as string, listener as AnyListener);
  }

  async #close(): Promise<void> {
    if (this.#subscription) this.#readerLease?.reader.unsubscribe(this.#subscription);
    this.#placed.reject(this.#closedError());
    for (const callback of [...this.#onClose]) callback();
    this.#onClose.clear();
    await this.#readerLease?.release();
    await this.#lease?.release();
    this.#ended.resolve();
  }

  #closedError(): ConnectionClosedError {
    return new ConnectionClosedError(this.#runtime.connections.command.address);
  }

  #sink(): EventSink {
    return {
      blockMs: this.#options.blockMs,
      entry: (id, fields) => {
        const event = readEvent(fields);
        if (event) this.#deliver(event, id);
      },
      placed: () => this.#placed.resolve(),
      problem: (error) => this.#problem(error),
      offline: () => this.#tell('ioredis:close', []),
      ended: (error) => {
        this.#placed.reject(error);
        this.#problem(error);
        this.close().catch((cause: unknown) => this.#problem(toError(cause)));
      },
    };
  }

  #deliver(event: StreamEvent, id: string): void {
    const { name, jobId } = event;
    if (OWN_EVENTS.has(name)) {
      this.#reportOnce(name, `the entry ${id} is named "${name}", which is not a name for events of a queue: it is not told`);
      return;
    }
    const names = jobId === undefined ? [name] : [name, `${name}:${jobId}`];
    if (names.every((each) => this.listenerCount(each) === 0)) return;
    const { payload, undecodable } = decodeEvent(event);
    if (undecodable) {
      const what = `the ${undecodable.field} of job ${jobId} in the event ${name} is not JSON and is passed on as text`;
      this.#reportOnce(name, `${what} (${undecodable.reason})`);
    }
    for (const each of names) this.#tell(each, name === 'drained' ? [id] : [payload, id]);
  }

  /** What is wrong with one entry is wrong with thousands: the first of a kind stands for them. */
  #reportOnce(kind: string, message: string): void {
    if (this.#undecodable.has(kind)) return;
    this.#undecodable.add(kind);
    this.#problem(new EngineError('UNDECODABLE_EVENT', `queue ${this.name}: ${message}; further ones are not reported`));
  }

  #problem(error: Error): void {
    if (this.listenerCount('error') === 0) unheard.print(`[drover] events of ${this.name}: ${error.message}`);
    else this.#tell('error', [error]);
  }

  /** Listeners are the application's: each is called on its own, and what it throws is an error of its own. */
  #tell(event: string, args: readonly unknown[]): void {
    for (const listener of this.rawListeners(event)) {
      try {
        const result: unknown = (listener as AnyListener).apply(this, [...args]);
        if (result instanceof Promise) result.catch((error: unknown) => this.#listenerFailed(event, error));
      } catch (error) {
        this.#listenerFailed(event, error);
      }
    }
  }

  #listenerFailed(event: string, thrown: unknown): void {
    if (event === 'error') unheard.print(`[drover] error listener of the events of ${this.name}: ${messageOf(thrown)}`);
    else this.#problem(toError(thrown));
  }
}
