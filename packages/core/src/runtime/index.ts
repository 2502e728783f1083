// What a process that hosts workers, or manages such processes, uses besides the public interface: `@drover/core/runtime`.
export { type QueueKeys, type QueueRef, queueKeys, queueRef } from '../keys/queue-keys.js';
export { type ConnectionInput, Connections, type ConnectionsOptions, readServerInfo, type ServerInfo } from '../redis/index.js';
export { type AbnormalEnd, AdminStore, InspectStore, type QueueCounts, type QueueMeta, type RecoveredJobs } from '../store/index.js';
export type { Consumer, HeldJob, JobOwner, Upkeep } from './consumer.js';
export { type JobInHand, Runtime, type RuntimeEvents, type RuntimeOptions, type RuntimeState } from './runtime.js';
