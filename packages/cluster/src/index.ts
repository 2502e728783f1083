// The public interface of @drover/cluster.
export {
  type ClusterConfig,
  type ClusterInput,
  type ConfigFlags,
  cores,
  defineConfig,
  type GroupConfig,
  type GroupInput,
  loadConfig,
  type SingleGroupInput,
} from './config/index.js';
export { ConfigError, ExitCode, FatalError } from './errors/errors.js';
export {
  ControlClient,
  type ControlCommand,
  type ControlError,
  ControlFailure,
  type ControlReply,
  type DrainReport,
  type ErrorCode,
  type EventEnvelope,
  type JobRef,
  type Progress,
  type ScaleReply,
  type StatusReply,
  type StopMode,
  type StopReport,
  type Topic,
  type Victim,
} from './protocol/index.js';
export { type RunPrimaryOptions, runPrimary } from './start-primary.js';
export { type ScaleDownOptions, type ScaleOptions, type StopOptions, WorkerManager, type WorkerManagerOptions } from './worker-manager.js';
