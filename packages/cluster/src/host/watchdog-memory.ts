/** What the loop and its watchdog share: a counter and a flag, written by the loop and read by the thread. */
export class WatchdogMemory {
  readonly #cells: Int32Array;

  constructor(readonly buffer = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.#cells = new Int32Array(buffer);
  }

  beat(): void {
    Atomics.add(this.#cells, 0, 1);
  }

  setReady(): void {
    Atomics.store(this.#cells, 1, 1);
  }

  get beats(): number {
    return Atomics.load(this.#cells, 0);
  }

  get isReady(): boolean {
    return Atomics.load(this.#cells, 1) === 1;
  }
}
