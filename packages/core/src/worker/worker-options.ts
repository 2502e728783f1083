import type { ForkOptions } from 'node:child_process';
import type { WorkerOptions as ThreadOptions } from 'node:worker_threads';
import type { KeepJobs, RepeatStrategy } from '../job/index.js';
import { InvalidOptionError, integer, type Logger, positiveInt, refuseUnknown, silentLogger } from '../kit/index.js';
import type { ConnectionInput } from '../redis/index.js';
import type { Upkeep } from '../runtime/consumer.js';
import type { Runtime } from '../runtime/runtime.js';
import type { SandboxOptions } from '../sandbox/index.js';
import type { FetchProfile } from '../store/index.js';
import { checkTelemetry, type Telemetry } from '../telemetry/telemetry.js';

/** Computes the delay before the next attempt, ms; 0: at once, -1: no further attempt. */
// biome-ignore lint/suspicious/noExplicitAny: jobs of any data are passed, as BullMQ types it
export type BackoffStrategy = (attemptsMade: number, type?: string, error?: Error, job?: any) => number | Promise<number>;

/** What becomes of a job that a drain would have to give back more often than it may be. */
export type OnMaxReturns = 'stall' | 'fail';

/** BullMQ's WorkerOptions by name and meaning, with `runtime` and `logger` added. */
export interface WorkerOptions {
  /** Where Redis is: URL, ioredis options or a client. Not needed with `runtime`. */
  readonly connection?: ConnectionInput;
  readonly prefix?: string;
  /** Stored with each job as `processedBy`. Named workers do not share calls with others. */
  readonly name?: string;
  /** Start at once. Default true. */
  readonly autorun?: boolean;
  /** Jobs at once, 1 or more; changeable later. Default 1. */
  readonly concurrency?: number;
  readonly limiter?: { readonly max: number; readonly duration: number };
  readonly metrics?: { readonly maxDataPoints?: number };
  /** A rate-limited queue is asked again after this time at the latest, ms. Default 30,000. */
  readonly maximumRateLimitDelay?: number;
  /** Starts of a job, of any cause, after which it fails. */
  readonly maxStartedAttempts?: number;
  /** How often a job may stall before it fails. Default 1. */
  readonly maxStalledCount?: number;
  /** ms. Default 30,000. */
  readonly stalledInterval?: number;
  /** For completed jobs that have no rule of their own. */
  readonly removeOnComplete?: KeepJobs;
  readonly removeOnFail?: KeepJobs;
  readonly skipStalledCheck?: boolean;
  readonly skipLockRenewal?: boolean;
  /** Seconds after which an idle queue is asked again without a hint. Default 5. */
  readonly drainDelay?: number;
  /** ms. Default 30,000. */
  readonly lockDuration?: number;
  /** A lock is renewed before it gets older than this, ms. Default half of `lockDuration`. */
  readonly lockRenewTime?: number;
  readonly settings?: { readonly backoffStrategy?: BackoffStrategy; readonly repeatStrategy?: RepeatStrategy };
  /** The runtime that serves this worker; by default the one of this process for `connection`. */
  readonly runtime?: Runtime;
  readonly logger?: Logger;
  /** Accepted for compatibility, without effect: reconnecting is the business of the connection. */
  readonly runRetryDelay?: number;
  /** Accepted for compatibility, without effect. */
  readonly skipVersionCheck?: boolean;
  /** Accepted for compatibility, without effect. */
  readonly skipWaitingForReady?: boolean;
  /** A processor given as a file runs in threads instead of child processes. Default false. */
  readonly useWorkerThreads?: boolean;
  /** For `child_process.fork`, when a processor is given as a file. Without `execArgv`, that of this process is handed on. */
  readonly workerForkOptions?: ForkOptions;
  /** For `worker_threads.Worker`, when a processor is given as a file and `useWorkerThreads` is set. */
  readonly workerThreadsOptions?: ThreadOptions;
  /** How long a sandbox may stay deaf to the abort of its job, or to the end of its worker, before it is killed, ms. Default 5,000. */
  readonly sandboxGrace?: number;
  /**
   * How often a job may go back to wait because a drain left it no time; such returns are counted from here on. What becomes of one that
   * needs more: `onMaxReturns`. Default: as often as it takes, and nothing is counted.
   */
  readonly maxReturns?: number;
  /** `stall`: its lock is left to run out, so that the stalled rule counts it. `fail`: it fails, unrecoverably. Default `stall`. */
  readonly onMaxReturns?: OnMaxReturns;
  /** Makes spans and metrics of what the worker does; see `docs/telemetry.md`. */
  readonly telemetry?: Telemetry;
}

