/** Time as an argument: whatever has rules takes a `Clock`, so that tests and the simulator decide what time it is. */
export interface Clock {
  /** Wall clock, epoch ms: what is written to Redis. */
  now(): number;
  /** Monotonic ms with no fixed origin: what intervals and windows are measured with. */
  monotonic(): number;
  setTimer(run: () => void, delayMs: number): Timer;
}

/** One armed timer. Cancelling twice, or after it ran, does nothing. */
export interface Timer {
  cancel(): void;
}

/** The clock of this machine. Its timers keep the process alive unless `unref` is set. */
export function systemClock(options: { readonly unref?: boolean } = {}): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    setTimer(run, delayMs) {
      const handle = setTimeout(run, delayMs);
      if (options.unref) handle.unref();
      return { cancel: () => clearTimeout(handle) };
    },
  };
}

/** A clock that stands still until `advance` is called; due timers run in order of their instant. For tests and the simulator. */
export class ManualClock implements Clock {
  readonly #timers = new Map<number, { readonly at: number; readonly run: () => void }>();
  #monotonic = 0;
  #nextId = 0;

  constructor(private readonly epochMs = 1_700_000_000_000) {}

  now(): number {
    return this.epochMs + this.#monotonic;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  setTimer(run: () => void, delayMs: number): Timer {
    const id = this.#nextId++;
    this.#timers.set(id, { at: this.#monotonic + Math.max(0, delayMs), run });
    return { cancel: () => void this.#timers.delete(id) };
  }

  /** Moves time on by `ms` and runs every timer that comes due on the way, those armed meanwhile included. */
  advance(ms: number): void {
    const until = this.#monotonic + ms;
    for (let due = this.#nextDue(until); due; due = this.#nextDue(until)) {
      const [id, timer] = due;
      this.#timers.delete(id);
      this.#monotonic = timer.at;
      timer.run();
    }
    this.#monotonic = until;
  }

  #nextDue(until: number): [number, { readonly at: number; readonly run: () => void }] | undefined {
    let found: [number, { readonly at: number; readonly run: () => void }] | undefined;
    for (const entry of this.#timers) {
      if (entry[1].at <= until && (!found || entry[1].at < found[1].at)) found = entry;
    }
    return found;
  }
}
