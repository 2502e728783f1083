import { type Clock, type Deferred, deferred, type Timer } from '@drover/core/kit';
import type { ChildExit, ChildHandle, Shutdown } from './child-adapter.js';
import type { ChildSpec } from './child-spec.js';
import { type ChildState, moveChild } from './child-state.js';

/** A child as its supervisor shows it. Instants in epoch ms. */
export interface ChildStatus {
  readonly id: string;
  readonly state: ChildState;
  /** Times it was started again since it was added. */
  readonly restarts: number;
  readonly failuresInRow: number;
  /** When its back-off ends; undefined: no back-off runs. */
  readonly nextTryAt: number | undefined;
  /** The last failure, as text; undefined once it has run for long enough to end the row. */
  readonly error: string | undefined;
  /** Its handle while it runs, or while it is being stopped. */
  readonly handle: ChildHandle | undefined;
}

/** Owns what a supervisor knows of one child: its state, its run and its back-off. All rules are the supervisor's. */
export class Child<Spec> {
  readonly gone: Deferred<void> = deferred();
  /** What is to follow the state `stopping`. */
  afterStop: 'gone' | 'waiting' = 'gone';
  restarts = 0;
  failuresInRow = 0;
  /** Its spec says it at first; the supervisor may be told otherwise. */
  restart: ChildSpec<Spec>['restart'];
  error: string | undefined;
  #state: ChildState = 'waiting';
  #handle: ChildHandle | undefined;
  #startedAt: number | undefined;
  #shutdown: Shutdown = Number.POSITIVE_INFINITY;
  #unwanted = new AbortController();
  #stopped: Deferred<void> | undefined;
  #backoff: { readonly timer: Timer; readonly endsAt: number } | undefined;

  constructor(
    readonly spec: ChildSpec<Spec>,
    private readonly clock: Clock,
  ) {
    this.restart = spec.restart;
  }

  get id(): string {
    return this.spec.id;
  }

  get state(): ChildState {
    return this.#state;
  }

  get isBackingOff(): boolean {
    return this.#backoff !== undefined;
  }

  /** Resolves when the stop under way is over; at once if there is none. */
  get stopped(): Promise<void> {
    return this.#stopped?.promise ?? Promise.resolve();
  }

  /** Since it became ready; undefined: it has not. */
  livedMs(): number | undefined {
    return this.#startedAt === undefined ? undefined : this.clock.monotonic() - this.#startedAt;
  }

  /** @returns the signal that is aborted when it is stopped before it runs. */
  starting(): AbortSignal {
    this.#move('starting');
    this.#unwanted = new AbortController();
    return this.#unwanted.signal;
  }

  /** The start has succeeded. A child that was to be stopped meanwhile is stopped now. */
  started(handle: ChildHandle): void {
    this.#handle = handle;
    this.#startedAt = this.clock.monotonic();
    if (this.#state === 'stopping') void handle.stop(this.#shutdown);
    else this.#move('running');
  }

  /** Asks it to end; asked again, the shorter limit counts and `gone` outweighs `waiting`. */
  stop(after: 'gone' | 'waiting', shutdown: Shutdown): void {
    if (this.#state === 'stopping') {
      if (after === 'gone') this.afterStop = after;
      this.#shutdown = shorter(this.#shutdown, shutdown);
    } else {
      this.#move('stopping');
      this.#stopped = deferred();
      this.afterStop = after;
      this.#shutdown = shutdown;
    }
    this.#unwanted.abort();
    void this.#handle?.stop(this.#shutdown);
  }

  /** It has no run any more, and gets another one when its turn comes, or when `wait` is called. */
  waiting(): void {
    this.#endRun();
    this.#move('waiting');
  }

  wait(delayMs: number, then: () => void): void {
    const fire = (): void => {
      this.#backoff = undefined;
      then();
    };
    this.#backoff = { timer: this.clock.setTimer(fire, delayMs), endsAt: this.clock.now() + delayMs };
  }

  stopWaiting(): void {
    this.#backoff?.timer.cancel();
    this.#backoff = undefined;
  }

  parked(): void {
    this.#endRun();
    this.#move('parked');
  }

  forget(): void {
    this.stopWaiting();
    this.#endRun();
    this.#move('gone');
    this.gone.resolve();
  }

  /** Forgets its failures: somebody has acted. */
  pardon(): void {
    this.failuresInRow = 0;
    this.error = undefined;
  }

  failed(exit: ChildExit, failuresInRow: number): void {
    this.failuresInRow = failuresInRow;
    this.error = describeExit(exit);
  }

  status(resetAfterMs: number): ChildStatus {
    const isSettled = (this.livedMs() ?? -1) >= resetAfterMs;
    return {
      id: this.id,
      state: this.#state,
      restarts: this.restarts,
      failuresInRow: isSettled ? 0 : this.failuresInRow,
      nextTryAt: this.#backoff?.endsAt,
      error: isSettled ? undefined : this.error,
      handle: this.#handle,
    };
  }

  #endRun(): void {
    this.#handle = undefined;
    this.#startedAt = undefined;
    this.#stopped?.resolve();
    this.#stopped = undefined;
  }

  #move(to: ChildState): void {
    this.#state = moveChild(this.#state, to);
  }
}

/** Why a child ended, for a line of log. */
export function describeExit(exit: ChildExit): string {
  if (exit.kind === 'abnormal') return exit.error.message;
  if (exit.kind === 'shutdown' && exit.gaveUp !== undefined) return exit.gaveUp;
  return `ended (${exit.kind}) without being asked to`;
}

function shorter(a: Shutdown, b: Shutdown): Shutdown {
  return a === 'brutal_kill' || b === 'brutal_kill' ? 'brutal_kill' : Math.min(a, b);
}
