import { checkJobOptions, type JobsOptions, type RepeatStrategy } from '../job/index.js';
import { InvalidOptionError, nonNegativeInt, refuseUnknown } from '../kit/index.js';
import type { ConnectionInput } from '../redis/index.js';
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
  /** Accepted for compatibility, without effect. */
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
  readonly telemetry: Telemetry | undefined;
  readonly repeatStrategy: RepeatStrategy | undefined;
}

const KNOWN: ReadonlySet<string> = new Set<keyof QueueOptions>([
  'connection',
  'prefix',
  'defaultJobOptions',
  'streams',
  'skipMetasUpdate',
  'skipVersionCheck',
  'skipWaitingForReady',
  'settings',
  'telemetry',
]);
const LOCAL = Object.freeze({ host: '127.0.0.1', port: 6379 });

/** @throws InvalidOptionError */
export function resolveQueueOptions(input: QueueOptions): ResolvedQueueOptions {
  refuseUnknown('', input, KNOWN);
  const { connection = LOCAL, prefix = 'bull', defaultJobOptions = {}, streams, skipMetasUpdate = false } = input;
  if (typeof prefix !== 'string' || prefix === '') throw new InvalidOptionError('prefix', prefix, 'a text');
  if (typeof defaultJobOptions !== 'object' || defaultJobOptions === null) {
    throw new InvalidOptionError('defaultJobOptions', defaultJobOptions, 'an object');
  }
  checkJobOptions(defaultJobOptions, 'defaultJobOptions.');
  return Object.freeze({
    connection,
    prefix,
    defaultJobOptions,
    maxEvents: nonNegativeInt('streams.events.maxLen', streams?.events?.maxLen ?? 10_000),
    isMetaWritten: !skipMetasUpdate,
    telemetry: checkTelemetry(input.telemetry),
    repeatStrategy: strategyOf(input.settings),
  });
}

function strategyOf(settings: QueueOptions['settings'] | null): RepeatStrategy | undefined {
  if (settings === undefined || settings === null) return undefined;
  if (typeof settings !== 'object') throw new InvalidOptionError('settings', settings, 'an object');
  const { repeatStrategy } = settings;
  if (repeatStrategy !== undefined && typeof repeatStrategy !== 'function') {
    throw new InvalidOptionError('settings.repeatStrategy', repeatStrategy, 'a function');
  }
  return repeatStrategy;
}
