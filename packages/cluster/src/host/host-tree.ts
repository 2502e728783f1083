/**
 * What runs in a process, as a tree of supervisors:
 *
 *     root (rest_for_one, 1 in 60 s)
 *       |- a runtime for each Redis target
 *       `- groups (one_for_one, 1 in 60 s)
 *            `- a supervisor for each group (the group's own rules), its children are workers
 *
 * A runtime that breaks takes the groups down and up with it. When the root gives up, the process is at its end.
 */
import { type Clock, type Deadline, deferred, type Logger } from '@drover/core/kit';
import type { GroupConfig } from '../config/resolved.js';
import type { WorkerChange } from '../link/index.js';
import type { DrainReport, JobRef } from '../protocol/index.js';
import { type ChildHandle, Supervisor, SupervisorAdapter, type SupervisorFlags } from '../supervisor/index.js';
import type { DrainTarget } from './drain.js';
import { ForeignAdapter } from './foreign-adapter.js';
import { Groups } from './groups.js';
import { Hands } from './hands.js';
import type { DrainOptions, HostedEngine, HostedRuntime } from './hosted-worker.js';
import type { LoadedModule } from './load-module.js';
import { RuntimeAdapter, type RuntimeSpec, targetOf } from './runtime-adapter.js';
import { WorkerAdapter, type WorkerAdapterDeps } from './worker-adapter.js';

export interface HostTreeDeps<Runtime extends HostedRuntime> {
  readonly engine: HostedEngine<Runtime>;
  readonly incarnation: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly changed: (change: WorkerChange) => void;
  readonly groupFailed: (group: string, restarts: number, reason: string) => void;
  /** The root has given up; its children are being stopped. */
  readonly gaveUp: (reason: string) => void;
}

/** A group's configuration and what its workers run. */
export interface LoadedGroup {
  readonly config: GroupConfig;
  readonly module: LoadedModule;
}

type RootSpec = { readonly kind: 'runtime'; readonly runtime: RuntimeSpec } | { readonly kind: 'groups' };

const LEVEL: SupervisorFlags = {
  intensity: 1,
  periodMs: 60_000,
  strategy: 'one_for_one',
  maxConsecutiveFailures: 5,
  resetAfterMs: 30_000,
  backoff: { firstMs: 0, baseMs: 250, factor: 2, capMs: 15_000, jitter: 'full' },
  onGiveUp: 'escalate',
};
const GROUPS = 'groups';
const RUNTIME_SHUTDOWN_MS = 5_000;

export class HostTree<Runtime extends HostedRuntime> implements DrainTarget {
  readonly hands = new Hands();
  readonly #groups: Groups;
  readonly #runtimes: RuntimeAdapter<Runtime>;
  readonly #root: Supervisor<RootSpec>;
  readonly #ready = deferred();
  /** Runs of jobs so far. */
  readonly ended = { completed: 0, failed: 0 };

