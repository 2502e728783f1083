import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ConfigError } from '../errors/errors.js';
import { configError } from './config-issues.js';
import { ClusterSchema, liftSingleGroup, type ParsedCluster, type ParsedGroup } from './config-schema.js';
import { type HangLimit, hangLimit } from './hang-limit.js';
import type { ClusterConfig, ConnectionConfig, DrainConfig, GroupConfig, RecycleConfig, SupervisionConfig } from './resolved.js';

/** What the resolution depends on besides the input. */
export interface ResolveContext {
  /** Cores that may be used: see `cores()`. */
  readonly cores: number;
  /** Relative module paths start here. */
  readonly baseDir: string;
  /** Where the input came from, for messages: a file name, or "WorkerManager.start". */
  readonly source: string;
  /** Workers of a group that does not say: `2x` for programs, 0 for `WorkerManager.start`. */
  readonly defaultWorkers: number | '1x' | '2x';
  /** Groups whose size was said by a flag or the environment. */
  readonly fixedSizes?: ReadonlySet<string>;
}

const DEFAULT_CONNECTION = 'redis://127.0.0.1:6379';
const DEFAULT_HARD_LIMIT = 10_000;

/** Parses, fills in defaults, checks what belongs together, and freezes. @throws ConfigError (exit code 78) naming the first bad key. */
export function resolveConfig(input: unknown, context: ResolveContext): ClusterConfig {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new ConfigError('', `${context.source}: the configuration must be an object`);
  }
  const lifted = liftSingleGroup(input as Readonly<Record<string, unknown>>);
  const parsed = ClusterSchema.safeParse(lifted);
  if (!parsed.success) throw configError(parsed.error, lifted, context.source);
  return new Resolver(parsed.data, context).resolve();
}

/** Owns one resolution: the parsed input and where messages point to. */
class Resolver {
  constructor(
    private readonly input: ParsedCluster,
    private readonly context: ResolveContext,
  ) {}

  resolve(): ClusterConfig {
    const { input, context } = this;
    const names = Object.keys(input.groups ?? {});
    if (names.length === 0) throw this.#bad('groups', 'has no group: name a queue and a processor');
    const processes = { min: input.processes?.min ?? 1, max: this.#maxProcesses() };
    if (processes.min > processes.max)
      throw this.#bad('processes.min', `is ${processes.min}, above processes.max, which is ${processes.max}`);
    const groups = Object.fromEntries(names.map((name) => [name, this.#group(name, input.groups?.[name] as ParsedGroup)]));
    return deepFreeze({
      name: input.name ?? 'drover',
      connection: this.#connection(undefined),
      groups,
      persistScale: input.persistScale ?? false,
      maxWorkersHard: input.maxWorkersHard ?? DEFAULT_HARD_LIMIT,
      workersPerProcess: input.workersPerProcess ?? 1,
      processes,
      processRestart: input.supervision?.processes?.restart ?? 'permanent',
      supervision: this.#supervision('processes'),
      drain: this.#drain(undefined, 'defaults'),
      health: {
        ...this.#hangLimit(Object.values(groups)),
        bootTimeoutMs: input.health?.bootTimeout ?? 60_000,
        orphanDeadlineMs: input.health?.orphanDeadline ?? 10_000,
      },
      recycle: this.#recycle(),
      redisTimeoutMs: input.health?.redisTimeout ?? 10_000,
      control: {
        socket: input.control?.socket && resolve(context.baseDir, input.control.socket),
        parentGone: input.control?.parentGone ?? 'drain',
      },
      logs: { format: input.logs?.format ?? 'json', level: input.logs?.level ?? 'info' },
    });
  }

  #group(name: string, group: ParsedGroup): GroupConfig {
    const path = `groups.${name}`;
    const hard = this.input.maxWorkersHard ?? DEFAULT_HARD_LIMIT;
    const options = { ...this.input.defaults, ...group };
    const min = options.min ?? 0;
    const max = Math.min(options.max ?? hard, hard);
    if (min > max) throw this.#bad(`${path}.min`, `is ${min}, above max, which is ${max}`);
    const lockMs = options.lockDuration ?? 30_000;
    const renewMs = options.lockRenewTime ?? Math.floor(lockMs / 2);
    if (renewMs >= lockMs)
      throw this.#bad(`${path}.lockRenewTime`, `is ${renewMs} ms: it must be shorter than lockDuration, which is ${lockMs} ms`);
    const queue = group.queue ?? name;
    if (queue.includes(':')) throw this.#bad(`${path}.queue`, `must not contain ":", got ${JSON.stringify(queue)}`);
    return {
      group: name,
      queue,
      prefix: options.prefix ?? this.input.prefix ?? 'bull',
      connection: this.#connection(options.connection),
      module: this.#module(path, group),
      workers: Math.min(max, Math.max(min, this.#workers(options.workers ?? this.context.defaultWorkers))),
      isSizeFixed: this.context.fixedSizes?.has(name) ?? false,
      min,
      max,
      concurrency: options.concurrency ?? 500,
      lockMs,
      renewMs,
      stalledIntervalMs: options.stalledInterval ?? 30_000,
      maxStalledCount: options.maxStalledCount ?? 1,
      drain: this.#drain(group.drain, path),
      restart: options.restart ?? 'permanent',
      supervision: this.#supervision('workers'),
    };
  }

  #hangLimit(groups: readonly GroupConfig[]): HangLimit {
    const limit = hangLimit(this.input.health ?? {}, groups);
    if ('problem' in limit) throw this.#bad(limit.path, limit.problem);
    return limit;
  }

  #recycle(): RecycleConfig {
    const { memory, recycle } = this.input;
    const never = Number.POSITIVE_INFINITY;
    const { soft = never, hard = never } = memory ?? {};
    if (memory?.soft !== undefined && hard < soft) throw this.#bad('memory.hard', `is ${hard} bytes, below memory.soft, which is ${soft}`);
    return {
      softBytes: soft,
      hardBytes: hard,
      maxJobs: recycle?.maxJobs ?? never,
      maxAgeMs: recycle?.maxAge ?? never,
      jitter: recycle?.jitter ?? 0.1,
      minIntervalMs: recycle?.minInterval ?? 60_000,
    };
  }

  #workers(count: number | '1x' | '2x'): number {
    return typeof count === 'number' ? count : Number(count[0]) * this.context.cores;
  }

  #maxProcesses(): number {
    const max = this.input.processes?.max ?? 'cpu';
    return max === 'cpu' ? Math.max(this.context.cores, 1) : max;
  }

  #connection(own: ParsedGroup['connection']): ConnectionConfig {
    return own ?? this.input.connection ?? DEFAULT_CONNECTION;
  }

