import { EngineError } from '../errors/index.js';

/** How a sandbox ended: what the operating system, or for a thread Node, says of it. */
export interface SandboxEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** It could not be started, or an error that nobody caught ended it. */
  readonly error?: unknown;
}

/** The sandbox ended while it ran a job. The message is BullMQ's. */
export class SandboxExitError extends EngineError {
  constructor(
    readonly exitCode: number | null,
    readonly signal: string | null,
    options?: ErrorOptions,
  ) {
    super('SANDBOX_EXITED', `Unexpected exit code: ${exitCode} signal: ${signal}`, options);
  }
}

/** A job was to be aborted, its sandbox gave no sign of life for `graceMs`, and was killed. `cause` is the reason of the abort. */
export class SandboxKilledError extends EngineError {
  constructor(
    readonly jobId: string,
    readonly graceMs: number,
    cause: unknown,
  ) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super('SANDBOX_KILLED', `job ${jobId} was aborted (${reason}), its sandbox did not react for ${graceMs} ms and was killed`, { cause });
  }
}

/** What a processor returned, or gave to its job, is too large to leave the sandbox. */
export class SandboxValueError extends EngineError {
  constructor(what: string, bytes: number, maxBytes: number) {
    super('SANDBOX_VALUE_TOO_LARGE', `${what} has ${bytes} bytes as JSON, more than the ${maxBytes} that may leave a sandbox`);
  }
}

/** The file of a processor cannot be used. `cause` is what it threw, if it did. */
export class ProcessorFileError extends EngineError {
  constructor(
    readonly file: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super('PROCESSOR_FILE', `processor file ${file} ${problem}`, options);
  }
}
