import type { Argv } from 'yargs';
import type { Output } from '../output.js';

/** Arguments as they were typed. */
export type Args = Readonly<Record<string, unknown>>;

/** Options that every command has. */
export interface CommonArgs {
  readonly name?: string;
  readonly socket?: string;
  readonly json: boolean;
  readonly wait?: boolean;
  readonly timeout?: string;
  readonly color: boolean;
}

/** One call of a command. */
export interface Call {
  readonly args: Args & CommonArgs;
  readonly env: NodeJS.ProcessEnv;
  readonly output: Output;
  /** From --timeout; undefined: as long as it takes. */
  readonly timeoutMs: number | undefined;
}

/** A command of the command line. `run` resolves with the exit code; what it throws is shown and has a code of its own. */
export interface CliCommand {
  readonly verb: string;
  readonly aliases: readonly string[];
  readonly positionals: string;
  build(parser: Argv): Argv;
  run(call: Call): Promise<number>;
}

/** An argument as text, if it was given. */
export function textOf(args: Args, name: string): string | undefined {
  const value = args[name];
  return typeof value === 'string' ? value : undefined;
}
