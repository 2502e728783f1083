import { type QueueRef, queueKeys, queueRef } from '../keys/queue-keys.js';
import { InvalidOptionError, nonNegativeInt } from '../kit/index.js';
import { leaseRuntime, type RuntimeLease } from '../runtime/registry.js';
import type { Runtime } from '../runtime/runtime.js';
import { OWN_EVENTS } from './queue-events-listener.js';
import { type QueueEventsProducerOptions, resolveProducerOptions } from './queue-events-options.js';

/** What a field of an event may hold; listeners are handed texts. A field that is undefined is left out. */
export type EventField = string | number | boolean | undefined;

/** An event of the application's own. */
export interface CustomEvent {
  readonly eventName: string;
  readonly [field: string]: EventField;
}

/** Writes events of the application's own to the stream of a queue, for its QueueEvents. */
export class QueueEventsProducer {
  readonly name: string;
  readonly opts: QueueEventsProducerOptions;
  readonly #queue: QueueRef;
  readonly #lease: RuntimeLease | undefined;
  readonly #runtime: Runtime;
  #closing: Promise<void> | undefined;

  /** @throws InvalidOptionError */
  constructor(name: string, options: QueueEventsProducerOptions = {}) {
    const { prefix, connection, runtime, skipVersionCheck } = resolveProducerOptions(options);
    this.#queue = queueRef(name, prefix);
    this.name = name;
    this.opts = options;
    this.#lease = runtime ? undefined : leaseRuntime(connection, skipVersionCheck);
    this.#runtime = runtime ?? (this.#lease as RuntimeLease).runtime;
  }

  /** `<prefix>:<queue>`. */
  get qualifiedName(): string {
    return this.#queue.qualified;
  }

  waitUntilReady(): Promise<void> {
    return this.#runtime.connections.command.whenReady();
  }

  /**
   * @param event `eventName` and any fields.
   * @param maxEvents about how many entries, of all events of the queue, stay in the stream.
   * @throws InvalidOptionError before anything is sent; ConnectionLostError when the answer got lost: the event may have been written.
   */
  async publishEvent<Event extends CustomEvent>(event: Event, maxEvents = 1_000): Promise<void> {
    const fields = fieldsOf(event);
    const limit = nonNegativeInt('maxEvents', maxEvents);
    const { command } = this.#runtime.connections;
    await command.whenReady();
    await command.send('xadd', [queueKeys(this.#queue).events, 'MAXLEN', '~', limit, '*', ...fields]);
  }

  /** Gives the connection back; the last of its users closes it. */
  close(): Promise<void> {
    this.#closing ??= this.#lease?.release() ?? Promise.resolve();
    return this.#closing;
  }
}

/** The flat field list of an entry, its name first. */
function fieldsOf({ eventName, ...rest }: CustomEvent): string[] {
  if (typeof eventName !== 'string' || eventName === '') throw new InvalidOptionError('eventName', eventName, 'a text');
  if (OWN_EVENTS.has(eventName))
    throw new InvalidOptionError('eventName', eventName, 'another name: this one is told by QueueEvents itself');
  const flat = ['event', eventName];
  for (const [field, value] of Object.entries(rest)) {
    if (field === 'event') throw new InvalidOptionError(field, value, 'absent: the name of the event is given as `eventName`');
    if (value === undefined) continue;
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw new InvalidOptionError(field, value, 'a text, a number or a boolean');
    }
    flat.push(field, String(value));
  }
  return flat;
}
