/**
 * A supervisor as OTP has it: it starts children through an adapter and starts them again by their restart type, its strategy and its
 * restart intensity. It says *when* a child that should exist is started again; which ones should exist is said by `add` and `remove`.
 *
 * - A failed start counts like an end. An end that was asked for (`remove`, `restart`, `stop`, a strategy) never does.
 * - Under `one_for_all` and `rest_for_one` children start one after the other, each when all before it run; a parked one holds up the rest.
 * - A start may take long. A child that is to be stopped meanwhile is told so (the adapter's signal) and stopped as soon as it has started.
 * - It ends once: by `stop`, or by giving up, which stops all children, each under its own limit.
 */
import { type Clock, Deadline, deferred, InvalidOptionError, toError } from '@drover/core/kit';
import { Child, type ChildStatus, describeExit } from './child.js';
import type { ChildAdapter, ChildExit, ChildHandle, Shutdown } from './child-adapter.js';
import { type ChildSpec, checkChildSpec, checkSupervisorFlags, type SupervisorFlags } from './child-spec.js';
import { decideRestart, failuresAfter, restartWindow } from './decide-restart.js';
import { planRestart } from './plan-restart.js';
import { stopMany } from './shutdown.js';

/** Facts for whoever watches; every method is called after the table of children was brought up to date, and must not throw. */
export interface SupervisorListener {
  started?(id: string, handle: ChildHandle): void;
  startFailed?(id: string, error: Error): void;
  /** Any end of a child that ran, asked for or not. */
  exited?(id: string, exit: ChildExit): void;
  restarting?(id: string, delayMs: number): void;
  parked?(id: string, reason: string): void;
  /** Its restart type says that it is not started again; it is no child any more. */
  forgotten?(id: string, exit: ChildExit): void;
  /** The supervisor ends; its children are being stopped. */
  gaveUp?(reason: string): void;
}

export interface SupervisorDeps {
  readonly clock: Clock;
  /** 0 <= random() < 1, for the jitter of back-offs. */
  readonly random: () => number;
  readonly listener?: SupervisorListener;
}

export type SupervisorEnd = 'shutdown' | { readonly gaveUp: string };

/** Owns the table of children and the restart window. */
export class Supervisor<Spec> {
  readonly #children = new Map<string, Child<Spec>>();
  readonly #ended = deferred<SupervisorEnd>();
  readonly #listener: SupervisorListener;
  #flags: SupervisorFlags;
  /** Monotonic ms, newest first, and the failure behind each. */
  #restarts: readonly number[] = [];
  #causes: readonly string[] = [];
  #end: SupervisorEnd | undefined;
  /** Strategies that are stopping siblings; nothing starts meanwhile. */
  #stoppingSiblings = 0;

  constructor(
    private readonly adapter: ChildAdapter<Spec>,
    flags: SupervisorFlags,
    private readonly deps: SupervisorDeps,
  ) {
    this.#flags = checkSupervisorFlags(flags);
    this.#listener = deps.listener ?? {};
  }

  /** Resolves when it has ended and no child is left. */
  get ended(): Promise<SupervisorEnd> {
    return this.#ended.promise;
  }

  /** It was stopped or gave up: nothing can be added any more. */
  get isEnding(): boolean {
    return this.#end !== undefined;
  }

