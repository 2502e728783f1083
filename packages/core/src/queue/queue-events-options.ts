import { anObject, checked, flag, InvalidOptionError, type Shape, text, timerMs } from '../kit/index.js';
import { type ConnectionInput, checkConnection } from '../redis/index.js';
import { Runtime } from '../runtime/runtime.js';
import { streamPosition } from './stream-position.js';

/** BullMQ's options of QueueEventsProducer by name and meaning, with `runtime` added. */
export interface QueueEventsProducerOptions {
  /** Where Redis is: URL, ioredis options or a client. Not needed with `runtime`. */
  readonly connection?: ConnectionInput;
  readonly prefix?: string;
  /** The runtime whose connections are used; by default the one of this process for `connection`. */
  readonly runtime?: Runtime;
  /** Takes any server, also one older than Redis 6.2; with `runtime`, it is the runtime that says. Default false. */
  readonly skipVersionCheck?: boolean;
  /** Accepted for compatibility, without effect. */
  readonly skipWaitingForReady?: boolean;
  /** Accepted for compatibility, without effect. */
  readonly telemetry?: unknown;
}

/** BullMQ's QueueEventsOptions by name and meaning, with `runtime` added. */
export interface QueueEventsOptions extends QueueEventsProducerOptions {
  /** Start at once. Default true. */
  readonly autorun?: boolean;
  /** The last event not wanted: its id in the stream, `0` for all there are, or `$` for those to come. Default `$`. */
  readonly lastEventId?: string;
  /** How long one read may wait, ms, 1 or more; all listeners of a Redis share the read and the shortest of their times. Default 10,000. */
  readonly blockingTimeout?: number;
}

export interface ResolvedTarget {
  readonly connection: ConnectionInput;
  readonly runtime: Runtime | undefined;
  readonly prefix: string;
  readonly skipVersionCheck: boolean;
}

export interface ResolvedQueueEventsOptions extends ResolvedTarget {
  readonly isAutorun: boolean;
  readonly lastEventId: string;
  readonly blockMs: number;
}

const LOCAL = Object.freeze({ host: '127.0.0.1', port: 6379 });

/** How each option is checked; what is not in here is refused. */
export const PRODUCER_OPTIONS: Shape<QueueEventsProducerOptions> = {
  connection: checkConnection,
  prefix: text,
  runtime: checkRuntime,
  skipVersionCheck: flag,
  skipWaitingForReady: flag,
  telemetry: anObject,
};
export const QUEUE_EVENTS_OPTIONS: Shape<QueueEventsOptions> = {
  ...PRODUCER_OPTIONS,
  autorun: flag,
  lastEventId: streamPosition,
  blockingTimeout: timerMs,
};

/** @throws InvalidOptionError */
export function resolveProducerOptions(input: QueueEventsProducerOptions): ResolvedTarget {
  return Object.freeze(target(checked('', input, PRODUCER_OPTIONS)));
}

/** @throws InvalidOptionError */
export function resolveQueueEventsOptions(input: QueueEventsOptions): ResolvedQueueEventsOptions {
  const { autorun = true, lastEventId = '$', blockingTimeout = 10_000, ...rest } = checked('', input, QUEUE_EVENTS_OPTIONS);
  return Object.freeze({
    ...target(rest),
    isAutorun: autorun,
    lastEventId: streamPosition('lastEventId', lastEventId),
    blockMs: blockingTimeout,
  });
}

function target({ connection, runtime, prefix = 'bull', skipVersionCheck = false }: QueueEventsProducerOptions): ResolvedTarget {
  if (runtime && connection) throw new InvalidOptionError('connection', connection, 'absent when `runtime` is given');
  return { connection: connection ?? LOCAL, runtime, prefix, skipVersionCheck };
}

function checkRuntime(option: string, value: unknown): void {
  if (!(value instanceof Runtime)) throw new InvalidOptionError(option, value, 'a Runtime');
}
