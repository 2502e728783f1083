import { type BackoffRule, backoffMs, type Clock, type Timer } from '../kit/index.js';

const RETRY: BackoffRule = { firstMs: 20, baseMs: 50, factor: 2, capMs: 2_000, jitter: 'full' };

/**
 * Owns what is known about Redis being away. Turns, renewals and checks ask it before they try and tell it how that went, so that they
 * back off together. Its timer runs only during an outage.
 */
export class Outage {
  #failuresInRow = 0;
  #timer: Timer | undefined;

  /** @param retry called when the next try is due. */
  constructor(
    private readonly clock: Clock,
    private readonly retry: () => void,
    private readonly random: () => number = Math.random,
  ) {}

  /** A try has failed and none has succeeded since. */
  get isOngoing(): boolean {
    return this.#failuresInRow > 0;
  }

  get mayTry(): boolean {
    return this.#timer === undefined;
  }

  /** A call failed with the connection. Calls that fail together count once. @returns whether this one began the outage. */
  failed(): boolean {
    if (this.#timer) return false;
    this.#failuresInRow++;
    this.#timer = this.clock.setTimer(() => this.tryNow(), backoffMs(this.#failuresInRow, RETRY, this.random()));
    return this.#failuresInRow === 1;
  }

  /** @returns whether that ended an outage. */
  succeeded(): boolean {
    const wasOngoing = this.isOngoing;
    this.#failuresInRow = 0;
    this.#stopWaiting();
    return wasOngoing;
  }

  /** Ends the wait for the next try: the connection is back, or the wait is over. */
  tryNow(): void {
    if (!this.#timer) return;
    this.#stopWaiting();
    this.retry();
  }

  stop(): void {
    this.#stopWaiting();
  }

  #stopWaiting(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
