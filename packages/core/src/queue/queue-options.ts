import { checkJobOptions, type JobsOptions, type RepeatStrategy } from '../job/index.js';
import { aFunction, checked, flag, nonNegativeInt, type Shape, text } from '../kit/index.js';
import { type ConnectionInput, checkConnection } from '../redis/index.js';
import { checkTelemetry, type Telemetry } from '../telemetry/telemetry.js';

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
  /** `repeatStrategy` says when the first job of a scheduler with a pattern runs; the workers need the same one for those after it. */
  readonly settings?: { readonly repeatStrategy?: RepeatStrategy };
  /** Makes spans and metrics of what the queue does, and lets its jobs carry the trace; see `docs/telemetry.md`. */
  readonly telemetry?: Telemetry;
}

/** The options below the edge. */
export interface ResolvedQueueOptions {
  readonly connection: ConnectionInput;
  readonly prefix: string;
  readonly defaultJobOptions: JobsOptions;
  readonly maxEvents: number;
  readonly isMetaWritten: boolean;
  readonly skipVersionCheck: boolean;
  readonly telemetry: Telemetry | undefined;
  readonly repeatStrategy: RepeatStrategy | undefined;
}

const EVENT_STREAM: Shape<{ readonly maxLen?: number }> = { maxLen: nonNegativeInt };
const STREAMS: Shape<NonNullable<QueueOptions['streams']>> = {
  events: (option, value) => checked(option, value, EVENT_STREAM),
};
const SETTINGS: Shape<NonNullable<QueueOptions['settings']>> = { repeatStrategy: aFunction };
/** How each option is checked; what is not in here is refused. */
export const QUEUE_OPTIONS: Shape<QueueOptions> = {
  connection: checkConnection,
  prefix: text,
  defaultJobOptions: (option, value) => checkJobOptions(value as JobsOptions, `${option}.`),
  streams: (option, value) => checked(option, value, STREAMS),
  skipMetasUpdate: flag,
  skipVersionCheck: flag,
  skipWaitingForReady: flag,
  settings: (option, value) => checked(option, value, SETTINGS),
  telemetry: checkTelemetry,
};
/** Where Redis is, unless somebody says. */
export const LOCAL = Object.freeze({ host: '127.0.0.1', port: 6379 });

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
    telemetry: given.telemetry,
    repeatStrategy: given.settings?.repeatStrategy,
  });
}
