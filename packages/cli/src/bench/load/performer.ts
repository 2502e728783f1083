import type { FromLoad, LoadResult, ToLoad } from './protocol.js';

/** What a role can tell the process that measures, and hear of it. */
export class Performer {
  readonly #go: Promise<void>;
  readonly stopped: Promise<void>;
  #release: () => void = () => {};
  #next: () => void = () => {};

  constructor() {
    let go: () => void = () => {};
    let stop: () => void = () => {};
    this.#go = new Promise((resolve) => {
      go = resolve;
    });
    this.stopped = new Promise((resolve) => {
      stop = resolve;
    });
    process.on('message', ({ type }: ToLoad) => {
      if (type === 'go') go();
      else if (type === 'stop') stop();
      else if (type === 'release') this.#release();
      else if (type === 'next') this.#next();
    });
  }

  /** Says that everything is loaded and connected. Resolves when the measured time begins. */
  readyToGo(): Promise<void> {
    send({ type: 'ready' });
    return this.#go;
  }

  progress(count: number): void {
    send({ type: 'progress', count });
  }

  busy(at: number): void {
    send({ type: 'busy', at });
  }

  /** Ends the run: what was measured would be wrong. */
  readonly fail = (error: Error): void => {
    send({ type: 'failed', message: error.stack ?? error.message });
  };

  onRelease(release: () => void): void {
    this.#release = release;
  }

  onNext(next: () => void): void {
    this.#next = next;
  }

  /** Resolves when the result is on its way: the channel may be closed then. */
  done({ startedAt, lastAt, cpuUs, figures }: Omit<LoadResult, 'rssBytes'>): Promise<void> {
    const result = { startedAt, lastAt, cpuUs, rssBytes: process.memoryUsage.rss(), figures };
    return new Promise((resolve) => process.send?.({ type: 'result', result } satisfies FromLoad, undefined, undefined, () => resolve()));
  }
}

function send(message: FromLoad): void {
  process.send?.(message);
}
