import { type Logger, messageOf } from '@drover/core/kit';
import type { ClusterConfig, ConfigFlags } from './config/index.js';
import { loadConfig } from './config/index.js';
import { ParentChannel } from './control/parent-channel.js';
import { HostIpcTransport } from './control/transports/host-ipc.js';
import { UnixSocketTransport } from './control/transports/unix-socket.js';
import { ExitCode, FatalError } from './errors/errors.js';
import { type LineSinks, logLines } from './log-lines.js';
import { Signals } from './primary/signals.js';
import { type PrimaryHandle, refuseForeignWorker, startPrimary } from './start-primary.js';

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
    const isTty = Boolean(process.stdin.isTTY || process.stdout.isTTY);
    const target = {
      stop: (mode: 'drain' | 'fast' | 'now') => this.#stop(mode),
      scale: (by: 1 | -1) => this.#scale(by),
    };
    this.#signals = new Signals(target, this.#logger, isTty);
  }

  async run(): Promise<ExitCode> {
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

/** Lines to stdout and stderr, which may lose their reader (a pipe to a daemon that died): then they go nowhere. */
function standardStreams(): LineSinks {
  const to = (stream: NodeJS.WriteStream) => {
    let isOpen = true;
    stream.on('error', () => {
      isOpen = false;
    });
    return (line: string): void => {
      if (isOpen) stream.write(`${line}\n`);
    };
  };
  return { out: to(process.stdout), err: to(process.stderr) };
}
