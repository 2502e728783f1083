import { type QueueRef, queueKeys } from '../keys/queue-keys.js';
import type { ScriptName, Scripts } from '../redis/index.js';

const RECOVERY_WINDOW = 1_000;
/** A limiter counter that no limit reaches: what rateLimit() of every client writes. */
const LIMIT_REACHED = '9007199254740991';

/** An end of a process that nobody asked for, with jobs in its hand. */
export interface AbnormalEnd {
  /** One line for people; not empty. */
  readonly how: string;
  /** It had one job in hand, over all queues. */
  readonly wasAlone: boolean;
}

/** Ids of the jobs that went back to wait, and those of them that will fail unrun: they were in hand at too many abnormal ends. */
export interface RecoveredJobs {
  readonly ids: readonly string[];
  readonly poisoned: readonly string[];
}

/** What operators and the primary ask of a queue. */
export class AdminStore {
  constructor(private readonly scripts: Scripts) {}

  /** Stops the queue for every worker of every client. */
  async pause(queue: QueueRef): Promise<void> {
    await this.#call('pause', queue, []);
  }

  async resume(queue: QueueRef): Promise<void> {
    await this.#call('resume', queue, []);
  }

  /** @returns 1 removed; 0 nothing removed, a lock is held; -8 a scheduler's next iteration; -12 a family of more than 1000 jobs. */
  async remove(queue: QueueRef, jobId: string, withChildren = true): Promise<number> {
    return (await this.#call('remove-job', queue, [jobId, withChildren ? 1 : 0])) as number;
  }

  /** Makes a deduplication id free; with `jobId`, only if that job owns it. @returns 1 freed, 0 nothing to free. */
  async freeDeduplication(queue: QueueRef, deduplicationId: string, jobId = ''): Promise<number> {
    return (await this.#call('free-deduplication', queue, [deduplicationId, jobId])) as number;
  }

  /** How many jobs of the queue an incarnation holds. Approximate while others shorten a list of more than 1000 active jobs. @see lua/commands/get-held.lua */
  async heldBy(queue: QueueRef, incarnation: string): Promise<number> {
    let held = 0;
    for (let offset = 0; offset >= 0; ) {
      const [count, next] = (await this.#call('get-held', queue, [`${incarnation}:`, offset, RECOVERY_WINDOW])) as [number, number];
      held += count;
      offset = next;
    }
    return held;
  }

  /**
   * Puts the jobs of a dead incarnation back into wait, by the stalled rule: those in active whose lock token begins with
   * `<incarnation>:`. Only for a process that is known to be gone.
   * @param end given for an abnormal end, which is counted for each of the jobs; those at their 2nd one alone in the hand, or their 3rd at
   * all, are marked to fail unrun.
   * @see lua/commands/recover-dead.lua
   */
  async recoverDead(queue: QueueRef, incarnation: string, maxStalledCount: number, end?: AbnormalEnd): Promise<RecoveredJobs> {
    const recovered = { ids: [] as string[], poisoned: [] as string[] };
    for (;;) {
      const { ids, poisoned, calls } = await this.#recoveryPass(queue, incarnation, maxStalledCount, end);
      recovered.ids.push(...ids);
      recovered.poisoned.push(...poisoned);
      if (calls === 1 || ids.length === 0) return recovered; // one call sees the list at one instant: nothing can hide
    }
  }

  /** @returns how many fields are new, or when taking the limit away, were there: BullMQ's answer. */
  async setGlobalConcurrency(queue: QueueRef, concurrency: number | undefined): Promise<number> {
    const changed = await this.#setMeta(queue, { concurrency });
    await this.#hint(queue);
    return changed;
  }

  /** @returns how many fields are new, or when taking the limit away, were there. */
  async setGlobalRateLimit(queue: QueueRef, limit: { readonly max: number; readonly durationMs: number } | undefined): Promise<number> {
    const changed = await this.#setMeta(queue, { max: limit?.max, duration: limit?.durationMs });
    await this.#hint(queue);
    return changed;
  }

  /** No job starts for `ms`, on workers that have a rate limit. */
  async rateLimit(queue: QueueRef, ms: number): Promise<void> {
    await this.scripts.connection.send('set', [queueKeys(queue).limiter, LIMIT_REACHED, 'PX', ms]);
  }

  /** Ends a rate limit's wait at once. @returns 1, or 0 when there was none. */
  async removeRateLimit(queue: QueueRef): Promise<number> {
    return (await this.scripts.connection.send('del', [queueKeys(queue).limiter])) as number;
  }

  /** Jobs may be allowed to start that were not before: whoever is idle looks. */
  async #hint(queue: QueueRef): Promise<void> {
    await this.scripts.connection.send('zadd', [queueKeys(queue).marker, 0, '0']);
  }

  async #recoveryPass(
    queue: QueueRef,
    incarnation: string,
    maxStalledCount: number,
    end: AbnormalEnd | undefined,
  ): Promise<{ ids: string[]; poisoned: string[]; calls: number }> {
    const [ids, poisoned]: [string[], string[]] = [[], []];
    let calls = 0;
    for (let offset = 0; offset >= 0; calls++) {
      const args = [`${incarnation}:`, maxStalledCount, offset, RECOVERY_WINDOW, end?.how ?? '', end?.wasAlone ? 1 : 0];
      const [returned, next, marked] = (await this.#call('recover-dead', queue, args)) as [string[], number, string[]];
      ids.push(...returned);
      poisoned.push(...marked);
      offset = next;
    }
    return { ids, poisoned, calls };
  }

  async #setMeta(queue: QueueRef, fields: Readonly<Record<string, number | undefined>>): Promise<number> {
    const { meta } = queueKeys(queue);
    const set = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
    const args = set.length > 0 ? set : Object.keys(fields);
    return (await this.scripts.connection.send(set.length > 0 ? 'hset' : 'hdel', [meta, ...args])) as number;
  }

  #call(script: ScriptName, queue: QueueRef, args: readonly (string | number)[]): Promise<unknown> {
    return this.scripts.call(script, [queueKeys(queue).meta], args);
  }
}
