import type { NewJob } from '../job/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import { type Clock, type Deferred, deferred, toError } from '../kit/index.js';
import type { AddCall } from './producer-store.js';

interface Waiting {
  readonly job: NewJob;
  readonly result: Deferred<string>;
}

/** What the gatherer needs of a `ProducerStore`. */
export interface AddSink {
  addAll(adds: readonly AddCall[]): Promise<(string | Error)[][]>;
}

/**
 * Owns the jobs that were handed in during the current turn of the event loop: they leave together, one call per queue. Each caller gets
 * its own id or error. No timer is involved: a job added alone leaves in the same turn.
 */
export class AddGatherer {
  #waiting = new Map<QueueRef, Waiting[]>();

  constructor(
    private readonly sink: AddSink,
    private readonly clock: Clock,
  ) {}

  add(queue: QueueRef, job: NewJob): Promise<string> {
    if (this.#waiting.size === 0) setImmediate(() => void this.#flush());
    const result = deferred<string>();
    const waiting = this.#waiting.get(queue);
    if (waiting) waiting.push({ job, result });
    else this.#waiting.set(queue, [{ job, result }]);
    return result.promise;
  }

  async #flush(): Promise<void> {
    const gathered = [...this.#waiting];
    this.#waiting = new Map();
    const now = this.clock.now();
    try {
      const results = await this.sink.addAll(gathered.map(([queue, waiting]) => ({ queue, now, jobs: waiting.map(({ job }) => job) })));
      gathered.forEach(([, waiting], at) => {
        waiting.forEach(({ result }, nth) => {
          settle(result, results[at]?.[nth]);
        });
      });
    } catch (thrown) {
      const error = toError(thrown);
      for (const [, waiting] of gathered) for (const { result } of waiting) result.reject(error);
    }
  }
}

function settle(result: Deferred<string>, outcome: string | Error | undefined): void {
  if (typeof outcome === 'string') result.resolve(outcome);
  else result.reject(outcome ?? new Error('the add was not answered'));
}