  /** Adds a child and starts it when its turn has come. @throws Error when there is one of that id (one being stopped included), or after the end. */
  add(spec: ChildSpec<Spec>): void {
    if (this.#end) throw new Error(`cannot add child ${spec.id}: the supervisor has ended`);
    if (this.#children.has(spec.id)) throw new Error(`cannot add child ${spec.id}: there is one already`);
    const child = new Child(checkChildSpec(spec), this.deps.clock);
    this.#children.set(child.id, child);
    this.#startIfDue(child);
  }

  /** Ends a child for good. Resolves when it is gone, at once if there is none; a second call may shorten the first. */
  remove(id: string, shutdown?: Shutdown): Promise<void> {
    const child = this.#children.get(id);
    if (!child) return Promise.resolve();
    if (child.state === 'waiting' || child.state === 'parked') this.#drop(child);
    else child.stop('gone', shutdown ?? child.spec.shutdown);
    return child.gone.promise;
  }

  /** Starts a child anew and forgets its failures: one that runs is stopped first, one that waits or is parked starts now. */
  restart(id: string, shutdown?: Shutdown): void {
    const child = this.#children.get(id);
    if (!child) throw new Error(`cannot restart child ${id}: there is none`);
    if (this.#end || (child.state === 'stopping' && child.afterStop === 'gone'))
      throw new Error(`cannot restart child ${id}: it is being removed`);
    child.pardon();
    child.stopWaiting();
    if (child.state === 'running') child.stop('waiting', shutdown ?? child.spec.shutdown);
    if (child.state === 'parked') child.waiting();
    if (child.state === 'waiting') this.#startIfDue(child);
  }

  /** A new restart type for a child, from its next end on. */
  setRestart(id: string, restart: ChildSpec<Spec>['restart']): void {
    const child = this.#children.get(id);
    if (!child) throw new Error(`cannot change child ${id}: there is none`);
    checkChildSpec({ ...child.spec, restart });
    child.restart = restart;
  }

  /** All children, in the order of their start. */
  children(): readonly ChildStatus[] {
    return this.#inOrder().map((child) => child.status(this.#flags.resetAfterMs));
  }

  child(id: string): ChildStatus | undefined {
    return this.#children.get(id)?.status(this.#flags.resetAfterMs);
  }

  /** Children that wait for one that is parked, under an ordered strategy: nothing starts them until somebody acts on that one. */
  heldUp(): readonly string[] {
    return [...this.#children.keys()].filter((id) => this.parkedBefore(id) !== undefined);
  }

  /** The parked child that holds up this one, if it is held up; see `heldUp`. */
  parkedBefore(id: string): string | undefined {
    const child = this.#children.get(id);
    if (this.#flags.strategy === 'one_for_one' || child?.state !== 'waiting') return undefined;
    const isBefore = ({ state, spec }: Child<Spec>): boolean => state === 'parked' && spec.startOrder < child.spec.startOrder;
    return [...this.#children.values()].find(isBefore)?.id;
  }

  /** Restarts that may still happen now before it gives up. */
  restartsLeft(): number {
    const recent = restartWindow(this.#restarts, this.#flags.periodMs, this.deps.clock.monotonic());
    return Math.max(0, this.#flags.intensity - recent.length);
  }

  /** New brakes, from the next end of a child on. The strategy stays what it was. @throws InvalidOptionError */
  setFlags(flags: SupervisorFlags): void {
    if (flags.strategy !== this.#flags.strategy)
      throw new InvalidOptionError('strategy', flags.strategy, `${this.#flags.strategy}, as before`);
    this.#flags = checkSupervisorFlags(flags);
  }

  /**
   * Stops all children, each under its own limit but none past the deadline; in parallel unless the flags say `stopInReverse`. Called
   * again, it may shorten the deadline.
   */
  async stop(deadline: Deadline): Promise<void> {
    this.#end ??= 'shutdown';
    await this.#stopAll(deadline);
  }

  async #stopAll(deadline: Deadline): Promise<void> {
    const stoppable = this.#inOrder().map(({ id, spec }) => ({
      shutdown: spec.shutdown,
      stop: (shutdown: Shutdown) => this.remove(id, shutdown),
    }));
    await stopMany(stoppable.reverse(), deadline, this.#flags.stopInReverse ? 'in turn' : 'in parallel');
    this.#ended.resolve(this.#end as SupervisorEnd);
  }

  #inOrder(): Child<Spec>[] {
    return [...this.#children.values()].sort((a, b) => a.spec.startOrder - b.spec.startOrder);
  }

  #startIfDue(child: Child<Spec>): void {
    if (this.#flags.strategy !== 'one_for_one') this.#startNext();
    else if (!this.#end && child.state === 'waiting' && !child.isBackingOff) void this.#start(child);
  }

  /** Ordered strategies: starts the first child that does not run, if it may and all before it do. */
  #startNext(): void {
    if (this.#end || this.#stoppingSiblings > 0) return;
    const leaves = ({ state, afterStop }: Child<Spec>): boolean => state === 'stopping' && afterStop === 'gone';
    const next = this.#inOrder().find((child) => child.state !== 'running' && !leaves(child));
    if (next?.state === 'waiting' && !next.isBackingOff) void this.#start(next);
  }

  async #start(child: Child<Spec>): Promise<void> {
    const unwanted = child.starting();
    let handle: ChildHandle;
    try {
      handle = await this.adapter.start(child.spec.spec, unwanted);
    } catch (thrown) {
      return this.#onStartFailed(child, toError(thrown));
    }
    this.#onStarted(child, handle);
    this.#onExited(child, await handle.exited);
  }

  #onStarted(child: Child<Spec>, handle: ChildHandle): void {
    child.started(handle);
    if (child.state !== 'running') return;
    this.#listener.started?.(child.id, handle);
    if (this.#flags.strategy !== 'one_for_one') this.#startNext();
  }

  #onStartFailed(child: Child<Spec>, error: Error): void {
    if (child.state === 'stopping') this.#afterStop(child, () => this.#listener.exited?.(child.id, { kind: 'shutdown' }));
    else this.#onFailed(child, { kind: 'abnormal', error }, () => this.#listener.startFailed?.(child.id, error));
  }

  #onExited(child: Child<Spec>, exit: ChildExit): void {
    const tell = (): void => this.#listener.exited?.(child.id, exit);
    if (child.state === 'stopping') this.#afterStop(child, tell);
    else this.#onFailed(child, exit, tell);
  }

  /** An end that was asked for. */
  #afterStop(child: Child<Spec>, tell: () => void): void {
    if (child.afterStop === 'gone' || this.#end) {
      this.#drop(child);
      tell();
      return;
    }
    child.waiting();
    child.restarts++;
    tell();
    this.#startIfDue(child);
  }

  /** An end that was not asked for, or a start that failed. */
  #onFailed(child: Child<Spec>, exit: ChildExit, tell: () => void): void {
    if (this.#end) {
      this.#drop(child);
      tell();
      return;
    }
    const nowMs = this.deps.clock.monotonic();
    child.failed(exit, failuresAfter(child.failuresInRow, exit, child.livedMs(), this.#flags));
    const parked = [...this.#children.values()].filter(({ state }) => state === 'parked').length;
    const ended = { restart: child.restart, exit, failuresInRow: child.failuresInRow, children: this.#children.size, parked };
    const decision = decideRestart(ended, this.#flags, this.#restarts, nowMs, this.deps.random());
    const cause = `${child.id}: ${describeExit(exit)}`;
    switch (decision.do) {
      case 'forget':
        this.#drop(child);
        tell();
        this.#listener.forgotten?.(child.id, exit);
        return;
      case 'park':
        child.parked();
        tell();
        this.#listener.parked?.(child.id, describeExit(exit));
        void this.#stopSiblings(planRestart(this.#flags.strategy, child.id, this.#inOrder()).stop);
        return;
      case 'restart':
        if (exit.kind !== 'planned') this.#causes = [cause, ...this.#causes];
        this.#restarts = decision.restarts;
        this.#causes = this.#causes.slice(0, this.#restarts.length);
        child.waiting();
        tell();
        this.#restart(child, decision.delayMs);
        return;
      case 'escalate':
        this.#giveUp(child, this.#reason(decision.because, cause, nowMs), tell);
    }
  }

  #restart(child: Child<Spec>, delayMs: number): void {
    const plan = planRestart(this.#flags.strategy, child.id, this.#inOrder());
    child.restarts++;
    const first = this.#children.get(plan.start[0] as string) as Child<Spec>;
    if (delayMs > 0) this.#backOff(first, delayMs);
    this.#listener.restarting?.(child.id, delayMs);
    if (plan.stop.length > 0) void this.#stopSiblings(plan.stop);
    else this.#startIfDue(first);
  }

  /** The first child to start again waits for all: under `one_for_all` it may be one that still runs and is about to be stopped. */
  #backOff(child: Child<Spec>, delayMs: number): void {
    child.stopWaiting();
    child.wait(delayMs, () => this.#startIfDue(child));
  }

  /** A strategy's stops, one after the other as given; the siblings start again when their turn comes. */
  async #stopSiblings(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    this.#stoppingSiblings++;
    for (const id of ids) await this.#stopSibling(id);
    this.#stoppingSiblings--;
    this.#startNext();
  }

  async #stopSibling(id: string): Promise<void> {
    const child = this.#children.get(id);
    if (child?.state !== 'running' && child?.state !== 'starting') return;
    child.stop('waiting', child.spec.shutdown);
    await child.stopped;
  }

  #drop(child: Child<Spec>): void {
    child.forget();
    this.#children.delete(child.id);
    if (this.#flags.strategy !== 'one_for_one') this.#startNext();
  }

  #giveUp(child: Child<Spec>, reason: string, tell: () => void): void {
    this.#end = { gaveUp: reason };
    this.#drop(child);
    tell();
    this.#listener.gaveUp?.(reason);
    void this.#stopAll(Deadline.in(Number.POSITIVE_INFINITY, this.deps.clock));
  }

  /** One line for the operator; it names the first failure of the window, which is mostly the cause of the others. */
  #reason(because: 'intensity' | 'parked', cause: string, nowMs: number): string {
    const { intensity, periodMs, maxConsecutiveFailures } = this.#flags;
    if (because === 'parked') return `half of the children failed ${maxConsecutiveFailures} times in a row; ${cause}`;
    const inWindow = restartWindow(this.#restarts, periodMs, nowMs).length;
    return `more than ${intensity} restarts in ${periodMs} ms; first ${this.#causes[inWindow - 1] ?? cause}`;
  }
}
