/**
 * The composition root of the primary. Start: place of the remembered sizes (78) -> name lock (75) -> transports (73) -> Redis answers (69) -> the loop runs, and it can be
 * commanded -> a process is ready: announced once. Stop, after the drain: transports -> Redis -> lock.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { type Clock, Deadline, type Logger, messageOf, systemClock } from '@drover/core/kit';
import { type ClusterConfig, type ConfigFlags, loadConfig } from './config/index.js';
import type { ControlOperations } from './control/control-operations.js';
import { Dispatcher } from './control/dispatcher.js';
import { ParentChannel } from './control/parent-channel.js';
import type { SessionHost, Transport } from './control/transport.js';
import { HostIpcTransport } from './control/transports/host-ipc.js';
import { UnixSocketTransport } from './control/transports/unix-socket.js';
import { ExitCode, FatalError } from './errors/errors.js';
import { forkProcess } from './primary/fork-process.js';
import { type LineSinks, logLines } from './primary/log-lines.js';
import { NameLock } from './primary/name-lock.js';
import { Primary, type PrimaryDeps } from './primary/primary.js';
import { RedisGate } from './primary/redis-gate.js';
import { refuseForeignWorker } from './primary/refuse-foreign-worker.js';
import { residentMemory } from './primary/resident-memory.js';
import { Signals } from './primary/signals.js';
import { standardStreams } from './primary/standard-streams.js';
import { StateFile, stateFilePath } from './primary/state-file.js';
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
  const sizes = config.persistScale ? { sizes: new StateFile(stateFilePath(config.name), logger) } : {};
  const lock = await NameLock.acquire(config.name);
  const gate = new RedisGate(Object.values(config.groups), clock, logger);
  const deps = {
    clock,
    random: Math.random,
    makeId: randomUUID,
    logger,
    version: VERSION,
    fork: forkProcess,
    store: gate,
    rssOf: residentMemory,
  };
  const primary = new Primary(config, { ...deps, ...sizes, output: options.output });
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
    await gate.open(config.redisTimeoutMs, signal);
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

export interface RunPrimaryOptions {
  readonly flags: ConfigFlags;
}

/**
 * The primary as a program of its own, from its configuration to its exit code: what `bin/primary.js` and `drover start` run. It owns the
 * program's signals, its output and its parent's channel, and ends the program.
 */
export async function runPrimary({ flags }: RunPrimaryOptions): Promise<never> {
  const sinks = standardStreams();
  try {
    refuseForeignWorker();
    const config = await loadConfig(flags);
    process.exit(await new Program(config, sinks).run());
  } catch (error) {
    if (error instanceof FatalError && error.exitCode === ExitCode.ok) process.exit(ExitCode.ok);
    sinks.err(`drover: ${error instanceof FatalError ? error.message : describe(error)}`);
    process.exit(error instanceof FatalError ? error.exitCode : ExitCode.internal);
  }
}

/** A mistake of ours is shown in full. */
function describe(error: unknown): string {
  return `internal error: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`;
}

/** One run of the program. */
class Program {
  readonly #parent = new ParentChannel();
  readonly #starting = new AbortController();
  readonly #logger: Logger;
  readonly #output;
  readonly #signals: Signals;
  #handle: PrimaryHandle | undefined;

  constructor(
    private readonly config: ClusterConfig,
    private readonly sinks: LineSinks,
  ) {
    const { logger, output } = logLines(config.logs, sinks);
    this.#logger = logger.child({ cluster: config.name });
    this.#output = output;
    const isTty = isatty(0) || isatty(1);
    const target = {
      stop: (mode: 'drain' | 'fast' | 'now') => this.#stop(mode),
      scale: (by: 1 | -1) => this.#scale(by),
      reload: () => void this.#handle?.operations.reload({}, { transport: 'signal' }),
    };
    this.#signals = new Signals(target, this.#logger, isTty);
  }

  async run(): Promise<ExitCode> {
    process.title = `drover primary ${this.config.name}`;
    process.once('uncaughtException', (error) => this.#onBug(error));
    this.#signals.install();
    this.#parent.listen({ stop: () => this.#stop('drain'), gone: () => this.#onParentGone() });
    this.#parent.start();
    const handle = await startPrimary(this.config, {
      logger: this.#logger,
      output: this.#output,
      signal: this.#starting.signal,
      transports: (host, config, logger) => [
        new UnixSocketTransport(host, { name: config.name, path: config.control.socket }, logger),
        new HostIpcTransport(host, this.#parent),
      ],
    });
    this.#handle = handle;
    this.#logger.info('the primary runs', { pid: process.pid, groups: Object.keys(this.config.groups) });
    void handle.whenReady.then(() => this.#announce());
    const { exitCode, gaveUp } = await handle.exited;
    this.#parent.stop();
    if (gaveUp !== undefined) this.sinks.err(`drover: gave up: ${gaveUp}`);
    return exitCode;
  }

  /** A mistake of ours: what is known of the cluster may be wrong, so it is not worked on. The processes drain as orphans. */
  #onBug(error: Error): void {
    this.sinks.err(`drover: ${describe(error)}`);
    process.exit(ExitCode.internal);
  }

  /** pm2 waits for this text with `wait_ready`; other parents get the event `primary.ready`. */
  #announce(): void {
    this.#logger.info('the primary is ready');
    if (this.#parent.isConnected) this.#parent.send('ready');
  }

  #stop(mode: 'drain' | 'fast' | 'now'): void {
    if (!this.#handle) this.#starting.abort();
    else void this.#handle.stop(mode);
  }

  #scale(by: 1 | -1): void {
    const context = { transport: 'signal' };
    if (by === 1) this.#handle?.operations.scaleUp(undefined, 1, context);
    else this.#handle?.operations.scaleDown(undefined, 1, {}, context);
  }

  /** A daemon of pm2 that dies leaves its apps running, and finds them again by their name. */
  #onParentGone(): void {
    const isUnderPm2 = process.env.pm_id !== undefined;
    this.#logger.info('the channel of the parent is closed', { parentGone: isUnderPm2 ? 'stay' : this.config.control.parentGone });
    if (!isUnderPm2 && this.config.control.parentGone === 'drain') this.#stop('drain');
  }
}
