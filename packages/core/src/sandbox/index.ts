export { ProcessorFileError, SandboxExitError, SandboxKilledError, SandboxValueError } from './sandbox-errors.js';
export { type SandboxOptions, type SandboxProcessor, sandboxProcessor } from './sandbox-processor.js';
export type { SandboxedJob, SandboxedJobProcessor } from './sandboxed-job.js';
