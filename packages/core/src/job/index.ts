export { type Decoded, decodeJson, decodeObject, integerField } from './decode.js';
export {
  decodeFetched,
  decodeJob,
  FETCHED_FIELDS,
  type FetchedJob,
  type JobRecord,
  type RawJobFields,
  type StoredJobOptions,
} from './job-record.js';
export type { KeepRule, Outcome, PendingOutcome } from './outcome.js';
