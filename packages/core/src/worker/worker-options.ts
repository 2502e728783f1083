import type { ForkOptions } from 'node:child_process';
import type { WorkerOptions as ThreadOptions } from 'node:worker_threads';
import type { KeepJobs, RepeatStrategy } from '../job/index.js';
import {
  aFunction,
  anObject,
  type Check,
  checked,
  flag,
  InvalidOptionError,
  integer,
  type Logger,
  MAX_TIMER_MS,
  nonNegativeInt,
  positiveInt,
  type Shape,
  silentLogger,
  text,
  timerMs,
} from '../kit/index.js';
import { type ConnectionInput, checkConnection } from '../redis/index.js';
import type { Upkeep } from '../runtime/consumer.js';
import { Runtime } from '../runtime/runtime.js';
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
  /** Takes any server, also one older than Redis 6.2; with `runtime`, it is the runtime that says. Default false. */
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
  readonly skipVersionCheck: boolean;
  readonly logger: Logger;
  readonly sandbox: SandboxOptions;
  readonly telemetry: Telemetry | undefined;
  /** Undefined: returns are not counted. */
  readonly returns: { readonly max: number; readonly instead: OnMaxReturns } | undefined;
}

type Limiter = NonNullable<WorkerOptions['limiter']>;
type Settings = NonNullable<WorkerOptions['settings']>;

const KEEP_JOBS: Shape<KeepJobs> = { age: nonNegativeInt, count: (option, value) => integer(option, value, -1), limit: positiveInt };
const LIMITER: Shape<Limiter> = { max: positiveInt, duration: positiveInt };
const METRICS: Shape<NonNullable<WorkerOptions['metrics']>> = { maxDataPoints: positiveInt };
const SETTINGS: Shape<Settings> = { backoffStrategy: aFunction, repeatStrategy: aFunction };
const keepJobs: Check = (option, value) => checked(option, value, KEEP_JOBS);

/** How each option is checked; what is not in here is refused. */
export const WORKER_OPTIONS: Shape<WorkerOptions> = {
  connection: checkConnection,
  prefix: text,
  name: text,
  autorun: flag,
  concurrency: positiveInt,
  limiter: (option, value) => {
    const { max, duration } = checked(option, value, LIMITER);
    LIMITER.max(`${option}.max`, max);
    LIMITER.duration(`${option}.duration`, duration);
  },
  metrics: (option, value) => checked(option, value, METRICS),
  maximumRateLimitDelay: timerMs,
  maxStartedAttempts: nonNegativeInt,
  maxStalledCount: nonNegativeInt,
  stalledInterval: timerMs,
  removeOnComplete: keepJobs,
  removeOnFail: keepJobs,
  skipStalledCheck: flag,
  skipLockRenewal: flag,
  drainDelay: drainSeconds,
  lockDuration: timerMs,
  lockRenewTime: timerMs,
  settings: (option, value) => checked(option, value, SETTINGS),
  runtime: checkRuntime,
  logger: checkLogger,
  runRetryDelay: nonNegativeInt,
  skipVersionCheck: flag,
  skipWaitingForReady: flag,
  useWorkerThreads: flag,
  workerForkOptions: checkForkOptions,
  workerThreadsOptions: anObject,
  sandboxGrace: positiveInt,
  maxReturns: nonNegativeInt,
  onMaxReturns: stallOrFail,
  telemetry: checkTelemetry,
};

