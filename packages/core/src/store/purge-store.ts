import { type QueueRef, queueKeys } from '../keys/queue-keys.js';
import type { ScriptName, Scripts } from '../redis/index.js';

/** Keys that jobs can be cleaned out of. */
export type CleanState = 'wait' | 'paused' | 'active' | 'delayed' | 'prioritized' | 'completed' | 'failed';

/** Finished or delayed jobs that are to run now. */
export interface MoveJobs {
  readonly state: 'completed' | 'failed' | 'delayed';
  /** Highest score to take; undefined: all. */
  readonly until?: number;
  /** Jobs a call, 1 to 1000. */
  readonly count: number;
}

const ORPHANS_PER_CALL = 100;
/** Suffixes of keys below a job's own. */
const SUB_KEYS = /:(lock|logs|dependencies|processed|failed|unsuccessful)$/;

/** What operators do to many jobs of a queue at once. Each call to Redis is bounded; these repeat it until nothing is left to do. */
export class PurgeStore {
  constructor(private readonly scripts: Scripts) {}

  /** Puts jobs of one state into wait, batch by batch; those that come back into the state meanwhile may be moved, too. */
  async moveJobs(queue: QueueRef, { state, until, count }: MoveJobs): Promise<void> {
    while ((await this.#call('move-jobs', queue, [state, until ?? '+inf', count])) === 1);
  }

  /** Removes what has not started. @param states keys to empty; iterations that schedulers depend on stay. */
  async drain(queue: QueueRef, states: readonly ('wait' | 'paused' | 'prioritized' | 'delayed')[]): Promise<void> {
    for (const state of states) {
      let skip = 0;
      for (let left = 1; left === 1; ) {
        const [, kept, more] = (await this.#call('drain-jobs', queue, [state, skip])) as [number, number, number];
        skip += kept;
        left = more;
      }
    }
  }

  /**
   * Removes up to `limit` jobs of one state that are not younger than `olderThan` (epoch ms).
   * @returns their ids.
   */
  async clean(queue: QueueRef, state: CleanState, olderThan: number, limit: number): Promise<string[]> {
    const removed: string[] = [];
    let skip = 0;
    for (let left = 1; left === 1 && removed.length < limit; ) {
      const args = [state, olderThan, limit - removed.length, skip];
      const [ids, kept, more] = (await this.#call('clean-jobs', queue, args)) as [string[], number, number];
      removed.push(...ids);
      skip += kept;
      left = more;
    }
    return removed;
  }

  /** One step of removing a paused queue: 0 done, 1 more to do, -1 it is not paused, -2 jobs are active. */
  async obliterate(queue: QueueRef, count: number, force: boolean): Promise<number> {
    return (await this.#call('obliterate', queue, [count, force ? 1 : 0])) as number;
  }

  /**
   * Deletes records of jobs that are in no state.
   * @param count keys a scan step looks at. @param limit records to delete at most; 0: all.
   * @returns how many were deleted.
   */
  async removeOrphans(queue: QueueRef, count: number, limit: number): Promise<number> {
    const most = limit === 0 ? Number.MAX_SAFE_INTEGER : limit;
    const pattern = `${queue.base.replace(/[\\*?[\]]/g, '\\$&')}*`;
    let removed = 0;
    let cursor = '0';
    do {
      const args = [cursor, 'MATCH', pattern, 'COUNT', count, 'TYPE', 'hash'];
      const [next, keys] = (await this.scripts.connection.send('scan', args)) as [string, string[]];
      const ids = keys.filter((key) => !SUB_KEYS.test(key)).map((key) => key.slice(queue.base.length));
      for (let first = 0; first < ids.length && removed < most; first += ORPHANS_PER_CALL) {
        const batch = ids.slice(first, first + ORPHANS_PER_CALL);
        removed += (await this.#call('remove-orphans', queue, [most - removed, ...batch])) as number;
      }
      cursor = next;
    } while (cursor !== '0' && removed < most);
    return removed;
  }

  /** @returns entries removed. Redis cuts whole blocks: somewhat more than `maxLength` may stay. */
  async trimEvents(queue: QueueRef, maxLength: number): Promise<number> {
    return (await this.scripts.connection.send('xtrim', [queueKeys(queue).events, 'MAXLEN', '~', maxLength])) as number;
  }

  /** Deletes a key that old majors left behind. @returns how many there were. */
  async removeDeprecatedPriorityKey(queue: QueueRef): Promise<number> {
    return (await this.scripts.connection.send('del', [`${queue.base}priority`])) as number;
  }

  #call(script: ScriptName, queue: QueueRef, args: readonly (string | number)[]): Promise<unknown> {
    return this.scripts.call(script, [queueKeys(queue).meta], args);
  }
}
