import type { FetchedJob } from '../job/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import { deferred, type Timer } from '../kit/index.js';
import type { Consumer, HeldJob, Upkeep } from '../runtime/consumer.js';
import type { Runtime } from '../runtime/runtime.js';
import type { FetchProfile } from '../store/index.js';
import type { ResolvedWorkerOptions } from './worker-options.js';

/** Owns one wait for one job: a consumer with one place that is registered until a job comes or the time is over. */
export class NextJobWait implements Consumer {
  readonly queue: QueueRef;
  readonly profile: FetchProfile;
  readonly upkeep: Upkeep;
  readonly #over = deferred();
  #isOpen = true;
  #held: HeldJob | undefined;

  constructor(
    private readonly parts: { readonly runtime: Runtime; readonly queue: QueueRef; readonly options: ResolvedWorkerOptions },
    token: string,
  ) {
    const { profile, upkeep } = parts.options;
    this.queue = parts.queue;
    this.profile = { ...profile, token };
    this.upkeep = { ...upkeep, lockRenewMs: undefined, stalled: undefined };
  }

  async run(): Promise<FetchedJob | undefined> {
    const { runtime } = this.parts;
    runtime.register(this);
    const timer: Timer = runtime.clock.setTimer(this.#over.resolve, this.upkeep.pollMs);
    await this.#over.promise;
    timer.cancel();
    this.#isOpen = false;
    await runtime.unregister(this); // a turn under way may still bring one, which then goes back
    if (!this.#held) return undefined;
    const { record, token, undecodable, schedule } = this.#held;
    return { record, token, ...(undecodable === undefined ? {} : { undecodable }), ...(schedule === undefined ? {} : { schedule }) };
  }

  /** Nobody waits any more. */
  end(): void {
    this.#over.resolve();
  }

  free(): number {
    return this.#isOpen && !this.#held ? 1 : 0;
  }

  deliver([held]: readonly HeldJob[]): void {
    if (!held) return;
    this.#held = held;
    this.parts.runtime.release(held); // its lock and its outcome are the caller's business
    this.#over.resolve();
  }

  committed(): void {}
  refused(): void {}
  lost(): void {}
  drained(): void {}
  stalled(): void {}
  problem(): void {}
}
