import type { GroupConfig } from '../config/resolved.js';
import type { NewLinkRequest } from '../link/index.js';
import { type DesiredState, groupOf } from './desired-state.js';
import type { ObservedState } from './observed-state.js';
import type { Action } from './plan-reconcile.js';
import type { ProcessAdapter } from './process-adapter.js';
import type { ProcessSupervisor } from './process-supervisor.js';

/** Time for an answer: requests are answered as soon as they are understood; what comes of them arrives as facts. */
const ANSWER_MS = 10_000;

/** Takes the steps of a plan: slots through the supervisor, workers through the links. */
export class StepTaker {
  constructor(
    private readonly desired: DesiredState,
    private readonly observed: ObservedState,
    private readonly supervisor: ProcessSupervisor,
    private readonly adapter: ProcessAdapter,
  ) {}

  async take(action: Action): Promise<void> {
    switch (action.do) {
      case 'open':
        return this.supervisor.open({ slot: action.slot, generation: this.desired.generation });
      case 'retire':
        return this.retire(action.slot, this.#longestDrainMs(action.slot));
      case 'start': {
        const { slot, incarnation, group, workers } = action;
        await this.adapter.request(slot, incarnation, { type: 'start_workers', group, workers: [...workers] }, ANSWER_MS);
        return;
      }
      case 'stop':
        return this.#stop(action);
      case 'share': {
        const { slot, incarnation, share } = action;
        await this.adapter.request(slot, incarnation, { type: 'set_share', share }, ANSWER_MS);
      }
    }
  }

  /** Drains the process of a slot for good and frees its number. @param drainMs undefined: as configured. */
  async retire(slot: number, drainMs: number | undefined): Promise<void> {
    await this.supervisor.close(slot, drainMs);
    this.observed.apply({ type: 'freed', slot });
  }

  async #stop({ slot, incarnation, group, workers }: Extract<Action, { do: 'stop' }>): Promise<void> {
    const { drain } = this.desired.config(group) as GroupConfig;
    const times = workers.map((worker) => this.desired.drainMsOf(worker) ?? drain.deadlineMs);
    const drainMs = Math.max(...times);
    const request: NewLinkRequest = {
      type: 'stop_workers',
      workers: [...workers],
      drainMs,
      abortLeadMs: Math.floor(Math.min(drain.abortLeadMs, drainMs)),
      onTimeout: drain.onTimeout,
    };
    await this.adapter.request(slot, incarnation, request, ANSWER_MS);
  }

  /** A process that is retired drains for as long as the most patient of its workers; undefined: as configured for processes. */
  #longestDrainMs(slot: number): number | undefined {
    const times = this.observed
      .workersIn(slot)
      .map((worker) => this.desired.drainMsOf(worker) ?? this.desired.config(groupOf(worker))?.drain.deadlineMs ?? 0);
    return times.length === 0 ? undefined : Math.max(...times);
  }
}
