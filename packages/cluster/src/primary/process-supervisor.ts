import type { Clock, Deadline } from '@drover/core/kit';
import type { RestartType, SupervisionConfig } from '../config/resolved.js';
import { type ChildAdapter, resolveSupervisorFlags, Supervisor, type SupervisorEnd } from '../supervisor/index.js';
import type { ProcessSpec } from './process-adapter.js';

export interface ProcessSupervisorDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly restart: RestartType;
  readonly supervision: SupervisionConfig;
  /** It is not started again until somebody acts. */
  readonly onParked: (slot: number, reason: string) => void;
  readonly onGaveUp: (reason: string) => void;
}

const PREFIX = 'process ';

/** The supervisor of the slots: which of them exist is said by `open` and `close`, when one is forked again by its rules. */
export class ProcessSupervisor {
  readonly #supervisor: Supervisor<ProcessSpec>;
  #slots = 0;

  constructor(
    adapter: ChildAdapter<ProcessSpec>,
    private readonly deps: ProcessSupervisorDeps,
  ) {
    const { clock, random, supervision } = deps;
    this.#supervisor = new Supervisor(adapter, resolveSupervisorFlags(supervision, 1), {
      clock,
      random,
      listener: {
        parked: (id, reason) => deps.onParked(slotOf(id), reason),
        forgotten: (id) => deps.onParked(slotOf(id), `its restart type, ${deps.restart}, does not start it again`),
        gaveUp: deps.onGaveUp,
      },
    });
  }

  /** Resolves when it has stopped or given up, and no process is left. */
  get ended(): Promise<SupervisorEnd> {
    return this.#supervisor.ended;
  }

  /** Slots that wait for one that was given up: their strategy starts them in order. */
  heldUp(): ReadonlySet<number> {
    return new Set(this.#supervisor.heldUp().map(slotOf));
  }

  restartsLeft(): number {
    return this.#supervisor.restartsLeft();
  }

  open(spec: ProcessSpec): void {
    this.#resize(1);
    this.#supervisor.add({
      id: `${PREFIX}${spec.slot}`,
      spec,
      restart: this.deps.restart,
      shutdown: Number.POSITIVE_INFINITY, // as configured, see the budget of a drain
      startOrder: spec.slot,
    });
  }

  /** Drains the process of a slot for good. @param drainMs undefined: as configured. */
  async close(slot: number, drainMs?: number): Promise<void> {
    await this.#supervisor.remove(`${PREFIX}${slot}`, drainMs);
    this.#resize(-1);
  }

  stop(deadline: Deadline): Promise<void> {
    return this.#supervisor.stop(deadline);
  }

  /** The default of the restart intensity grows with the number of processes. */
  #resize(by: number): void {
    this.#slots += by;
    this.#supervisor.setFlags(resolveSupervisorFlags(this.deps.supervision, Math.max(1, this.#slots)));
  }
}

function slotOf(id: string): number {
  return Number(id.slice(PREFIX.length));
}
