import type { EngineRef, Target } from '../engine.js';

/** What a job does: nothing; wait; finish in random order while about `active` are held; be held until it is released. */
export type Work =
  | { readonly kind: 'instant' }
  | { readonly kind: 'timer'; readonly ms: number }
  | { readonly kind: 'random-order'; readonly active: number; readonly jobs: number }
  | { readonly kind: 'held' };

/** What a load process does once it is told to go. */
export type Role =
  | {
      readonly role: 'work';
      readonly workers: number;
      readonly concurrency: number;
      readonly work: Work;
      /** Jobs worked before, on a queue of its own, so that no code is cold. */
      readonly warmUp: number;
      /** How seldom it reports its count, ms; 0: each job at once. */
      readonly reportMs: number;
      /** Completed jobs whose latency is not counted; undefined: no latencies. */
      readonly latencySkip?: number;
    }
  | { readonly role: 'add'; readonly jobs: number; readonly callers: number; readonly bulk: number; readonly warmUp: number }
  | { readonly role: 'pace'; readonly jobs: number; readonly perSecond: number; readonly warmUp: number }
  | { readonly role: 'single' }
  | { readonly role: 'idle'; readonly workers: number; readonly track: 'heap' | 'timers'; readonly settleMs: number };

/** One load process. */
export interface LoadPlan {
  readonly engine: EngineRef;
  readonly target: Target;
  readonly queues: readonly string[];
  readonly role: Role;
}

export type ToLoad =
  | { readonly type: 'plan'; readonly plan: LoadPlan }
  | { readonly type: 'go' }
  /** `single`: add one more job. */
  | { readonly type: 'next' }
  /** `held` jobs end, those to come too. */
  | { readonly type: 'release' }
  | { readonly type: 'stop' };

export type FromLoad =
  | { readonly type: 'ready' }
  /** Jobs done (added, worked) since the last report. */
  | { readonly type: 'progress'; readonly count: number }
  /** The first job has begun, monotonic ms. */
  | { readonly type: 'busy'; readonly at: number }
  | { readonly type: 'result'; readonly result: LoadResult }
  | { readonly type: 'failed'; readonly message: string };

/** Instants are monotonic ms, the same clock for all processes of a machine. */
export interface LoadResult {
  readonly startedAt: number;
  readonly lastAt: number;
  /** From "go" to the last job. */
  readonly cpuUs: number;
  readonly rssBytes: number;
  /** What only this role measures. */
  readonly figures: Readonly<Record<string, number>>;
}

/** Monotonic ms of the machine. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
