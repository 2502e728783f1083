import { type Clock, Deadline, deferred, type Logger, messageOf } from '@drover/core/kit';
import type { ConnectionConfig } from '../config/resolved.js';
import type { ChildAdapter, ChildExit, ChildHandle } from '../supervisor/index.js';
import type { HostedEngine, HostedRuntime } from './hosted-worker.js';

/** One Redis target and the queues that are consumed there. */
export interface RuntimeSpec {
  /** Equal for equal connections. */
  readonly target: string;
  readonly connection: ConnectionConfig;
  readonly queues: readonly string[];
}

/** What a runtime may take beyond its deadline to close its connections. */
const CLOSE_MS = 500;

/** Starts and stops runtimes. Owns the table of those that run, by target: workers find theirs here. */
export class RuntimeAdapter<Runtime extends HostedRuntime> implements ChildAdapter<RuntimeSpec> {
  readonly #running = new Map<string, { readonly runtime: Runtime; readonly spec: RuntimeSpec }>();
  #share = 1;

  constructor(
    private readonly engine: HostedEngine<Runtime>,
    private readonly incarnation: string,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** The runtime of a target; workers are started only while it runs. */
  runtime(target: string): Runtime {
    const entry = this.#running.get(target);
    if (!entry) throw new Error('the runtime of this worker does not run');
    return entry.runtime;
  }

  /** How many processes serve each queue. Holds for runtimes that start later, too. */
  setShare(share: number): void {
    this.#share = share;
    for (const { runtime, spec } of this.#running.values()) this.#applyShare(runtime, spec);
  }

  /** Stops all fetching, for good; resolves when what is in hand is final. */
  async quiesce(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ runtime }) => runtime.quiesce()));
  }

  async start(spec: RuntimeSpec, unwanted: AbortSignal): Promise<ChildHandle> {
    const runtime = this.engine.createRuntime({ connection: spec.connection, incarnation: this.incarnation, logger: this.logger });
    const failed = deferred<ChildExit>();
    runtime.on('error', (error) => this.logger.warn('redis', { error: messageOf(error) }));
    runtime.on('failed', (error) => failed.resolve({ kind: 'abnormal', error }));
    try {
      await this.#ready(runtime, unwanted);
    } catch (error) {
      await this.#stop(runtime, 0);
      throw error;
    }
    this.#applyShare(runtime, spec);
    this.#running.set(spec.target, { runtime, spec });
    return this.#handle(runtime, spec, failed.promise);
  }

  #handle(runtime: Runtime, { target }: RuntimeSpec, failed: Promise<ChildExit>): ChildHandle {
    const stopped = deferred<ChildExit>();
    const exited = Promise.race([failed, stopped.promise]).then((exit) => {
      this.#running.delete(target);
      return exit;
    });
    return {
      exited,
      stop: async (shutdown) => {
        await this.#stop(runtime, shutdown === 'brutal_kill' ? 0 : shutdown);
        stopped.resolve({ kind: 'shutdown' });
      },
    };
  }

  /** Waits until Redis answers, however long that takes: how long a boot may last is the primary's rule. */
  async #ready(runtime: Runtime, unwanted: AbortSignal): Promise<void> {
    const given = deferred();
    runtime.on('ready', () => given.resolve());
    runtime.on('failed', (error) => given.reject(error));
    unwanted.addEventListener('abort', () => given.reject(new Error('stopped while it started')), { once: true });
    runtime.start().then(given.resolve, (error: unknown) => {
      if (runtime.state === 'offline') this.logger.warn('redis does not answer yet', { error: messageOf(error) });
      else given.reject(error);
    });
    await given.promise;
  }

  async #stop(runtime: Runtime, ms: number): Promise<void> {
    const deadline = Deadline.in(Math.max(ms, CLOSE_MS), this.clock);
    await runtime.stop(deadline);
    deadline.clear();
  }

  #applyShare(runtime: Runtime, spec: RuntimeSpec): void {
    for (const queue of spec.queues) runtime.setShare(queue, this.#share);
  }
}

/** Texts are compared as they are, options by their JSON with sorted keys. */
export function targetOf(connection: ConnectionConfig): string {
  if (typeof connection === 'string') return connection;
  return JSON.stringify(Object.entries(connection).sort(([a], [b]) => (a < b ? -1 : 1)));
}
