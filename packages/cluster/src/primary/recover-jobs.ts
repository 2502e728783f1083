import { type Clock, type Logger, messageOf, type Timer } from '@drover/core/kit';
import type { GroupConfig } from '../config/resolved.js';
import type { JobRef } from '../protocol/index.js';

/** An end of a process that is held against the jobs it had in hand. */
export interface HeldAgainst {
  /** How it ended, one line. */
  readonly how: string;
  /** It had one job in hand, over all queues. */
  readonly wasAlone: boolean;
}

/** What can take back the jobs that a dead incarnation held, by its lock tokens. */
export interface DeadJobStore {
  /** How many jobs of the group's queue it held. */
  heldBy(group: GroupConfig, incarnation: string): Promise<number>;
  /** @returns ids of the jobs that went back to wait, and those of them that will fail unrun: they were in hand at too many abnormal ends. */
  recoverDead(group: GroupConfig, incarnation: string, end: HeldAgainst | undefined): Promise<RecoveredIds>;
}

export interface RecoveredIds {
  readonly ids: readonly string[];
  readonly poisoned: readonly string[];
}

export interface RecoverJobsDeps {
  readonly store: DeadJobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears of jobs that will fail unrun, because processes end with them in hand. `how`: the last of those ends. */
  readonly onPoison: (jobs: readonly JobRef[], how: string) => void;
}

/** Calls that a dying process left in its socket are carried out by Redis after its death; the second look finds what they took. */
const SECOND_LOOK_MS = 5_000;

/**
 * Returns the jobs of dead processes to `wait` by the stalled rule, at once and again 5 s later. Owns the second looks that are due.
 * An abnormal end counts against the jobs that were in hand at it. What only the second look finds was never started, so it does not
 * count there, unless the first look could not be taken. What cannot be returned because Redis is away is left to the stalled check,
 * which finds it when its lock has run out.
 */
export class RecoverJobs {
  readonly #groups: readonly GroupConfig[];
  readonly #due = new Map<string, { readonly timer: Timer; readonly look: () => void }>();
  readonly #running = new Set<Promise<unknown>>();

  /** @param groups those that run processors; foreign workers have locks of their own. One group per queue is asked. */
  constructor(
    groups: readonly GroupConfig[],
    private readonly deps: RecoverJobsDeps,
  ) {
    const byQueue = new Map(groups.map((group) => [JSON.stringify([group.connection, group.prefix, group.queue]), group]));
    this.#groups = [...byQueue.values()].filter((group) => group.module.kind === 'processor');
  }

  /**
   * @param how given for an abnormal end: how it ended.
   * @returns what went back at once; undefined when some queue could not be asked.
   */
  recover(incarnation: string, how?: string): Promise<readonly JobRef[] | undefined> {
    const missed = new Set<GroupConfig>();
    const first = this.#track(this.#firstLook(incarnation, how, missed));
    const look = (): void => {
      this.#due.delete(incarnation);
      void this.#track(first.then(() => this.#look(incarnation, (group) => (missed.has(group) ? blame(how, false) : undefined))));
    };
    this.#due.get(incarnation)?.timer.cancel();
    this.#due.set(incarnation, { timer: this.deps.clock.setTimer(look, SECOND_LOOK_MS), look });
    return first;
  }

  /** Takes the second looks that are due later now. Resolves when nothing is under way. */
  async finish(): Promise<void> {
    for (const { timer, look } of [...this.#due.values()]) {
      timer.cancel();
      look();
    }
    await Promise.all(this.#running);
  }

  #track<T>(look: Promise<T>): Promise<T> {
    this.#running.add(look);
    void look.finally(() => this.#running.delete(look));
    return look;
  }

  async #firstLook(incarnation: string, how: string | undefined, missed: Set<GroupConfig>): Promise<readonly JobRef[] | undefined> {
    const end = blame(how, how !== undefined && (await this.#isAlone(incarnation)));
    return this.#look(incarnation, () => end, missed);
  }

  /** Whether it had one job in hand; false when that cannot be known. */
  async #isAlone(incarnation: string): Promise<boolean> {
    const { store, logger } = this.deps;
    try {
      const held = await Promise.all(this.#groups.map((group) => store.heldBy(group, incarnation)));
      return held.reduce((sum, count) => sum + count, 0) === 1;
    } catch (error) {
      logger.debug('the hand of a dead process could not be read', { incarnation, error: messageOf(error) });
      return false;
    }
  }

  async #look(
    incarnation: string,
    endFor: (group: GroupConfig) => HeldAgainst | undefined,
    missed = new Set<GroupConfig>(),
  ): Promise<readonly JobRef[] | undefined> {
    const found = await Promise.all(this.#groups.map((group) => this.#lookAt(group, incarnation, endFor(group), missed)));
    const jobs = found.flatMap((refs) => refs ?? []);
    if (jobs.length > 0)
      this.deps.logger.warn('jobs of a dead process went back to wait', { incarnation, count: jobs.length, jobs: jobs.slice(0, 20) });
    return found.includes(undefined) ? undefined : jobs;
  }

  async #lookAt(
    group: GroupConfig,
    incarnation: string,
    end: HeldAgainst | undefined,
    missed: Set<GroupConfig>,
  ): Promise<readonly JobRef[] | undefined> {
    const refOf = (jobId: string): JobRef => ({ queue: group.queue, jobId, startedAt: 0 });
    try {
      const { ids, poisoned } = await this.deps.store.recoverDead(group, incarnation, end);
      if (end && poisoned.length > 0) this.deps.onPoison(poisoned.map(refOf), end.how);
      return ids.map(refOf);
    } catch (error) {
      missed.add(group);
      const fields = { incarnation, queue: group.queue, error: messageOf(error) };
      this.deps.logger.warn('the jobs of a dead process are left to the stalled check', fields);
      return undefined;
    }
  }
}

function blame(how: string | undefined, wasAlone: boolean): HeldAgainst | undefined {
  return how === undefined ? undefined : { how, wasAlone };
}