  constructor(
    private readonly loaded: readonly LoadedGroup[],
    private readonly deps: HostTreeDeps<Runtime>,
  ) {
    const { engine, incarnation, clock, logger } = deps;
    const modules = new Map(loaded.map(({ config, module }) => [config.group, module]));
    this.#runtimes = new RuntimeAdapter(engine, incarnation, clock, logger);
    this.#groups = new Groups(
      loaded.map(({ config }) => config),
      {
        ...deps,
        adapterOf: (config) => this.#workerAdapter(modules.get(config.group) as LoadedModule),
        jobsInHand: (worker) => this.hands.jobsOf(worker).length,
        lingering: (worker) => this.hands.jobsOf(worker),
      },
    );
    this.#root = this.#makeRoot();
  }

  /** Resolves when the runtimes run and workers can be started. @throws Error when the root gives up before. */
  async start(share: number): Promise<void> {
    this.setShare(share);
    let startOrder = 0;
    for (const runtime of runtimeSpecs(this.loaded)) {
      const id = `runtime ${startOrder + 1}`; // a connection may carry a password: it is no name
      this.#root.add({
        id,
        spec: { kind: 'runtime', runtime },
        restart: 'permanent',
        shutdown: RUNTIME_SHUTDOWN_MS,
        startOrder: startOrder++,
      });
    }
    this.#root.add({ id: GROUPS, spec: { kind: 'groups' }, restart: 'permanent', shutdown: Number.POSITIVE_INFINITY, startOrder });
    await this.#ready.promise;
  }

  setShare(share: number): void {
    this.#runtimes.setShare(share);
  }

  startWorkers(group: string, workers: readonly string[]): void {
    this.#groups.start(group, workers);
  }

  /** The facts tell when each is gone. Resolves when all are, with whether any of them left jobs that linger. */
  async stopWorkers(workers: readonly string[], drainMs: number, options: DrainOptions): Promise<boolean> {
    const stops = workers.map((worker) => {
      this.hands.setDrainOptions(worker, options);
      return this.#groups.stop(worker, drainMs);
    });
    await Promise.all(stops);
    return workers.some((worker) => this.hands.jobsOf(worker).length > 0);
  }

  /** Workers that were told to linger, of which nothing is left now. */
  settled(): readonly string[] {
    const names = new Set(this.hands.prune().map(({ name }) => name));
    return [...names].filter((name) => this.hands.jobsOf(name).length === 0 && this.#groups.settled(name));
  }

  hand(): readonly JobRef[] {
    return this.hands.jobs();
  }

  quiesce(): Promise<void> {
    return this.#runtimes.quiesce();
  }

  async endWorkers(deadline: Deadline, abortLeadMs: number): Promise<DrainReport> {
    this.hands.drainAll({ abortLeadMs, onDeadline: 'return' });
    await Promise.all([this.#root.remove(GROUPS, deadline.remainingMs()), this.hands.finishLingering(deadline.remainingMs())]);
    await this.hands.finishLingering(deadline.remainingMs()); // drains that were under way when this one began
    return this.hands.report();
  }

  /** Ends what is left, the runtimes, after the workers. */
  async stop(deadline: Deadline): Promise<void> {
    await this.#root.stop(deadline);
  }

  #makeRoot(): Supervisor<RootSpec> {
    const { clock, random, logger } = this.deps;
    const groups = new SupervisorAdapter(() => this.#makeGroups(), clock);
    const adapter = {
      start: (spec: RootSpec, unwanted: AbortSignal): Promise<ChildHandle> =>
        spec.kind === 'runtime' ? this.#runtimes.start(spec.runtime, unwanted) : groups.start(undefined),
    };
    return new Supervisor<RootSpec>(
      adapter,
      { ...LEVEL, strategy: 'rest_for_one', stopInReverse: true },
      {
        clock,
        random,
        listener: {
          started: (id) => {
            if (id === GROUPS) this.#ready.resolve();
          },
          startFailed: (id, error) => logger.error('start failed', { child: id, error: error.message }),
          gaveUp: (reason) => {
            this.#ready.reject(new Error(reason));
            this.deps.gaveUp(reason);
          },
        },
      },
    );
  }

  #makeGroups(): Supervisor<string> {
    const supervisor = new Supervisor(
      new SupervisorAdapter((name: string) => this.#groups.supervise(name), this.deps.clock),
      LEVEL,
      this.deps,
    );
    for (const [startOrder, id] of this.#groups.names.entries()) {
      supervisor.add({ id, spec: id, restart: 'permanent', shutdown: Number.POSITIVE_INFINITY, startOrder });
    }
    return supervisor;
  }

  #workerAdapter(module: LoadedModule): WorkerAdapter | ForeignAdapter {
    const { clock, logger, engine } = this.deps;
    const deps: WorkerAdapterDeps = {
      clock,
      logger,
      drainOptions: ({ drain }) => this.hands.drainOptions({ abortLeadMs: drain.abortLeadMs, onDeadline: 'linger' }),
      onStarted: (child) => this.hands.add(child),
      onJob: (end) => this.ended[end]++,
    };
    if (module.kind === 'worker') return new ForeignAdapter(module.make, deps);
    const { processor } = module;
    return new WorkerAdapter(({ name, group }) => {
      const runtime = this.#runtimes.runtime(targetOf(group.connection));
      return { worker: engine.createWorker({ name, group, processor, runtime }), runtime };
    }, deps);
  }
}

/** One for each Redis target that engine workers use; foreign workers bring their own connections. */
function runtimeSpecs(loaded: readonly LoadedGroup[]): RuntimeSpec[] {
  const specs = new Map<string, RuntimeSpec>();
  for (const { config, module } of loaded) {
    if (module.kind !== 'processor') continue;
    const target = targetOf(config.connection);
    const queues = [...(specs.get(target)?.queues ?? []), config.queue];
    specs.set(target, { target, connection: config.connection, queues });
  }
  return [...specs.values()];
}
