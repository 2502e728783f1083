import { type Logger, silentLogger } from '@drover/core/kit';
import { type ClusterInput, cores, resolveConfig, type SingleGroupInput } from './config/index.js';
import { embeddedChannel } from './control/transports/embedded.js';
import { UnixSocketTransport } from './control/transports/unix-socket.js';
import { taggedLine } from './primary/log-lines.js';
import {
  type CommandOf,
  ControlClient,
  type ControlCommand,
  type EventEnvelope,
  type OperationReply,
  type ReplyOf,
  type ScaleReply,
  type StatusReply,
  type StopMode,
  type StopReport,
  type Victim,
} from './protocol/index.js';
import { type PrimaryHandle, startPrimary } from './start-primary.js';

/** A whole configuration, or a single group given directly as in the guide: `{ queue, connection, processor, ... }`. */
export type WorkerManagerOptions = (ClusterInput | SingleGroupInput) & {
  /** Where lines for operators go; nowhere unless given. What processes print goes to stdout and stderr, tagged with their slot. */
  readonly logger?: Logger;
};

export interface ScaleOptions {
  /** May be left out when there is only one. */
  readonly group?: string;
  /** true (default): resolves when the operation has ended; false: when it was accepted. */
  readonly wait?: boolean;
  /** A repeat with the same key within 5 min gets the first reply instead of being carried out again. */
  readonly key?: string;
}

export interface ScaleDownOptions extends ScaleOptions {
  readonly victim?: Victim;
  /** How long the workers that go may take for the jobs in hand. */
  readonly drainMs?: number;
}

export interface ReloadOptions {
  /** Processes that may exist beyond the number there is, at a time; 1 unless `maxUnavailable` is given. */
  readonly maxSurge?: number;
  /** Processes that may go before their replacement is ready, at a time; 0. */
  readonly maxUnavailable?: number;
  /** Only so many replacements, the first ones, are on probation; all. */
  readonly canary?: number;
  /** How long a new process has to work well before an old one goes; 2 s. */
  readonly probationMs?: number;
  /** true (default): resolves when the operation has ended; false: when it was accepted. */
  readonly wait?: boolean;
  readonly key?: string;
}

export interface StopOptions {
  readonly mode?: StopMode;
  readonly drainMs?: number;
}

type ScaleVerb = 'scale_up' | 'scale_down' | 'scale_to';

/** Commands the workers of a cluster: of one that this program starts, or of one that runs elsewhere on the machine. */
export class WorkerManager {
  private constructor(
    private readonly client: ControlClient,
    private readonly handle: PrimaryHandle | undefined,
  ) {}

  /**
   * Makes this program the primary of a new cluster; resolves when it can be commanded. A group starts with 0 workers and a concurrency
   * of 500 unless it says otherwise. No signal handler is installed and the program is never ended: call `stop`.
   * @throws ConfigError for options that cannot be used, such as a function as processor; FatalError with code NAME_TAKEN (another primary
   * has the name), REDIS_UNREACHABLE, or CLUSTER_WORKER (inside a worker of `node:cluster`).
   */
  static async start({ logger = silentLogger, ...options }: WorkerManagerOptions): Promise<WorkerManager> {
    const config = resolveConfig(options, { cores: cores(), baseDir: process.cwd(), source: 'WorkerManager.start', defaultWorkers: 0 });
    const handle = await startPrimary(config, {
      logger,
      output: (slot, stream, line) => void process[stream].write(`${taggedLine(slot, line)}\n`),
      transports: (host, { name, control }) => [new UnixSocketTransport(host, { name, path: control.socket }, logger)],
    });
    return new WorkerManager(new ControlClient(embeddedChannel(handle.sessions)), handle);
  }

  /** The same methods for a primary that runs elsewhere on this machine. @throws ControlFailure PEER_GONE when there is none. */
  static async connect(target: { readonly name: string } | { readonly socket: string }): Promise<WorkerManager> {
    return new WorkerManager(await ControlClient.connect(target), undefined);
  }

  /** Adds workers. More than the group's maximum is clamped, and the reply says so. @throws ControlFailure */
  scaleUp(count = 1, options: ScaleOptions = {}): Promise<ScaleReply> {
    return this.#scale({ type: 'scale_up', count, group: options.group }, options);
  }

  /** Takes workers out; they drain. Fewer than the group's minimum is clamped, and the reply says so. @throws ControlFailure */
  scaleDown(count = 1, { victim, drainMs, ...options }: ScaleDownOptions = {}): Promise<ScaleReply> {
    return this.#scale({ type: 'scale_down', count, group: options.group, victim, drainMs }, options);
  }

  /** Makes the number of workers `count`, clamped as above. @throws ControlFailure */
  scaleTo(count: number, { victim, drainMs, ...options }: ScaleDownOptions = {}): Promise<ScaleReply> {
    return this.#scale({ type: 'scale_to', count, group: options.group, victim, drainMs }, options);
  }

  /** Workers that run or are about to: of one group, or of all. It has the new value as soon as a scale method was answered. */
  async workerCount(group?: string): Promise<number> {
    return (await this.client.request({ type: 'worker_count', group })).count;
  }

  status(): Promise<StatusReply> {
    return this.client.request({ type: 'status' });
  }

  /**
   * Replaces every process, one after the other, by one that loads its modules anew; counts stay as they are. When a new one fails, the
   * old ones that are left stay, and the promise rejects. @throws ControlFailure BUSY, GAVE_UP
   */
  async reload({ wait = true, key, ...options }: ReloadOptions = {}): Promise<OperationReply> {
    const command = { type: 'reload', ...options } as const;
    const keyed = key === undefined ? {} : { key };
    if (!wait) return this.client.request(command, keyed);
    return (await this.client.run<'reload'>(command, keyed)).reply;
  }

  /** Stops the cluster; resolves with what became of the jobs in hand. Called again, it may sharpen the mode or shorten the drain. */
  async stop({ mode, drainMs }: StopOptions = {}): Promise<StopReport> {
    const { result } = await this.client.run<'stop'>({ type: 'stop', mode, drainMs });
    await this.handle?.exited;
    this.client.close();
    return result as StopReport; // of a stop it is this one
  }

  /** Sends any command. @throws ControlFailure */
  control<C extends ControlCommand>(command: C): Promise<ReplyOf<C['type']>> {
    return this.client.request(command);
  }

  /** Calls `listener` with every event whose topic the pattern (`process.*`, `op`, `*`) covers; resolves, once subscribed, with the way to stop it. */
  on(pattern: string, listener: (event: EventEnvelope) => void): Promise<() => void> {
    return this.client.on(pattern, listener);
  }

  /** Ends the connection of a manager made by `connect`; the cluster goes on. */
  disconnect(): void {
    if (!this.handle) this.client.close();
  }

  async #scale(command: CommandOf<ScaleVerb>, { wait = true, key }: ScaleOptions): Promise<ScaleReply> {
    const options = key === undefined ? {} : { key };
    if (!wait) return this.client.request(command, options);
    return (await this.client.run<ScaleVerb>(command, options)).reply;
  }
}
