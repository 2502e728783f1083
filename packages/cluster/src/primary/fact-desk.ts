import { type Logger, toError } from '@drover/core/kit';
import type { Fact as LinkFact } from '../link/index.js';
import type { Topic, WorkerState } from '../protocol/index.js';
import type { DesiredState } from './desired-state.js';
import type { EventHub } from './event-hub.js';
import type { ProcessIdentity } from './fork-process.js';
import type { ProcessEnded } from './forked-process.js';
import type { Fact, ObservedState } from './observed-state.js';
import type { ProcessListener } from './process-adapter.js';

export interface FactDeskDeps {
  readonly desired: DesiredState;
  readonly observed: ObservedState;
  readonly events: EventHub;
  readonly logger: Logger;
  /** A line that a process wrote. */
  readonly output: (slot: number, stream: 'stdout' | 'stderr', line: string) => void;
  readonly wake: () => void;
  readonly onReady: () => void;
  readonly onEnded: (identity: ProcessIdentity, end: ProcessEnded) => void;
  /** Replaces the process of a slot. */
  readonly requestRecycle: (slot: number, reason: string) => void;
  /** The watchdog of a process says that its loop stands still. */
  readonly onSuspect: (slot: number, silentMs: number) => void;
  readonly onDrainProgress: (slot: number, left: number) => void;
}

type WorkerChanges = Extract<LinkFact, { type: 'worker_state' }>['changes'];

const TOPIC_OF_STATE: Partial<Record<WorkerState, Topic>> = {
  running: 'worker.running',
  draining: 'worker.draining',
  parked: 'worker.parked',
};

/** Takes every fact about processes: writes it down, tells subscribers, wakes the loop. */
export class FactDesk implements ProcessListener {
  constructor(private readonly deps: FactDeskDeps) {}

  forked({ slot, generation, incarnation }: ProcessIdentity, pid: number, share: number): void {
    this.#note({ type: 'forked', slot, incarnation, pid, share }, 'process.booting', { slot, pid, generation, incarnation });
  }

  booted({ slot, incarnation }: ProcessIdentity): void {
    this.#note({ type: 'ready', slot, incarnation }, 'process.ready', { slot, incarnation });
    this.deps.onReady();
  }

  draining({ slot, incarnation }: ProcessIdentity): void {
    this.#note({ type: 'draining', slot, incarnation }, 'process.draining', { slot, incarnation });
  }

  ended(identity: ProcessIdentity, end: ProcessEnded): void {
    const { slot, incarnation } = identity;
    const { code, signal, class: kind, cause, uptimeMs, reason } = end.exit;
    const fields = { slot, incarnation, code, signal, class: kind, cause, uptimeMs, reason };
    this.deps.logger[end.exit.class === 'abnormal' ? 'error' : 'info']('a process has ended', fields);
    this.#note({ type: 'exited', slot, incarnation, exit: end.exit }, 'process.exited', fields);
    this.deps.onEnded(identity, end);
  }

  suspected({ slot, incarnation }: ProcessIdentity, silentMs: number): void {
    if (this.deps.observed.slot(slot)?.incarnation === incarnation) this.deps.onSuspect(slot, silentMs);
  }

  line({ slot }: ProcessIdentity, stream: 'stdout' | 'stderr', line: string): void {
    this.deps.output(slot, stream, line);
  }

  /** Given up by the supervisor. */
  parked(slot: number, reason: string): void {
    this.deps.logger.error('a process was given up', { slot, reason });
    this.#note({ type: 'parked', slot, error: reason }, 'process.parked', { slot, reason });
  }

  fact({ slot, incarnation }: ProcessIdentity, fact: LinkFact): void {
    switch (fact.type) {
      case 'heartbeat':
        this.deps.observed.apply({ type: 'heartbeat', slot, incarnation, beat: fact }); // no news for the loop
        return;
      case 'worker_state':
        this.#onWorkers(slot, incarnation, fact.changes);
        return;
      case 'group_failed': {
        const { group, restarts, error } = fact;
        this.deps.logger.error('the supervisor of a group gave up', { slot, group, restarts, error });
        this.deps.events.publish('group.failed', { slot, group, restarts, error });
        return;
      }
      case 'boot_failed':
        this.deps.logger.error('a process cannot boot', { slot, error: fact.error });
        return;
      case 'drain_progress':
        this.deps.onDrainProgress(slot, fact.left);
        return;
      case 'drained':
        this.#note({ type: 'drained', slot, incarnation, report: fact.report }, 'process.drained', { slot, report: fact.report });
        return;
      case 'log':
        this.deps.logger[fact.level](fact.line, { slot });
        return;
      case 'recycle_me':
        this.deps.logger.warn('a process asks to be replaced', { slot, reason: fact.reason });
        this.deps.requestRecycle(slot, fact.reason);
        return;
      case 'hello':
      case 'ready':
        return; // the process itself acts on them
    }
  }

  #onWorkers(slot: number, incarnation: string, changes: WorkerChanges): void {
    const { desired, observed, events } = this.deps;
    const known = changes.filter(({ worker }) => observed.workers.get(worker)?.slot === slot);
    const failed = known.filter(({ worker, restarts }) => restarts > (observed.workers.get(worker)?.restarts ?? 0));
    if (!observed.apply({ type: 'workers', slot, incarnation, changes })) return;
    for (const { worker } of known.filter((change) => change.forgotten)) desired.forget(worker);
    for (const [state, topic] of Object.entries(TOPIC_OF_STATE)) {
      const workers = known.filter((change) => change.state === state).map((change) => change.worker);
      if (workers.length > 0) events.publish(topic, { slot, workers });
    }
    for (const { worker, restarts, error } of failed) events.publish('worker.failed', { slot, worker, restarts, error });
    for (const { worker, lingering } of known) if (lingering?.length) events.publish('worker.lingering', { slot, worker, lingering });
    this.deps.wake();
  }

  #note(fact: Fact, topic: Topic, data: Readonly<Record<string, unknown>>): void {
    if (!this.deps.observed.apply(fact)) {
      this.deps.logger.debug('a fact was dropped', {
        fact: fact.type,
        slot: fact.slot,
        error: toError('stale, or not possible in this state'),
      });
      return;
    }
    this.deps.events.publish(topic, data);
    this.deps.wake();
  }
}
