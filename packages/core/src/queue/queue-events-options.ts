import { InvalidOptionError, positiveInt, refuseUnknown } from '../kit/index.js';
import type { ConnectionInput } from '../redis/index.js';
import { Runtime } from '../runtime/runtime.js';
import { streamPosition } from './stream-position.js';

/** BullMQ's options of QueueEventsProducer by name and meaning, with `runtime` added. */
export interface QueueEventsProducerOptions {
  /** Where Redis is: URL, ioredis options or a client. Not needed with `runtime`. */
  readonly connection?: ConnectionInput;
  readonly prefix?: string;
  /** The runtime whose connections are used; by default the one of this process for `connection`. */
  readonly runtime?: Runtime;
  /** Accepted for compatibility, without effect. */
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
}

export interface ResolvedQueueEventsOptions extends ResolvedTarget {
  readonly isAutorun: boolean;
  readonly lastEventId: string;
  readonly blockMs: number;
}

const LOCAL = Object.freeze({ host: '127.0.0.1', port: 6379 });
const OF_PRODUCER = ['connection', 'prefix', 'runtime', 'skipVersionCheck', 'skipWaitingForReady', 'telemetry'] as const;
const KNOWN_TO_PRODUCER: ReadonlySet<string> = new Set<keyof QueueEventsProducerOptions>(OF_PRODUCER);
const KNOWN: ReadonlySet<string> = new Set<keyof QueueEventsOptions>([...OF_PRODUCER, 'autorun', 'lastEventId', 'blockingTimeout']);

/** @throws InvalidOptionError */
export function resolveProducerOptions(input: QueueEventsProducerOptions): ResolvedTarget {
  return Object.freeze(target(input, KNOWN_TO_PRODUCER));
}

/** @throws InvalidOptionError */
export function resolveQueueEventsOptions(input: QueueEventsOptions): ResolvedQueueEventsOptions {
  return Object.freeze({
    ...target(input, KNOWN),
    isAutorun: flag('autorun', input.autorun ?? true),
    lastEventId: streamPosition('lastEventId', input.lastEventId ?? '$'),
    blockMs: positiveInt('blockingTimeout', input.blockingTimeout ?? 10_000, 2 ** 31 - 1),
  });
}

function target(input: QueueEventsProducerOptions, known: ReadonlySet<string>): ResolvedTarget {
  if (typeof input !== 'object' || input === null) throw new InvalidOptionError('options', input, 'an object');
  refuseUnknown('', input, known);
  const { connection, runtime, prefix = 'bull', skipVersionCheck = false, skipWaitingForReady = false } = input;
  if (typeof prefix !== 'string' || prefix === '') throw new InvalidOptionError('prefix', prefix, 'a text');
  if (connection !== undefined && typeof connection !== 'string' && (typeof connection !== 'object' || connection === null)) {
    throw new InvalidOptionError('connection', connection, 'a URL, ioredis options or an ioredis client');
  }
  if (runtime !== undefined && !(runtime instanceof Runtime)) throw new InvalidOptionError('runtime', runtime, 'a Runtime');
  if (runtime && connection) throw new InvalidOptionError('connection', connection, 'absent when `runtime` is given');
  flag('skipVersionCheck', skipVersionCheck);
  flag('skipWaitingForReady', skipWaitingForReady);
  return { connection: connection ?? LOCAL, runtime, prefix };
}

function flag(option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new InvalidOptionError(option, value, 'true or false');
}
