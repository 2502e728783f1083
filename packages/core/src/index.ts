// The public interface of @drover/core. Names are those of BullMQ where BullMQ has them.
export {
  CommandFailedError,
  ConnectionClosedError,
  ConnectionLostError,
  DelayedError,
  EngineError,
  ErrorCode,
  JobStatusError,
  LockLostError,
  RateLimitError,
  RedisRefusedError,
  RedisUnreachableError,
  UnrecoverableError,
  UnsupportedServerError,
  WaitingChildrenError,
  WaitingError,
} from './errors/index.js';
export {
  type BackoffOptions,
  type DeduplicationOptions,
  type DependenciesRequest,
  type DependencyCountsRequest,
  defaultRepeatStrategy,
  InvalidScheduleError,
  Job,
  type JobDependencies,
  type JobProgress,
  type JobSchedulerJson,
  type JobSchedulerTemplate,
  type JobSchedulerTemplateOptions,
  type JobState,
  type JobsOptions,
  type KeepJobs,
  type NextJobData,
  type ParentOptions,
  type RemovalOption,
  type RepeatOptions,
  type RepeatStrategy,
  type RetryOptions,
} from './job/index.js';
export { InvalidOptionError, type Logger } from './kit/index.js';
export type { FlowJob } from './queue/flow-nodes.js';
export type { FlowOptions, FlowProducerOptions } from './queue/flow-options.js';
export { type FlowEventMap, FlowProducer, type FlowRequest, type JobNode } from './queue/flow-producer.js';
export { JobScheduler, type JobSchedulerOptions } from './queue/job-scheduler.js';
export type { JobType } from './queue/job-types.js';
export { type BulkJob, Queue } from './queue/queue.js';
export type { CleanType } from './queue/queue-admin.js';
export type { QueueEventMap } from './queue/queue-base.js';
export { QueueEvents } from './queue/queue-events.js';
export type { QueueEventsListener } from './queue/queue-events-listener.js';
export type { QueueEventsOptions, QueueEventsProducerOptions } from './queue/queue-events-options.js';
export { type CustomEvent, type EventField, QueueEventsProducer } from './queue/queue-events-producer.js';
export type { QueueOptions } from './queue/queue-options.js';
export type { QueueMetaValues } from './queue/queue-status.js';
export type { QueueDependencies } from './queue/queue-view.js';
export type { ConnectionInput } from './redis/index.js';
export type { JobInHand, Runtime } from './runtime/runtime.js';
export {
  ProcessorFileError,
  SandboxExitError,
  type SandboxedJob,
  type SandboxedJobProcessor,
  SandboxKilledError,
  SandboxValueError,
} from './sandbox/index.js';
export type { QueueMetrics } from './store/index.js';
export { channels, type JobMessage } from './telemetry/channels.js';
export { MetricNames, SpanKind, TelemetryAttributes } from './telemetry/names.js';
export type { Attributes, AttributeValue, ContextManager, Meter, Span, Telemetry, Tracer } from './telemetry/telemetry.js';
export type { DrainOptions, DrainReport, JobRef } from './worker/drain.js';
export type { ProcessorFunction } from './worker/executor.js';
export type { Processor } from './worker/load-processor.js';
export { MetricsTime } from './worker/metrics-time.js';
export { type AbortCause, JobAbortedError } from './worker/run.js';
export { Worker } from './worker/worker.js';
export type { WorkerEvents } from './worker/worker-events.js';
export type { BackoffStrategy, WorkerOptions } from './worker/worker-options.js';
