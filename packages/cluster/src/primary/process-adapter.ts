import type { Logger } from '@drover/core/kit';
import type { DrainReason, LinkResult, NewLinkRequest } from '../link/index.js';
import { ControlFailure } from '../protocol/index.js';
import type { ChildAdapter, ChildHandle } from '../supervisor/index.js';
import type { ProcessIdentity } from './fork-process.js';
import { ForkedProcess, type ProcessDeps, type ProcessEnded, type ProcessInit, type ProcessWatcher } from './forked-process.js';
import type { StopBudget } from './stop-budget.js';

/** What a slot is started from; the incarnation is made at each start. */
export interface ProcessSpec {
  readonly slot: number;
  readonly generation: number;
}

/** Hears of everything that happens to processes. */
export interface ProcessListener {
  forked(identity: ProcessIdentity, pid: number, share: number): void;
  booted(identity: ProcessIdentity): void;
  draining(identity: ProcessIdentity): void;
  fact(identity: ProcessIdentity, fact: Parameters<ProcessWatcher['fact']>[0]): void;
  suspected(identity: ProcessIdentity, silentMs: number): void;
  line(identity: ProcessIdentity, stream: 'stdout' | 'stderr', line: string): void;
  ended(identity: ProcessIdentity, end: ProcessEnded): void;
}

export interface ProcessAdapterDeps extends Omit<ProcessDeps, 'budget' | 'onUnguarded'> {
  /** What the next process is told when it boots. */
  readonly init: () => ProcessInit;
  readonly listener: ProcessListener;
  readonly logger: Logger;
  /** Makes the unique id of an incarnation. */
  readonly makeId: () => string;
  readonly budget: (slot: number, drainMs: number) => StopBudget & { readonly reason: DrainReason };
}

/** Owns the forked processes, one per slot. A process is started once it is ready and its first heartbeat has come. */
export class ProcessAdapter implements ChildAdapter<ProcessSpec> {
  readonly #bySlot = new Map<number, ForkedProcess>();
  #hasWarned = false;

  constructor(private readonly deps: ProcessAdapterDeps) {}

  get processes(): readonly ForkedProcess[] {
    return [...this.#bySlot.values()];
  }

  async start({ slot, generation }: ProcessSpec, unwanted: AbortSignal): Promise<ChildHandle> {
    const identity: ProcessIdentity = { slot, generation, incarnation: this.deps.makeId() };
    const init = this.deps.init();
    const process = this.#fork(identity, init);
    this.#bySlot.set(slot, process);
    this.deps.listener.forked(identity, process.pid, init.share);
    await process.boot(unwanted);
    return process;
  }

  /** @throws ControlFailure as a rejection: PEER_GONE when that incarnation is not there any more. */
  request(slot: number, incarnation: string, request: NewLinkRequest, deadlineMs: number): Promise<LinkResult> {
    const process = this.#bySlot.get(slot);
    if (process?.identity.incarnation !== incarnation)
      return Promise.reject(new ControlFailure('PEER_GONE', `${request.type}: process ${incarnation} is gone`));
    return process.request(request, deadlineMs);
  }

  /** Ends the process of a slot that gives no sign of life. */
  killHung(slot: number, reason: string): void {
    this.#bySlot.get(slot)?.killHung(reason);
  }

  /** Drains the process of a slot as planned: it ends by itself, and whoever supervises it replaces it. */
  recycle(slot: number, reason: 'recycle' | 'memory' = 'recycle', drainMs = Number.POSITIVE_INFINITY): void {
    this.#bySlot.get(slot)?.recycle(reason, drainMs);
  }

  #fork(identity: ProcessIdentity, init: ProcessInit): ForkedProcess {
    const { listener, budget } = this.deps;
    const watcher: ProcessWatcher = {
      booted: () => listener.booted(identity),
      draining: () => listener.draining(identity),
      fact: (fact) => listener.fact(identity, fact),
      suspected: (silentMs) => listener.suspected(identity, silentMs),
      line: (stream, line) => listener.line(identity, stream, line),
      ended: (end) => {
        if (this.#bySlot.get(identity.slot)?.identity === identity) this.#bySlot.delete(identity.slot);
        listener.ended(identity, end);
      },
    };
    const onUnguarded = (): void => this.#warnUnguarded();
    return new ForkedProcess(identity, init, watcher, { ...this.deps, onUnguarded, budget: (drainMs) => budget(identity.slot, drainMs) });
  }

  /** The same for every process of this Node, so told once. */
  #warnUnguarded(): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.deps.logger.warn('the channels of processes cannot be guarded: garbage that user code writes there would end the primary', {
      node: process.version,
    });
  }
}
