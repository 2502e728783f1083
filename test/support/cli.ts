/** The command line, driven as a user drives it: its program, its exit code, what it printed. */
import type { SpawnOptions } from 'node:child_process';
import { join } from 'node:path';
import { type Program, startNode } from './process-harness.js';

/** The root of the project. */
export const ROOT = join(import.meta.dirname, '..', '..');

const DROVER = join(ROOT, 'packages', 'cli', 'bin', 'drover.js');

/** What one finished call of `drover` left. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of a call: those of a spawn, and how long it may take (default 30 s). */
export interface CliOptions extends SpawnOptions {
  readonly limitMs?: number;
}

/** Runs `drover` to its end. */
export async function drover(args: readonly string[], { limitMs = 30_000, ...options }: CliOptions = {}): Promise<CliResult> {
  const program = startDrover(args, options);
  program.child.stdin?.end();
  const { code } = await program.exit(limitMs);
  return { code, stdout: program.stdout, stderr: program.stderr };
}

/** Runs `drover ... --json` to its end and parses the one document it prints. @throws when it fails or prints anything else. */
export async function droverJson<T = unknown>(args: readonly string[], options: CliOptions = {}): Promise<T> {
  const { code, stdout, stderr } = await drover([...args, '--json'], options);
  if (code !== 0) throw new Error(`drover ${args.join(' ')} ended with ${code}: ${stderr || stdout}`);
  return JSON.parse(stdout) as T;
}

/** Starts `drover` and leaves it running: for `drover start`. */
export function startDrover(args: readonly string[], options: SpawnOptions = {}): Program {
  return startNode(DROVER, args, options);
}