/** @throws InvalidOptionError with the option's name, the value it had and what it has to be. */
export function resolveWorkerOptions(input: WorkerOptions): ResolvedWorkerOptions {
  const given = checked('', input, WORKER_OPTIONS);
  if (given.runtime && given.connection) throw new InvalidOptionError('connection', given.connection, 'absent when `runtime` is given');
  const { lockDuration = 30_000, stalledInterval = 30_000, maxStalledCount = 1, drainDelay = 5 } = given;
  const lockRenewMs = integer('lockRenewTime', given.lockRenewTime ?? Math.max(1, Math.floor(lockDuration / 2)), 1, lockDuration);
  return Object.freeze({
    prefix: given.prefix ?? 'bull',
    isAutorun: given.autorun ?? true,
    concurrency: given.concurrency ?? 1,
    profile: profileOf(given, lockDuration),
    upkeep: Object.freeze({
      lockRenewMs: given.skipLockRenewal ? undefined : lockRenewMs,
      stalled: given.skipStalledCheck ? undefined : { intervalMs: stalledInterval, maxCount: maxStalledCount },
      pollMs: Math.max(1, Math.round(drainDelay * 1_000)),
      maxLimitDelayMs: given.maximumRateLimitDelay ?? 30_000,
    }),
    maxStartedAttempts: given.maxStartedAttempts,
    removeOnComplete: keepRuleOf(given.removeOnComplete),
    removeOnFail: keepRuleOf(given.removeOnFail),
    backoffStrategy: given.settings?.backoffStrategy,
    repeatStrategy: given.settings?.repeatStrategy,
    skipVersionCheck: given.skipVersionCheck ?? false,
    logger: given.logger ?? silentLogger,
    sandbox: sandboxFor(given),
    telemetry: given.telemetry,
    returns: returnsOf(given),
  });
}

/** @throws InvalidOptionError unless it is a whole number of at least 1. */
export function concurrencyOf(value: unknown): number {
  return positiveInt('concurrency', value);
}

/** Shared by all workers that say nothing of it. */
const PLAIN_SANDBOX = sandboxOf({});

function sandboxFor(options: WorkerOptions): SandboxOptions {
  const { useWorkerThreads, workerForkOptions, workerThreadsOptions, sandboxGrace } = options;
  const isPlain = [useWorkerThreads, workerForkOptions, workerThreadsOptions, sandboxGrace].every((option) => option === undefined);
  return isPlain ? PLAIN_SANDBOX : sandboxOf(options);
}

function sandboxOf({
  useWorkerThreads = false,
  workerForkOptions: fork = {},
  workerThreadsOptions: threads = {},
  sandboxGrace = 5_000,
}: WorkerOptions): SandboxOptions {
  return Object.freeze({ useThreads: useWorkerThreads, fork, threads, graceMs: sandboxGrace });
}

function profileOf({ limiter, metrics, name, telemetry }: WorkerOptions, lockMs: number): FetchProfile {
  const points = metrics?.maxDataPoints ?? undefined;
  return Object.freeze({
    lockMs,
    ...(limiter === undefined ? {} : { limiter: { max: limiter.max, durationMs: limiter.duration } }),
    ...(name === undefined ? {} : { name }),
    ...(points === undefined ? {} : { maxMetricsSize: points }),
    ...(telemetry ? { asksSchedules: true } : {}), // each iteration has a span of its own, which Redis cannot make
  });
}

function keepRuleOf(rule: KeepJobs | undefined): KeepJobs | undefined {
  return rule && Object.freeze(checked('keep', rule, KEEP_JOBS));
}

function drainSeconds(option: string, value: unknown): void {
  const most = Math.floor(MAX_TIMER_MS / 1_000);
  if (!(typeof value === 'number' && value > 0 && value <= most)) {
    throw new InvalidOptionError(option, value, `a number of seconds above 0, ${most} at most`);
  }
}

function checkForkOptions(option: string, value: unknown): void {
  const { stdio } = anObject(option, value) as ForkOptions;
  if (Array.isArray(stdio) && !stdio.includes('ipc')) {
    throw new InvalidOptionError(`${option}.stdio`, stdio, `with 'ipc' in it: jobs come over that channel`);
  }
}

function checkRuntime(option: string, value: unknown): void {
  if (!(value instanceof Runtime)) throw new InvalidOptionError(option, value, 'a Runtime');
}

function checkLogger(option: string, value: unknown): void {
  const logger = anObject(option, value) as Partial<Logger>;
  for (const level of ['debug', 'info', 'warn', 'error'] as const) aFunction(`${option}.${level}`, logger[level]);
}

function stallOrFail(option: string, value: unknown): void {
  if (value !== 'stall' && value !== 'fail') throw new InvalidOptionError(option, value, "'stall' or 'fail'");
}

function returnsOf({ maxReturns, onMaxReturns = 'stall' }: WorkerOptions): ResolvedWorkerOptions['returns'] {
  return maxReturns === undefined ? undefined : Object.freeze({ max: maxReturns, instead: onMaxReturns });
}
