import { ControlFailure } from '@drover/cluster/protocol';
import { CodedError, messageOf } from '@drover/core/kit';
import { asksForJson, parseArgs } from './args.js';
import { bench } from './commands/bench.js';
import type { CliCommand } from './commands/command.js';
import { count } from './commands/count.js';
import { op } from './commands/op.js';
import { ping } from './commands/ping.js';
import { recycle, reload, restart } from './commands/replace.js';
import { scale } from './commands/scale.js';
import { show } from './commands/show.js';
import { start } from './commands/start.js';
import { status } from './commands/status.js';
import { stop } from './commands/stop.js';
import { exitCodeOf, UsageError } from './exit-codes.js';
import { type Io, Output } from './output.js';
import { parseDuration } from './values.js';

const COMMANDS: readonly CliCommand[] = [start, scale, reload, restart, recycle, stop, status, count, show, op, ping, bench];

/** Runs one command line. @returns the exit code; what went wrong has been said by then. */
export async function main(argv: readonly string[], io: Io = process): Promise<number> {
  let output = new Output(io, asksForJson(argv), true);
  try {
    const invocation = await parseArgs(argv, COMMANDS);
    if (invocation.kind === 'text') {
      io.stdout.write(`${invocation.text}\n`);
      return 0;
    }
    const { command, args } = invocation;
    output = new Output(io, args.json, args.color);
    const timeoutMs = args.timeout === undefined ? undefined : Math.max(1, parseDuration('--timeout', args.timeout));
    return await command.run({ args, env: io.env, output, timeoutMs });
  } catch (error) {
    output.failure(describe(error));
    if (isBug(error)) output.note(error.stack ?? '');
    return exitCodeOf(error);
  }
}

/** An error as it is shown: its stable code, and one line. */
function describe(error: unknown): { code: string; message: string; details?: object | undefined } {
  if (error instanceof UsageError) return { code: error.code, message: error.message };
  if (error instanceof ControlFailure) return { code: error.code, message: hint(error), details: error.details };
  if (error instanceof CodedError) return { code: error.code, message: error.message };
  return { code: 'INTERNAL', message: messageOf(error) };
}

/** An operation that goes on can be asked for later. */
function hint({ code, message, details }: ControlFailure): string {
  return code === 'DEADLINE' && details?.opId !== undefined ? `${message}; ask for it with "drover op ${details.opId} --wait"` : message;
}

/** What nobody foresaw is shown in full. */
function isBug(error: unknown): error is Error {
  return error instanceof Error && !(error instanceof UsageError) && !(error instanceof CodedError);
}
