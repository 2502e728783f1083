import type { Clock } from '@drover/core/kit';
import type { WorkerChange } from '../link/index.js';

/** Changes in one message at most. */
const PER_MESSAGE = 256;

/** Owns the changes of workers that were not told yet: several of one worker on a turn of the event loop are told as the last of them. */
export class WorkerChanges {
  readonly #pending = new Map<string, WorkerChange>();
  #isScheduled = false;

  constructor(
    private readonly clock: Pick<Clock, 'setTimer'>,
    private readonly tell: (changes: WorkerChange[]) => void,
  ) {}

  note(change: WorkerChange): void {
    this.#pending.delete(change.worker); // what changed last is told last
    this.#pending.set(change.worker, change);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.clock.setTimer(() => this.flush(), 0);
  }

  flush(): void {
    this.#isScheduled = false;
    const changes = [...this.#pending.values()];
    this.#pending.clear();
    for (let from = 0; from < changes.length; from += PER_MESSAGE) this.tell(changes.slice(from, from + PER_MESSAGE));
  }
}