  #module(path: string, group: ParsedGroup): GroupConfig['module'] {
    if (group.processor && group.worker) throw this.#bad(path, 'has both "processor" and "worker": keep one');
    const given = group.processor ?? group.worker;
    if (!given) throw this.#bad(path, 'names no "processor": the path of a module whose default export processes a job');
    const kind = group.processor ? 'processor' : 'worker';
    const isUrl = given instanceof URL || given.startsWith('file:');
    const file = isUrl ? fileURLToPath(given) : isAbsolute(given) ? given : resolve(this.context.baseDir, given);
    if (!existsSync(file)) throw this.#bad(`${path}.${kind}`, `names ${file}, and there is no such file`);
    return { kind, url: pathToFileURL(file).href };
  }

  #drain(own: ParsedGroup['drain'], path: string): DrainConfig {
    const merged = { ...this.input.defaults?.drain, ...own };
    const deadlineMs = merged.deadline ?? 25_000;
    const abortLeadMs = merged.abortLead ?? Math.min(5_000, deadlineMs);
    if (abortLeadMs > deadlineMs)
      throw this.#bad(`${path}.drain.abortLead`, `is ${abortLeadMs} ms, longer than the deadline of ${deadlineMs} ms`);
    return {
      deadlineMs,
      abortLeadMs,
      onTimeout: merged.onTimeout ?? 'linger',
      maxReturns: merged.maxReturns ?? 5,
      onMaxReturns: merged.onMaxReturns ?? 'stall',
    };
  }

  #supervision(level: 'processes' | 'workers'): SupervisionConfig {
    const { supervision } = this.input;
    const own = supervision?.[level];
    const backoff = supervision?.backoff;
    return {
      strategy: own?.strategy ?? 'one_for_one',
      maxRestarts: own?.maxRestarts,
      periodMs: (own?.maxSeconds ?? 60) * 1_000,
      onGiveUp: own?.onGiveUp ?? 'escalate',
      backoff: {
        firstMs: backoff?.first ?? 0,
        baseMs: backoff?.base ?? 250,
        factor: backoff?.factor ?? 2,
        capMs: backoff?.cap ?? 15_000,
        jitter: backoff?.jitter ?? 'full',
      },
      maxConsecutiveFailures: supervision?.maxConsecutiveFailures ?? 5,
      resetAfterMs: backoff?.resetAfter ?? 30_000,
    };
  }

  #bad(path: string, problem: string): ConfigError {
    return new ConfigError(path, `${this.context.source}: ${path} ${problem}`);
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null && !Object.isFrozen(part)) deepFreeze(part);
  return Object.freeze(value);
}
