import type { ForkOptions } from 'node:child_process';
import type { WorkerOptions as ThreadOptions } from 'node:worker_threads';
import type { Job, JobCommands } from '../job/index.js';
import type { Clock } from '../kit/index.js';
import { processChannel } from './process-channel.js';
import { SandboxPool } from './sandbox-pool.js';
import { serveCall } from './serve-call.js';
import { threadChannel } from './thread-channel.js';

/** How the sandboxes of a worker are made. */
export interface SandboxOptions {
  readonly useThreads: boolean;
  readonly fork: ForkOptions;
  readonly threads: ThreadOptions;
  /** How long a sandbox may stay deaf to an abort, or to being told to stop, before it is killed, ms. */
  readonly graceMs: number;
}

/** A processor whose jobs run in sandboxes. */
export interface SandboxProcessor {
  run(job: Job, token: string, signal: AbortSignal): Promise<unknown>;
  /** @see SandboxPool.close */
  close(busyGraceMs: number): Promise<void>;
}

/**
 * The processor that a file stands for. No sandbox is started before the first job.
 * @param commands of the queue: what jobs ask for is carried out here.
 * @param limit how many sandboxes are kept, now.
 */
export function sandboxProcessor(
  url: URL,
  options: SandboxOptions,
  parts: { readonly clock: Clock; readonly commands: JobCommands; limit(): number },
): SandboxProcessor {
  const { useThreads, fork, threads, graceMs } = options;
  const { clock, commands, limit } = parts;
  const open = () => (useThreads ? threadChannel(threads) : processChannel(fork));
  const pool = new SandboxPool({ url, clock, graceMs, open, limit });
  return {
    run: (job, token, signal) => pool.run({ job, token, signal, serve: (method, args) => serveCall(job, commands, method, args) }),
    close: (busyGraceMs) => pool.close(busyGraceMs),
  };
}
