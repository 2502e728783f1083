import type { Job, JobProgress } from '../job/index.js';

/** What a worker tells. Payloads are those of BullMQ. */
export interface WorkerEvents<Data, Result, Name extends string> {
  /** A job is about to run. */
  active: (job: Job<Data, Result, Name>, prev: string) => void;
  /** The result is in Redis. */
  completed: (job: Job<Data, Result, Name>, result: Result, prev: string) => void;
  /** An attempt failed, the last one or not; the job is undefined only in BullMQ. */
  failed: (job: Job<Data, Result, Name> | undefined, error: Error, prev: string) => void;
  progress: (job: Job<Data, Result, Name>, progress: JobProgress) => void;
  /** A job whose worker had vanished went back to wait, found by the check of this process. */
  stalled: (jobId: string, prev: string) => void;
  /** The queue is empty and nothing is in hand. */
  drained: () => void;
  /** Without a listener, errors are printed once per message. */
  error: (error: Error) => void;
  paused: () => void;
  resumed: () => void;
  closing: (message: string) => void;
  closed: () => void;
  /** Redis answers: for the first time, or again. */
  ready: () => void;
  /** The connection to Redis was lost. */
  'ioredis:close': () => void;
  /** Locks are another worker's now: those jobs were aborted, their results will be dropped. */
  lockRenewalFailed: (jobIds: string[]) => void;
  /** Locks of jobs in hand were extended in one call. */
  locksRenewed: (data: { count: number; jobIds: string[] }) => void;
}
