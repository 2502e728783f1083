import type { Deadline } from './deadline.js';

/** What starts and stops once: a second call returns the first promise, and a second `stop` may shorten the deadline. */
export interface Lifecycle {
  start(): Promise<void>;
  stop(deadline: Deadline): Promise<void>;
}

/** Makes any pair of start and stop functions a `Lifecycle`. A stop before the start ended waits for it, whatever its result. */
export class Once implements Lifecycle {
  #started: Promise<void> | undefined;
  #stopped: { readonly promise: Promise<void>; readonly deadline: Deadline } | undefined;

  constructor(
    private readonly doStart: () => Promise<void>,
    private readonly doStop: (deadline: Deadline) => Promise<void>,
  ) {}

  get isStopping(): boolean {
    return this.#stopped !== undefined;
  }

  start(): Promise<void> {
    if (!this.#started && this.#stopped) return Promise.reject(new Error('start() after stop()'));
    this.#started ??= this.doStart();
    return this.#started;
  }

  stop(deadline: Deadline): Promise<void> {
    if (this.#stopped) {
      this.#stopped.deadline.shortenTo(deadline.remainingMs());
      return this.#stopped.promise;
    }
    const promise = this.#run(deadline);
    this.#stopped = { promise, deadline };
    return promise;
  }

  async #run(deadline: Deadline): Promise<void> {
    await this.#started?.catch(() => undefined); // the caller of start() has that error
    await this.doStop(deadline);
  }
}
