/** Prints each line once, however often it is asked to: for failures that repeat and that nobody listens to. */
export class OncePrinter {
  readonly #printed = new Set<string>();

  /** @param maxRemembered lines remembered; beyond it the oldest may be printed again. */
  constructor(
    private readonly write: (line: string) => void,
    private readonly maxRemembered = 500,
  ) {}

  print(line: string): void {
    if (this.#printed.has(line)) return;
    if (this.#printed.size >= this.maxRemembered) this.#printed.delete(this.#printed.values().next().value as string);
    this.#printed.add(line);
    this.write(line);
  }
}
