/** Owns the count of a worker's places: its concurrency, which may change at any time, and how many jobs occupy them. */
export class Places {
  #limit: number;
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Lowering it stops nothing: jobs in hand finish, and places become free below the new limit. */
  set limit(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  get free(): number {
    return Math.max(0, this.#limit - this.#taken);
  }

  take(count: number): void {
    this.#taken += count;
  }

  give(): void {
    this.#taken--;
  }
}
