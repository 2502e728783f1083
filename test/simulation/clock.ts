import type { Clock, Timer } from '@drover/core/kit';

interface Armed {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

const EPOCH_MS = 1_700_000_000_000;

/** The one clock of a run. It stands still until `runNext`; timers of the same instant run in the order they were armed. */
export class SimClock implements Clock {
  /** A binary heap: the next timer is the first. Cancelled ones stay in it, without anything to run. */
  readonly #heap: Armed[] = [];
  /** How far the wall clock was set away from where it was. */
  skewMs = 0;
  #now = 0;
  #order = 0;

  now(): number {
    return EPOCH_MS + this.skewMs + this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  setTimer(run: () => void, delayMs: number): Timer {
    const armed: Armed = { at: this.#now + Math.max(0, delayMs), order: this.#order++, run };
    this.#push(armed);
    return {
      cancel: () => {
        armed.run = undefined;
      },
    };
  }

  /** Moves time to the next timer and runs it. @returns false if there is none. */
  runNext(): boolean {
    for (let armed = this.#pop(); armed; armed = this.#pop()) {
      const { run } = armed;
      if (!run) continue;
      this.#now = armed.at;
      armed.run = undefined;
      run();
      return true;
    }
    return false;
  }

  #push(armed: Armed): void {
    const heap = this.#heap;
    let at = heap.push(armed) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(armed, heap[parent] as Armed)) break;
      heap[at] = heap[parent] as Armed;
      at = parent;
    }
    heap[at] = armed;
  }

  #pop(): Armed | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || first === last) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Armed, heap[child] as Armed)) child++;
      if (!isBefore(heap[child] as Armed, last)) break;
      heap[at] = heap[child] as Armed;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Armed, b: Armed): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** The clock as one program sees it: its timers run late while it is frozen, and never once it is over. It counts those that are armed. */
export class ProgramClock implements Clock {
  readonly #late: (() => void)[] = [];
  #state: 'running' | 'frozen' | 'over' = 'running';
  #armed = 0;

  constructor(private readonly clock: Clock) {}

  /** Timers that have not run and were not cancelled. */
  get armed(): number {
    return this.#armed;
  }

  now(): number {
    return this.clock.now();
  }

  monotonic(): number {
    return this.clock.monotonic();
  }

  setTimer(run: () => void, delayMs: number): Timer {
    if (this.#state === 'over' || delayMs === Number.POSITIVE_INFINITY) return { cancel: () => {} };
    let isArmed = true;
    this.#armed++;
    const disarm = (): boolean => {
      if (!isArmed) return false;
      isArmed = false;
      this.#armed--;
      return true;
    };
    const timer = this.clock.setTimer(() => this.run(() => disarm() && run()), delayMs);
    return {
      cancel: () => {
        disarm();
        timer.cancel();
      },
    };
  }

  /** Runs something in this program: now, when it thaws, or never. */
  run(what: () => void): void {
    if (this.#state === 'running') what();
    else if (this.#state === 'frozen') this.#late.push(what);
  }

  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen';
  }

  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    for (const what of this.#late.splice(0)) this.clock.setTimer(() => this.run(what), 0);
  }

  end(): void {
    this.#state = 'over';
    this.#late.length = 0;
  }
}
