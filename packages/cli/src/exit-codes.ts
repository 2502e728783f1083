import { ControlFailure } from '@drover/cluster/protocol';
import { InvalidOptionError } from '@drover/core/kit';

/** What the command line ends with; `drover start` ends with the codes of the primary. See the README. */
export const CliExit = {
  ok: 0,
  /** The command was refused, or its operation failed. */
  failed: 1,
  usage: 64,
  unreachable: 69,
  /** Timed out while the operation goes on. */
  timedOut: 75,
  notPermitted: 77,
} as const;

/** What was typed cannot be meant; the message names the value and the fix. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
}

/** The exit code that goes with whatever ended a command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError || error instanceof InvalidOptionError) return CliExit.usage;
  if (error instanceof ControlFailure) return exitCodeOfFailure(error);
  return isFatal(error) ? error.exitCode : CliExit.failed;
}

function exitCodeOfFailure({ code, details }: ControlFailure): number {
  const isUnderWay = details?.opId !== undefined;
  if (code === 'FORBIDDEN' || code === 'UNAUTHORIZED') return CliExit.notPermitted;
  if (code === 'DEADLINE') return isUnderWay ? CliExit.timedOut : CliExit.unreachable;
  if (code === 'PEER_GONE' && !isUnderWay) return CliExit.unreachable;
  return CliExit.failed;
}

/** Failures of the primary carry their own code; the class is not loaded unless `drover start` is used. */
function isFatal(error: unknown): error is { readonly exitCode: number } {
  return typeof error === 'object' && error !== null && 'exitCode' in error && typeof error.exitCode === 'number';
}
