import { CodedError } from '@drover/core/kit';

/** Exit codes of the primary and of processes. Clear of Node's own (1-13) and of the shell's (126-165). */
export const ExitCode = {
  ok: 0,
  usage: 64,
  redisUnreachable: 69,
  internal: 70,
  cannotCreate: 73,
  nameTaken: 75,
  badConfig: 78,
  gaveUp: 79,
  stoppedReturned: 80,
  stoppedLost: 81,
  recycled: 90,
  bootFailure: 91,
  watchdog: 92,
  orphaned: 93,
  drainDeadline: 94,
  rootGaveUp: 95,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** A failure that ends a program: one line for the operator, a stable code, and the exit code that goes with it. */
export class FatalError extends CodedError {
  constructor(
    code: string,
    message: string,
    readonly exitCode: ExitCode,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}

/** Configuration that cannot be used: `path` is the bad key as written in the file, e.g. `groups.mail.concurrency`. */
export class ConfigError extends FatalError {
  constructor(
    readonly path: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super('BAD_CONFIG', message, ExitCode.badConfig, options);
  }
}
