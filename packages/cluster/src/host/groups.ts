import type { Clock, Logger } from '@drover/core/kit';
import type { GroupConfig } from '../config/resolved.js';
import type { WorkerChange } from '../link/index.js';
import { ControlFailure, type JobRef } from '../protocol/index.js';
import {
  type ChildAdapter,
  type ChildState,
  resolveSupervisorFlags,
  Supervisor,
  type SupervisorFlags,
  type SupervisorListener,
} from '../supervisor/index.js';
import type { WorkerSpec } from './worker-adapter.js';

/** A group of this process and the supervisor of its workers. */
interface Group {
  readonly config: GroupConfig;
  readonly adapter: ChildAdapter<WorkerSpec>;
  /** Workers that should run here, in the order they were asked for. */
  readonly roster: Map<string, number>;
  /** Once it ends, what is asked for is started by its successor. */
  supervisor: Supervisor<WorkerSpec> | undefined;
  restarts: number;
}

export interface GroupsDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly adapterOf: (config: GroupConfig) => ChildAdapter<WorkerSpec>;
  readonly jobsInHand: (worker: string) => number;
  /** Jobs that go on in this process after their worker is gone. */
  readonly lingering: (worker: string) => readonly JobRef[];
  readonly changed: (change: WorkerChange) => void;
  readonly groupFailed: (group: string, restarts: number, reason: string) => void;
}

/**
 * Owns the groups of a process: which workers should run here, and the supervisor that runs them. A supervisor that gave up is replaced
 * by a new one with the same workers; who decides that is the supervisor above.
 */
export class Groups {
  readonly #groups = new Map<string, Group>();
  /** Workers that were told as gone but for their jobs. */
  readonly #lingering = new Set<string>();
  #lastOrder = 0;

  constructor(
    configs: readonly GroupConfig[],
    private readonly deps: GroupsDeps,
  ) {
    for (const config of configs) {
      const group = { config, adapter: deps.adapterOf(config), roster: new Map(), supervisor: undefined, restarts: 0 };
      this.#groups.set(config.group, group);
    }
  }

  get names(): readonly string[] {
    return [...this.#groups.keys()];
  }

  /** A new supervisor for a group, its workers added. */
  supervise(name: string): Supervisor<WorkerSpec> {
    const group = this.#group(name);
    const supervisor = new Supervisor(group.adapter, this.#flags(group), { ...this.deps, listener: this.#listener(group) });
    group.supervisor = supervisor;
    group.restarts = 0;
    for (const worker of group.roster.keys()) this.#add(group, supervisor, worker);
    return supervisor;
  }

  /** The last job of a worker has settled. @returns whether it was told to linger: nobody knows yet that it is gone. */
  settled(worker: string): boolean {
    return this.#lingering.delete(worker);
  }

  /**
   * Workers that should run from now on. Those that do already are told again as they are: whoever asks does not know.
   * @throws ControlFailure NOT_FOUND, BUSY
   */
  start(name: string, workers: readonly string[]): void {
    const group = this.#group(name);
    const { roster, supervisor } = group;
    const added = workers.filter((worker) => !roster.has(worker));
    const leaving = added.find((worker) => supervisor?.child(worker));
    if (leaving !== undefined) throw new ControlFailure('BUSY', `worker ${leaving} is being stopped`);
    for (const worker of workers) if (roster.has(worker)) this.#changed(group, worker);
    for (const worker of added) {
      roster.set(worker, ++this.#lastOrder);
      this.#lingering.delete(worker);
    }
    if (!supervisor || supervisor.isEnding) return;
    supervisor.setFlags(this.#flags(group));
    for (const worker of added) this.#add(group, supervisor, worker);
  }

  /** Ends a worker for good. Resolves when it is gone, at once if it is not here. */
  async stop(worker: string, drainMs: number): Promise<void> {
    const group = this.#groups.get(groupOf(worker));
    if (group?.supervisor) {
      group.roster.delete(worker);
      group.supervisor.setFlags(this.#flags(group));
      const wasParked = group.supervisor.child(worker)?.state === 'parked';
      const removed = group.supervisor.remove(worker, drainMs);
      if (wasParked) this.#allChanged(group);
      else this.#changed(group, worker);
      await removed;
    }
    const lingering = this.deps.lingering(worker);
    if (lingering.length > 0) this.#lingering.add(worker);
    const gone = { worker, state: 'gone', jobsInHand: lingering.length, restarts: 0 } as const;
    this.deps.changed(lingering.length > 0 ? { ...gone, lingering: [...lingering] } : gone);
  }

  #group(name: string): Group {
    const group = this.#groups.get(name);
    if (!group) throw new ControlFailure('NOT_FOUND', `there is no group ${name} in this process`);
    return group;
  }

  #add(group: Group, supervisor: Supervisor<WorkerSpec>, worker: string): void {
    supervisor.add({
      id: worker,
      spec: { name: worker, group: group.config },
      restart: group.config.restart,
      shutdown: group.config.drain.deadlineMs,
      startOrder: group.roster.get(worker) as number,
    });
    this.#changed(group, worker);
  }

  #listener(group: Group): SupervisorListener {
    const changed = (worker: string): void => this.#changed(group, worker);
    return {
      started: changed,
      startFailed: (worker, error) => this.#failed(group, worker, error),
      exited: (worker, exit) => this.#failed(group, worker, exit.kind === 'abnormal' ? exit.error : undefined),
      restarting: (worker) => {
        group.restarts++;
        changed(worker);
      },
      parked: () => this.#allChanged(group), // those behind it may be held up now
      forgotten: (worker) => this.#forgotten(group, worker),
      gaveUp: (reason) => this.deps.groupFailed(group.config.group, group.restarts, reason),
    };
  }

  /** A worker that is parked under an ordered strategy holds up those behind it; what becomes of it concerns them all. */
  #allChanged(group: Group): void {
    for (const worker of group.roster.keys()) this.#changed(group, worker);
  }

  #forgotten(group: Group, worker: string): void {
    group.roster.delete(worker);
    this.deps.changed({ worker, state: 'gone', jobsInHand: this.deps.jobsInHand(worker), restarts: 0, forgotten: true });
  }

  #failed(group: Group, worker: string, error: Error | undefined): void {
    if (error) this.deps.logger.warn('worker failed', { worker, error: error.message });
    this.#changed(group, worker);
  }

  #changed(group: Group, worker: string): void {
    const child = group.supervisor?.child(worker);
    if (!child) return;
    const parked = group.supervisor?.parkedBefore(worker);
    const error = child.error ?? (parked && `waits for ${parked}, which was given up`);
    this.deps.changed({
      worker,
      state: parked ? 'parked' : stateOf(child.state, group.roster.has(worker)),
      jobsInHand: this.deps.jobsInHand(worker),
      restarts: child.restarts,
      ...(error !== undefined && { error }),
    });
  }

  #flags({ config, roster }: Group): SupervisorFlags {
    return resolveSupervisorFlags(config.supervision, roster.size);
  }
}

/** The group that a worker's name begins with: `mail` of `mail#31`. */
export function groupOf(worker: string): string {
  return worker.slice(0, worker.lastIndexOf('#'));
}

/** A worker that a strategy stops comes back: it is `starting`. */
function stateOf(state: ChildState, isWanted: boolean): WorkerChange['state'] {
  if (state === 'stopping') return isWanted ? 'starting' : 'draining';
  return state === 'waiting' ? 'starting' : state;
}
