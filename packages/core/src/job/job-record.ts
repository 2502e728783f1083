/** A job as its hash has it, decoded once. Absent numbers are 0, absent texts undefined. See the data model, section 2.1. */
export interface JobRecord {
  readonly id: string;
  readonly name: string;
  /** Decoded `data`. */
  readonly data: unknown;
  /** Stored options, short names (data model 2.2), decoded. */
  readonly opts: StoredJobOptions;
  readonly timestamp: number;
  readonly delay: number;
  readonly priority: number;
  readonly attemptsMade: number;
  readonly attemptsStarted: number;
  readonly stalledCounter: number;
  readonly processedOn: number | undefined;
  readonly processedBy: string | undefined;
  readonly finishedOn: number | undefined;
  readonly progress: unknown;
  /** Decoded `returnvalue`; the raw text if it is not JSON (Elixir stores some values raw). */
  readonly returnvalue: unknown;
  readonly failedReason: string | undefined;
  readonly stacktrace: readonly string[];
  readonly parentKey: string | undefined;
  readonly parent: { readonly id: string; readonly queueKey: string } | undefined;
  readonly repeatJobKey: string | undefined;
  readonly deduplicationId: string | undefined;
  /** Set: the next activation must fail the job with this text, without running it. */
  readonly deferredFailure: string | undefined;
}

/** The stored form of job options; unknown names are kept. */
export interface StoredJobOptions {
  readonly attempts?: number;
  readonly backoff?: { readonly type: string; readonly delay?: number; readonly jitter?: number };
  readonly delay?: number;
  readonly priority?: number;
  readonly lifo?: boolean;
  readonly removeOnComplete?: boolean | number | { count?: number; age?: number; limit?: number };
  readonly removeOnFail?: boolean | number | { count?: number; age?: number; limit?: number };
  readonly jobId?: string;
  readonly timestamp?: number;
  readonly stackTraceLimit?: number;
  readonly [name: string]: unknown;
}

/** One job out of an exchange: decoded, locked with `token`, not yet delivered. */
export interface FetchedJob {
  readonly record: JobRecord;
  readonly token: string;
  /** Set when the stored data or options could not be decoded: the job is failed with this text instead of being run. */
  readonly undecodable?: string;
}
