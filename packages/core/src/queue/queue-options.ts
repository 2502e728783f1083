import { checkJobOptions, type JobsOptions } from '../job/index.js';
import { anObject, checked, flag, nonNegativeInt, type Shape, text } from '../kit/index.js';
import { type ConnectionInput, checkConnection } from '../redis/index.js';

/** BullMQ's QueueOptions by name and meaning. */
export interface QueueOptions {
  /** Where Redis is: URL, ioredis options or a client. Queues and workers of a process with the same one share its connections. */
  readonly connection?: ConnectionInput;
  readonly prefix?: string;
  /** Options of jobs that do not say otherwise. `jobId` is never taken from here. */
  readonly defaultJobOptions?: JobsOptions;
  /** About how many entries the event stream keeps. Default 10,000. */
  readonly streams?: { readonly events?: { readonly maxLen?: number } };
  /** Does not write the queue's configuration to Redis when constructed. */
  readonly skipMetasUpdate?: boolean;
  /** Takes any server, also one older than Redis 6.2. Default false. */
  readonly skipVersionCheck?: boolean;
  /** Accepted for compatibility, without effect. */
  readonly skipWaitingForReady?: boolean;
  /** Accepted for compatibility, without effect yet: job schedulers are not offered. */
  readonly settings?: object;
  /** Accepted for compatibility, without effect yet. */
  readonly telemetry?: unknown;
}

/** The options below the edge. */
export interface ResolvedQueueOptions {
  readonly connection: ConnectionInput;
  readonly prefix: string;
  readonly defaultJobOptions: JobsOptions;
  readonly maxEvents: number;
  readonly isMetaWritten: boolean;
  readonly skipVersionCheck: boolean;
}

const EVENT_STREAM: Shape<{ readonly maxLen?: number }> = { maxLen: nonNegativeInt };
const STREAMS: Shape<NonNullable<QueueOptions['streams']>> = {
  events: (option, value) => checked(option, value, EVENT_STREAM),
};
/** How each option is checked; what is not in here is refused. */
export const QUEUE_OPTIONS: Shape<QueueOptions> = {
  connection: checkConnection,
  prefix: text,
  defaultJobOptions: (option, value) => checkJobOptions(value as JobsOptions, `${option}.`),
  streams: (option, value) => checked(option, value, STREAMS),
  skipMetasUpdate: flag,
  skipVersionCheck: flag,
  skipWaitingForReady: flag,
  settings: anObject,
  telemetry: anObject,
};
const LOCAL = Object.freeze({ host: '127.0.0.1', port: 6379 });

/** @throws InvalidOptionError */
export function resolveQueueOptions(input: QueueOptions): ResolvedQueueOptions {
  const given = checked('', input, QUEUE_OPTIONS);
  const { connection = LOCAL, prefix = 'bull', defaultJobOptions = {}, streams, skipMetasUpdate = false, skipVersionCheck = false } = given;
  return Object.freeze({
    connection,
    prefix,
    defaultJobOptions,
    maxEvents: streams?.events?.maxLen ?? 10_000,
    isMetaWritten: !skipMetasUpdate,
    skipVersionCheck,
  });
}