/** The options below the edge: nothing optional that has a default. */
export interface ResolvedWorkerOptions {
  readonly prefix: string;
  readonly isAutorun: boolean;
  readonly concurrency: number;
  readonly profile: FetchProfile;
  readonly upkeep: Upkeep;
  readonly maxStartedAttempts: number | undefined;
  readonly removeOnComplete: KeepJobs | undefined;
  readonly removeOnFail: KeepJobs | undefined;
  readonly backoffStrategy: BackoffStrategy | undefined;
  readonly repeatStrategy: RepeatStrategy | undefined;
  readonly logger: Logger;
  readonly sandbox: SandboxOptions;
  readonly telemetry: Telemetry | undefined;
  /** Undefined: returns are not counted. */
  readonly returns: { readonly max: number; readonly instead: OnMaxReturns } | undefined;
}

const FLAGS = ['autorun', 'skipStalledCheck', 'skipLockRenewal', 'skipVersionCheck', 'skipWaitingForReady', 'useWorkerThreads'] as const;
const KNOWN: ReadonlySet<string> = new Set<keyof WorkerOptions>([
  'connection',
  'prefix',
  'name',
  'concurrency',
  'limiter',
  'metrics',
  'maximumRateLimitDelay',
  'maxStartedAttempts',
  'maxStalledCount',
  'stalledInterval',
  'removeOnComplete',
  'removeOnFail',
  'drainDelay',
  'lockDuration',
  'lockRenewTime',
  'settings',
  'runtime',
  'logger',
  'runRetryDelay',
  'workerForkOptions',
  'workerThreadsOptions',
  'sandboxGrace',
  'telemetry',
  'maxReturns',
  'onMaxReturns',
  ...FLAGS,
]);

/** @throws InvalidOptionError with the option's name, the value it had and what it has to be. */
export function resolveWorkerOptions(input: WorkerOptions): ResolvedWorkerOptions {
  refuseUnknown('', input, KNOWN);
  for (const flag of FLAGS) boolean(flag, input[flag]);
  const lockMs = positiveInt('lockDuration', input.lockDuration ?? 30_000);
  const lockRenewMs = positiveInt('lockRenewTime', input.lockRenewTime ?? Math.max(1, Math.floor(lockMs / 2)), lockMs);
  const intervalMs = positiveInt('stalledInterval', input.stalledInterval ?? 30_000);
  const maxCount = integer('maxStalledCount', input.maxStalledCount ?? 1, 0);
  if (input.runRetryDelay !== undefined) integer('runRetryDelay', input.runRetryDelay, 0);
  const { backoffStrategy, repeatStrategy } = settingsOf(input.settings);
  return Object.freeze({
    prefix: text('prefix', input.prefix ?? 'bull'),
    isAutorun: input.autorun ?? true,
    concurrency: concurrencyOf(input.concurrency ?? 1),
    profile: profileOf(input, lockMs),
    upkeep: Object.freeze({
      lockRenewMs: input.skipLockRenewal ? undefined : lockRenewMs,
      stalled: input.skipStalledCheck ? undefined : { intervalMs, maxCount },
      pollMs: Math.max(1, Math.round(positive('drainDelay', input.drainDelay ?? 5) * 1_000)),
      maxLimitDelayMs: positiveInt('maximumRateLimitDelay', input.maximumRateLimitDelay ?? 30_000),
    }),
    maxStartedAttempts: input.maxStartedAttempts === undefined ? undefined : integer('maxStartedAttempts', input.maxStartedAttempts, 0),
    removeOnComplete: keepJobs('removeOnComplete', input.removeOnComplete),
    removeOnFail: keepJobs('removeOnFail', input.removeOnFail),
    backoffStrategy,
    repeatStrategy,
    logger: input.logger ?? silentLogger,
    sandbox: sandboxOf(input),
    telemetry: checkTelemetry(input.telemetry),
    returns: returnsOf(input),
  });
}

