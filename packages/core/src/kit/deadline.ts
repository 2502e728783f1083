import type { Clock, Timer } from './clock.js';

/**
 * One instant by which a stop has to be over. It is made once at the top of a stop and passed down, so nested stops share it;
 * it can only move closer. Times are monotonic ms of its clock.
 */
export class Deadline {
  readonly #passed = new AbortController();
  #at: number;
  #timer: Timer | undefined;

  private constructor(
    private readonly clock: Clock,
    at: number,
  ) {
    this.#at = at;
    this.#arm();
  }

  static in(ms: number, clock: Clock): Deadline {
    return new Deadline(clock, clock.monotonic() + ms);
  }

  /** Aborted at the deadline. A deadline in the past aborts on the next timer turn. */
  get signal(): AbortSignal {
    return this.#passed.signal;
  }

  /** Ms left, never below 0. */
  remainingMs(): number {
    return Math.max(0, this.#at - this.clock.monotonic());
  }

  get isPassed(): boolean {
    return this.#passed.signal.aborted || this.remainingMs() === 0;
  }

  /** Moves the deadline to `ms` from now if that is sooner than it was. */
  shortenTo(ms: number): void {
    const at = this.clock.monotonic() + ms;
    if (at >= this.#at || this.#passed.signal.aborted) return;
    this.#at = at;
    this.#arm();
  }

  /** Forgets the timer. Call it when whatever the deadline was for is over. */
  clear(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer?.cancel();
    if (!Number.isFinite(this.#at)) return;
    this.#timer = this.clock.setTimer(() => this.#passed.abort(), this.remainingMs());
  }
}
