import type { BackoffRule, LogLevel } from '@drover/core/kit';

/** A Redis target as it crosses a fork: a URL, or ioredis options that are plain JSON values. */
export type ConnectionConfig = string | Readonly<Record<string, unknown>>;

/** One group after parsing: no optional fields but the choice of what its workers run; durations in ms. Plain JSON values. */
export interface GroupConfig {
  readonly group: string;
  readonly queue: string;
  readonly prefix: string;
  readonly connection: ConnectionConfig;
  /** What a worker runs, as file URL: a processor, or a module that makes anything with `run()` and `close()`. */
  readonly module: { readonly kind: 'processor' | 'worker'; readonly url: string };
  /** Size at start. */
  readonly workers: number;
  /** Said by a flag or the environment: it beats a remembered size. */
  readonly isSizeFixed: boolean;
  readonly min: number;
  readonly max: number;
  readonly concurrency: number;
  readonly lockMs: number;
  readonly renewMs: number;
  readonly stalledIntervalMs: number;
  readonly maxStalledCount: number;
  readonly drain: DrainConfig;
  readonly restart: RestartType;
  readonly supervision: SupervisionConfig;
}

export type RestartType = 'permanent' | 'transient' | 'temporary';

export interface DrainConfig {
  readonly deadlineMs: number;
  /** Abort signals go out this long before the deadline. */
  readonly abortLeadMs: number;
  readonly onTimeout: 'linger' | 'replace';
  /** Times a job may go back to wait because a drain left it no time, and what is done instead. */
  readonly maxReturns: number;
  readonly onMaxReturns: 'stall' | 'fail';
}

/** Brakes of one supervisor. `maxRestarts` undefined: max(10, 2 x children). */
export interface SupervisionConfig {
  readonly strategy: 'one_for_one' | 'one_for_all' | 'rest_for_one';
  readonly maxRestarts: number | undefined;
  readonly periodMs: number;
  readonly onGiveUp: 'escalate' | 'park';
  readonly backoff: BackoffRule;
  /** Failures in a row without `resetAfterMs` of life that park a child. */
  readonly maxConsecutiveFailures: number;
  readonly resetAfterMs: number;
}

export interface HealthConfig {
  readonly heartbeatMs: number;
  /** A process whose event loop stands still this long is killed; short enough that none of its locks has run out. See `hang-limit.ts`. */
  readonly hangAfterMs: number;
  /** Whether the stack of a loop that stands still goes to stderr before the kill. */
  readonly captureStack: boolean;
  readonly bootTimeoutMs: number;
  readonly orphanDeadlineMs: number;
}

/** When a process is replaced; `Infinity`: never for that. */
export interface RecycleConfig {
  /** Resident bytes from which a process is replaced: a new one first, then it drains. */
  readonly softBytes: number;
  /** Resident bytes from which it drains at once, within a few seconds. */
  readonly hardBytes: number;
  /** Runs that a process may end, and its age; each process has its own, within `jitter` (a part of 1) of these. */
  readonly maxJobs: number;
  readonly maxAgeMs: number;
  readonly jitter: number;
  /** No process is replaced before it is this old; one over a limit of memory by then stops recycling by memory. */
  readonly minIntervalMs: number;
}

export interface ProcessLimits {
  readonly min: number;
  readonly max: number;
}

/** The whole configuration after parsing: frozen, complete, units in the names. */
export interface ClusterConfig {
  readonly name: string;
  readonly connection: ConnectionConfig;
  readonly groups: Readonly<Record<string, GroupConfig>>;
  /** Sizes outlive the primary. */
  readonly persistScale: boolean;
  readonly maxWorkersHard: number;
  readonly workersPerProcess: number;
  readonly processes: ProcessLimits;
  readonly processRestart: RestartType;
  readonly supervision: SupervisionConfig;
  readonly drain: DrainConfig;
  readonly health: HealthConfig;
  readonly recycle: RecycleConfig;
  /** How long the primary tries to reach Redis at start before it exits with 69. */
  readonly redisTimeoutMs: number;
  readonly control: {
    /** Path of the unix socket; undefined: derived from the name. */
    readonly socket: string | undefined;
    readonly parentGone: 'drain' | 'stay';
  };
  readonly logs: { readonly format: 'json' | 'pretty'; readonly level: LogLevel };
}
