import type { Random } from './random.js';
import type { Rates } from './scenario.js';

/** How one thing starts: how long it takes, and whether it fails then. */
export interface Start {
  readonly startMs: number;
  readonly error: Error | undefined;
}

export type ForkFate = 'starts' | 'throws' | 'cannot be made';
export type BootFate = 'boots' | 'fails' | 'hangs' | 'dies';

/** How processes and what runs in them behave. Once the run is calm, nothing fails any more and everything is quick. */
export class Behaviour {
  isCalm = false;

  constructor(
    private readonly random: Random,
    private readonly rates: Rates,
  ) {}

  fork(): ForkFate {
    if (!this.#fails(this.rates.fork)) return 'starts';
    return this.random.pick(['throws', 'cannot be made'] as const);
  }

  boot(): { readonly fate: BootFate; readonly ms: number } {
    if (!this.#fails(this.rates.boot)) return { fate: 'boots', ms: this.#startMs(50, 3_000) };
    return { fate: this.random.pick(['fails', 'hangs', 'dies'] as const), ms: this.random.int(10, 500) };
  }

  runtimeStart(): Start {
    return this.#start(this.rates.runtime, 'redis refuses', 20, 1_500);
  }

  workerStart(): Start {
    return this.#start(this.rates.worker, 'the worker cannot start', 5, 1_500);
  }

  jobsInHand(): number {
    return this.random.chance(0.2) ? this.random.int(1, 2) : 0;
  }

  /** How long a job in hand still takes. */
  jobMs(): number {
    return this.random.chance(0.5) ? this.random.int(1, 500) : this.random.int(500, 6_000);
  }

  #start(rate: number, message: string, quickMs: number, slowMs: number): Start {
    const error = this.#fails(rate) ? new Error(message) : undefined;
    return { startMs: this.#startMs(quickMs, slowMs), error };
  }

  #startMs(quickMs: number, slowMs: number): number {
    const isSlow = !this.isCalm && this.random.chance(this.rates.slow);
    return this.random.int(1, isSlow ? slowMs : quickMs);
  }

  #fails(rate: number): boolean {
    return !this.isCalm && this.random.chance(rate);
  }
}
