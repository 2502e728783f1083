/** What is done to a queue in the model test, and what is seen of it: the same words for the model, for Drover and for BullMQ. */

/** How a job is added. */
export interface AddSpec {
  readonly jobId?: string;
  readonly delay?: number;
  readonly priority?: number;
  readonly lifo?: boolean;
  readonly attempts?: number;
  readonly backoff?: number;
  readonly removeOnComplete?: boolean | number | { readonly age: number };
  readonly removeOnFail?: boolean | number;
  readonly deduplication?: Deduplication;
}

export interface Deduplication {
  readonly id: string;
  readonly ttl?: number;
  readonly replace?: boolean;
  readonly extend?: boolean;
  readonly keepLastIfActive?: boolean;
}

/** How a run ends. `delay` and `wait` are moves by the processor itself. */
export type RunEnding = { readonly jobId: string } & (
  | { readonly how: 'complete' | 'fail' | 'fail for good' | 'wait' }
  | { readonly how: 'delay'; readonly ms: number }
);

/** One thing done to a queue. A turn ends runs and takes up to `want` jobs; both are one call for an engine that batches. */
export type Operation =
  | { readonly do: 'add'; readonly jobs: readonly AddSpec[] }
  | { readonly do: 'turn'; readonly ends: readonly RunEnding[]; readonly want: number }
  | { readonly do: 'pause' | 'resume' | 'uncap' | 'unlimit' | 'obliterate' }
  | { readonly do: 'cap'; readonly concurrency: number }
  | { readonly do: 'limit'; readonly max: number }
  | { readonly do: 'remove' | 'promote'; readonly jobId: string }
  | { readonly do: 'changeDelay'; readonly jobId: string; readonly delay: number }
  | { readonly do: 'changePriority'; readonly jobId: string; readonly priority: number; readonly lifo: boolean }
  | { readonly do: 'retry'; readonly jobId: string; readonly state: FinishedState; readonly resets: boolean }
  | { readonly do: 'retryJobs'; readonly state: FinishedState }
  | { readonly do: 'promoteJobs' }
  | { readonly do: 'drain'; readonly delayed: boolean }
  /** The worker that holds the job is gone: its lock runs out. */
  | { readonly do: 'die'; readonly jobId: string }
  /** The stalled check, an interval after the one before. */
  | { readonly do: 'check'; readonly maxStalled: number }
  | { readonly do: 'clean'; readonly grace: number; readonly limit: number; readonly type: CleanableState };

export type FinishedState = 'completed' | 'failed';
export type CleanableState = FinishedState | 'delayed' | 'prioritized' | 'wait' | 'active';

/** What can be seen of a queue from outside: the same for the model, for Drover and for BullMQ. */
export interface Observation {
  readonly counter: number;
  readonly isPaused: boolean;
  /** Jobs started in the rate window. */
  readonly started: number;
  /** Ids in stored order: lists from the left, sets by score. */
  readonly states: Readonly<Record<ModelState, readonly string[]>>;
  readonly jobs: Readonly<Record<string, ObservedJob>>;
  /** Who holds which deduplication id. */
  readonly owners: Readonly<Record<string, string>>;
}

export interface ObservedJob {
  readonly timestamp: number;
  readonly delay: number;
  readonly priority: number;
  readonly started: number;
  readonly made: number;
  readonly stalled: number;
  /** It stalled too often: its next start is to fail it. */
  readonly isDoomed: boolean;
  readonly processedOn: number | undefined;
  readonly finishedOn: number | undefined;
  /** Epoch ms at which a delayed job is due. */
  readonly dueAt: number | undefined;
}

export const MODEL_STATES = ['wait', 'active', 'prioritized', 'delayed', 'completed', 'failed'] as const;
export type ModelState = (typeof MODEL_STATES)[number];