/** @throws InvalidOptionError unless it is a whole number of at least 1. */
export function concurrencyOf(value: unknown): number {
  return positiveInt('concurrency', value);
}

function returnsOf({ maxReturns, onMaxReturns = 'stall' }: WorkerOptions): ResolvedWorkerOptions['returns'] {
  if (onMaxReturns !== 'stall' && onMaxReturns !== 'fail') throw new InvalidOptionError('onMaxReturns', onMaxReturns, "'stall' or 'fail'");
  return maxReturns === undefined ? undefined : Object.freeze({ max: integer('maxReturns', maxReturns, 0), instead: onMaxReturns });
}

function settingsOf(settings: WorkerOptions['settings'] = {}): Pick<ResolvedWorkerOptions, 'backoffStrategy' | 'repeatStrategy'> {
  const { backoffStrategy, repeatStrategy } = record('settings', settings, ['backoffStrategy', 'repeatStrategy']);
  checkFunction('settings.backoffStrategy', backoffStrategy);
  checkFunction('settings.repeatStrategy', repeatStrategy);
  return { backoffStrategy: settings.backoffStrategy, repeatStrategy: settings.repeatStrategy };
}

function checkFunction(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw new InvalidOptionError(option, value, 'a function');
}

function sandboxOf({
  useWorkerThreads = false,
  workerForkOptions: fork = {},
  workerThreadsOptions: threads = {},
  sandboxGrace = 5_000,
}: WorkerOptions): SandboxOptions {
  object('workerForkOptions', fork);
  object('workerThreadsOptions', threads);
  if (Array.isArray(fork.stdio) && !fork.stdio.includes('ipc')) {
    throw new InvalidOptionError('workerForkOptions.stdio', fork.stdio, `with 'ipc' in it: jobs come over that channel`);
  }
  return Object.freeze({ useThreads: useWorkerThreads, fork, threads, graceMs: positiveInt('sandboxGrace', sandboxGrace) });
}

function profileOf(input: WorkerOptions, lockMs: number): FetchProfile {
  const { limiter, metrics, name } = input;
  const points = metrics?.maxDataPoints;
  return Object.freeze({
    lockMs,
    ...(limiter === undefined ? {} : { limiter: limiterOf(limiter) }),
    ...(name === undefined ? {} : { name: text('name', name) }),
    ...(points === undefined ? {} : { maxMetricsSize: positiveInt('metrics.maxDataPoints', points) }),
  });
}

function limiterOf(limiter: unknown): { readonly max: number; readonly durationMs: number } {
  const { max, duration } = record('limiter', limiter, ['max', 'duration']);
  return { max: positiveInt('limiter.max', max), durationMs: positiveInt('limiter.duration', duration) };
}

function keepJobs(option: string, value: unknown): KeepJobs | undefined {
  if (value === undefined) return undefined;
  const { age, count, limit } = record(option, value, ['age', 'count', 'limit']);
  return Object.freeze({
    ...(count === undefined ? {} : { count: integer(`${option}.count`, count, -1) }),
    ...(age === undefined ? {} : { age: integer(`${option}.age`, age, 0) }),
    ...(limit === undefined ? {} : { limit: positiveInt(`${option}.limit`, limit) }),
  });
}

function object(option: string, value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new InvalidOptionError(option, value, 'an object');
}

function record(option: string, value: unknown, names: readonly string[]): Record<string, unknown> {
  object(option, value);
  refuseUnknown(`${option}.`, value, new Set(names));
  return value as Record<string, unknown>;
}

function boolean(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw new InvalidOptionError(option, value, 'true or false');
}

function text(option: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new InvalidOptionError(option, value, 'a text');
}

function positive(option: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidOptionError(option, value, 'a number above 0');
}
