import type { Clock, Deadline } from '@drover/core/kit';
import type { RestartType, SupervisionConfig } from '../config/resolved.js';
import {
  type ChildAdapter,
  type ChildExit,
  describeExit,
  resolveSupervisorFlags,
  Supervisor,
  type SupervisorEnd,
} from '../supervisor/index.js';
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
  /** Slots whose process has not proved itself. */
  readonly #trials = new Set<number>();
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
        forgotten: (id, exit) => deps.onParked(slotOf(id), this.#whyForgotten(slotOf(id), exit)),
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

  /** @param isTrial it is not started again when it fails, and its failure counts for nobody. */
  open(spec: ProcessSpec, isTrial = false): void {
    this.#resize(1);
    if (isTrial) this.#trials.add(spec.slot);
    this.#supervisor.add({
      id: `${PREFIX}${spec.slot}`,
      spec,
      restart: isTrial ? 'temporary' : this.deps.restart,
      shutdown: Number.POSITIVE_INFINITY, // as configured, see the budget of a drain
      startOrder: spec.slot,
    });
  }

  /** A process on trial is one like every other from now on. */
  adopt(slot: number): void {
    this.#trials.delete(slot);
    this.#supervisor.setRestart(`${PREFIX}${slot}`, this.deps.restart);
  }

  /** Drains the process of a slot, if there is one, and starts the next; a slot that was given up gets another chance. */
  restart({ slot, generation }: ProcessSpec, drainMs: number): void {
    const id = `${PREFIX}${slot}`;
    if (this.#supervisor.child(id)) {
      this.#supervisor.restart(id, drainMs);
      return;
    }
    this.#resize(-1); // its restart type let it go: the number is still taken
    this.open({ slot, generation });
  }

  /** Drains the process of a slot for good. @param drainMs undefined: as configured. */
  async close(slot: number, drainMs?: number): Promise<void> {
    await this.#supervisor.remove(`${PREFIX}${slot}`, drainMs);
    this.#trials.delete(slot);
    this.#resize(-1);
  }

  stop(deadline: Deadline): Promise<void> {
    return this.#supervisor.stop(deadline);
  }

  #whyForgotten(slot: number, exit: ChildExit): string {
    if (this.#trials.has(slot)) return describeExit(exit);
    return `its restart type, ${this.deps.restart}, does not start it again`;
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
