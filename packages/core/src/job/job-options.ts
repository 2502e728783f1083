/** `true`: remove at once; `false`: keep all; n: keep the newest n; an object: see `KeepJobs`. */
export type RemovalOption = boolean | number | KeepJobs;

/** Which finished jobs stay: the newest `count`, not older than `age` seconds; at most `limit` are removed each time a job finishes. */
export interface KeepJobs {
  count?: number;
  age?: number;
  limit?: number;
}

export interface BackoffOptions {
  /** `fixed`, `exponential`, or a name that the worker's `settings.backoffStrategy` knows. */
  type: string;
  /** ms. */
  delay?: number;
  /** 0 to 1: how much of the delay is left to chance. */
  jitter?: number;
}

export interface DeduplicationOptions {
  id: string;
  ttl?: number;
  extend?: boolean;
  replace?: boolean;
  reschedule?: boolean;
  keepLastIfActive?: boolean;
}

export interface ParentOptions {
  id: string;
  /** Qualified name of the parent's queue: `<prefix>:<queue>`. */
  queue: string;
}

/** When the jobs of a scheduler run, with BullMQ's names: by `pattern` or by `every`, never both. */
export interface RepeatOptions {
  /** Cron expression of 5 fields, or of 6 with seconds first; or whatever `settings.repeatStrategy` understands. */
  pattern?: string;
  /** ms from slot to slot. */
  every?: number;
  /** Iterations in all; one that is reached adds nothing. */
  limit?: number;
  startDate?: Date | number | string;
  endDate?: Date | number | string;
  /** IANA zone of the pattern. Default: the zone of the process that computes the next slot. */
  tz?: string;
  /** The first job runs at once, whatever the pattern says; with `every` it does anyway. */
  immediately?: boolean;
  /** ms that the grid of an interval is shifted by. */
  offset?: number;
  /** Iterations that count as done already. */
  count?: number;
  /** Accepted for compatibility, without effect. */
  key?: string;
  /** Accepted for compatibility, without effect. */
  jobId?: string;
  /** Accepted for compatibility, without effect. */
  prevMillis?: number;
}

/** What a caller may say about a job, with BullMQ's names. */
export interface JobsOptions {
  /** Epoch ms at which the job counts as added. Default: now. */
  timestamp?: number;
  /** 1 (most urgent) to 2097151; 0: none. */
  priority?: number;
  /** ms before the job may start. */
  delay?: number;
  /** Tries in all. Default 1. */
  attempts?: number;
  backoff?: number | BackoffOptions;
  /** Run next instead of last. */
  lifo?: boolean;
  removeOnComplete?: RemovalOption;
  removeOnFail?: RemovalOption;
  /** Rows of the job's log that stay. */
  keepLogs?: number;
  /** Stack traces that stay, the newest ones. Default 10. */
  stackTraceLimit?: number;
  /** Bytes of JSON that `data` may take. */
  sizeLimit?: number;
  /** An id of the caller's own; a second add with it is ignored while the first job is stored. */
  jobId?: string;
  parent?: ParentOptions;
  deduplication?: DeduplicationOptions;
  repeat?: RepeatOptions;
  repeatJobKey?: string;
  prevMillis?: number;
  failParentOnFailure?: boolean;
  continueParentOnFailure?: boolean;
  ignoreDependencyOnFailure?: boolean;
  removeDependencyOnFailure?: boolean;
  telemetry?: { metadata?: string; omitContext?: boolean };
}
