import { type Clock, type Logger, messageOf, type Timer } from '@drover/core/kit';
import type { GroupConfig } from '../config/resolved.js';
import type { JobRef } from '../protocol/index.js';

/** What can take back the jobs that a dead incarnation held, by its lock tokens. */
export interface DeadJobStore {
  /** @returns ids of the jobs that went back to wait. */
  recoverDead(group: GroupConfig, incarnation: string): Promise<readonly string[]>;
}

/** Calls that a dying process left in its socket are carried out by Redis after its death; the second look finds what they took. */
const SECOND_LOOK_MS = 5_000;

/**
 * Returns the jobs of dead processes to `wait` by the stalled rule, at once and again 5 s later. Owns the second looks that are due.
 * What cannot be returned because Redis is away is left to the stalled check, which finds it when its lock has run out.
 */
export class RecoverJobs {
  readonly #groups: readonly GroupConfig[];
  readonly #due = new Map<string, Timer>();
  readonly #running = new Set<Promise<unknown>>();

  /** @param groups those that run processors; foreign workers have locks of their own. One group per queue is asked. */
  constructor(
    private readonly store: DeadJobStore,
    groups: readonly GroupConfig[],
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    const byQueue = new Map(groups.map((group) => [JSON.stringify([group.connection, group.prefix, group.queue]), group]));
    this.#groups = [...byQueue.values()].filter((group) => group.module.kind === 'processor');
  }

  /** @returns what went back at once; undefined when some queue could not be asked. */
  async recover(incarnation: string): Promise<readonly JobRef[] | undefined> {
    const look = () => {
      this.#due.delete(incarnation);
      void this.#track(this.#look(incarnation));
    };
    this.#due.get(incarnation)?.cancel();
    this.#due.set(incarnation, this.clock.setTimer(look, SECOND_LOOK_MS));
    return this.#track(this.#look(incarnation));
  }

  /** Takes the second looks that are due later now. Resolves when nothing is under way. */
  async finish(): Promise<void> {
    for (const [incarnation, timer] of [...this.#due]) {
      timer.cancel();
      this.#due.delete(incarnation);
      void this.#track(this.#look(incarnation));
    }
    await Promise.all(this.#running);
  }

  #track<T>(look: Promise<T>): Promise<T> {
    this.#running.add(look);
    void look.finally(() => this.#running.delete(look));
    return look;
  }

  async #look(incarnation: string): Promise<readonly JobRef[] | undefined> {
    const found = await Promise.all(this.#groups.map((group) => this.#lookAt(group, incarnation)));
    const jobs = found.flatMap((refs) => refs ?? []);
    if (jobs.length > 0)
      this.logger.warn('jobs of a dead process went back to wait', { incarnation, count: jobs.length, jobs: jobs.slice(0, 20) });
    return found.includes(undefined) ? undefined : jobs;
  }

  async #lookAt(group: GroupConfig, incarnation: string): Promise<readonly JobRef[] | undefined> {
    try {
      const ids = await this.store.recoverDead(group, incarnation);
      return ids.map((jobId) => ({ queue: group.queue, jobId, startedAt: 0 }));
    } catch (error) {
      const fields = { incarnation, queue: group.queue, error: messageOf(error) };
      this.logger.warn('the jobs of a dead process are left to the stalled check', fields);
      return undefined;
    }
  }
}
