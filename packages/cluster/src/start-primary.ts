/**
 * The composition root of the primary. Start: name lock (75) -> transports (73) -> Redis answers (69) -> the loop runs, and it can be
 * commanded -> a process is ready: announced once. Stop, after the drain: transports -> Redis -> lock.
 */
import cluster from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Clock, Deadline, type Logger, systemClock } from '@drover/core/kit';
import type { ClusterConfig } from './config/resolved.js';
import type { ControlOperations } from './control/control-operations.js';
import { Dispatcher } from './control/dispatcher.js';
import type { SessionHost, Transport } from './control/transport.js';
import { ExitCode, FatalError } from './errors/errors.js';
import { forkProcess } from './primary/fork-process.js';
import { NameLock } from './primary/name-lock.js';
import { Primary, type PrimaryDeps } from './primary/primary.js';
import { RedisGate } from './primary/redis-gate.js';
import type { StopMode, StopReport } from './protocol/index.js';

export interface StartPrimaryOptions {
  readonly logger: Logger;
  /** A line that a process printed. */
  readonly output: PrimaryDeps['output'];
  /** The ways in for commands. */
  readonly transports: (host: SessionHost, config: ClusterConfig, logger: Logger) => readonly Transport[];
  /** Ends a start that still waits for Redis. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** How a primary ended; `gaveUp` names the first cause, if it did. */
export interface PrimaryExit {
  readonly exitCode: ExitCode;
  readonly report: StopReport;
  readonly gaveUp?: string;
}

export interface PrimaryHandle {
  readonly operations: ControlOperations;
  /** For a channel of the program's own, see `embeddedChannel`. */
  readonly sessions: SessionHost;
  /** Resolves when the first process is ready; never, if none gets there. */
  readonly whenReady: Promise<void>;
  /** Resolves when it has stopped or given up, no process is left, and everything it held is released. */
  readonly exited: Promise<PrimaryExit>;
  /** Stops, or joins the stop under way and may sharpen it. */
  stop(mode?: StopMode, drainMs?: number): Promise<StopReport>;
}

/** What may still be said to clients once everything is over. */
const GOODBYE_MS = 2_000;

/** Version of this package. */
export const VERSION = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;

/** Resolves when the primary can be commanded. Installs no signal handler and never ends the program. @throws FatalError */
export async function startPrimary(config: ClusterConfig, options: StartPrimaryOptions): Promise<PrimaryHandle> {
  refuseForeignWorker();
  const { logger, signal = new AbortController().signal, clock = systemClock() } = options;
  const lock = await NameLock.acquire(config.name);
  const gate = new RedisGate(Object.values(config.groups), clock, logger);
  const deps = { clock, random: Math.random, makeId: randomUUID, logger, version: VERSION, fork: forkProcess, store: gate };
  const primary = new Primary(config, { ...deps, output: options.output });
  const operations: ControlOperations = primary.operations;
  const dispatcher = new Dispatcher(operations, logger, clock);
  const transports = options.transports(dispatcher, config, logger);
  const release = async (): Promise<void> => {
    const deadline = Deadline.in(GOODBYE_MS, clock);
    await Promise.all(transports.map((transport) => transport.stop(deadline)));
    deadline.clear();
    await gate.close();
    await lock.release();
  };
  try {
    for (const transport of transports) await transport.start();
    await gate.open(config.health.bootTimeoutMs, signal);
  } catch (error) {
    await release();
    throw error;
  }
  primary.start();
  const exited = primary.ended.then(async ({ report, gaveUp }) => {
    await release();
    return { exitCode: report.exitCode, report, ...(gaveUp !== undefined && { gaveUp }) };
  });
  const stop = async (mode: StopMode = 'drain', drainMs?: number): Promise<StopReport> => {
    operations.stop(mode, drainMs, { transport: 'embedded' });
    return (await exited).report;
  };
  return { operations, sessions: dispatcher, whenReady: primary.whenReady, exited, stop };
}

/** Under pm2's cluster mode, or in a worker of a host application's own cluster, there is nothing to fork with. @throws FatalError 78 */
export function refuseForeignWorker(): void {
  if (!cluster.isWorker) return;
  throw new FatalError(
    'CLUSTER_WORKER',
    process.env.pm_id === undefined
      ? 'the primary cannot run inside a worker of node:cluster: start it from the primary of that cluster, or as a program of its own'
      : "pm2 started the primary in cluster mode, where it cannot fork: set exec_mode: 'fork' in ecosystem.config.js",
    ExitCode.badConfig,
  );
}
