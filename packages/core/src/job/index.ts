export type { FetchedJob, JobRecord, StoredJobOptions } from './job-record.js';
export type { KeepRule, Outcome, PendingOutcome } from './outcome.js';
