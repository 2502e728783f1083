export { backoffDelayMs, customBackoffType, NO_RETRY } from './backoff-delay.js';
export { checkJobOptions, JOB_OPTIONS, MAX_PRIORITY } from './check-options.js';
export { InvalidScheduleError, REPEAT_OPTIONS, type Repeat } from './check-repeat.js';
export {
  CHILD_KINDS,
  type ChildKind,
  type ChildPage,
  type DependenciesRequest,
  type DependencyCountsRequest,
  type JobDependencies,
  type PageRequest,
} from './children.js';
export type { JobCommands, ReprocessOptions } from './commands.js';
export { decideOutcome, keepRule, type OutcomeRules, type RunEnd, refusalToRun } from './decide-outcome.js';
export { type Decoded, decodeJson, decodeObject, integerField } from './decode.js';
export { delayOf, MAX_DELAY_MS } from './delay.js';
export { Job, type JobHome, type NextJobData, WAIT_OPTIONS, type WaitOptions } from './job.js';
export {
  PRIORITY_CHANGE,
  type PriorityChange,
  REMOVE_OPTIONS,
  RETRY_OPTIONS,
  type RemoveOptions,
  type RetryOptions,
} from './job-admin.js';
export { toChildJson } from './job-json.js';
export type {
  BackoffOptions,
  DeduplicationOptions,
  JobsOptions,
  KeepJobs,
  ParentOptions,
  RemovalOption,
  RepeatOptions,
} from './job-options.js';
export {
  decodeFetched,
  decodeJob,
  FETCHED_FIELDS,
  type FetchedJob,
  type JobRecord,
  type ParentLink,
  type RawJobFields,
  type ScheduleDuty,
  type StoredJobOptions,
} from './job-record.js';
export type { JobState } from './job-state.js';
export type { JobProgress } from './job-view.js';
export { addedRecord, type NewJob, newJob } from './new-job.js';
export { defaultRepeatStrategy, isOver, nextRunAt, type RepeatRule, type RepeatStrategy, repeatRule, slotFrom } from './next-run.js';
export { commandOf, type KeepRule, type Outcome, type PendingOutcome } from './outcome.js';
export {
  decodeScheduler,
  type JobSchedulerJson,
  type JobSchedulerTemplate,
  type JobSchedulerTemplateOptions,
  type NewScheduler,
  newScheduler,
  TEMPLATE,
} from './scheduler.js';
export { toPublicOptions, toStoredOptions } from './stored-options.js';
