import type { Job, JobSchedulerJson, JobSchedulerTemplate, RepeatOptions } from '../job/index.js';
import { QueueAdmin } from './queue-admin.js';

/** The job schedulers of a queue: rules by which its workers make jobs, one after the other. */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export class QueueSchedulers<Data = any, Result = any, Name extends string = string> extends QueueAdmin<Data, Result, Name> {
  /**
   * Makes a job scheduler, or replaces the one with that id, and adds its next job. What the scheduler before had added and nobody has
   * started goes; with the same interval, the new job takes its slot.
   * @returns that job; undefined when there is none to come: the limit is reached, or no match is left before the end.
   * @throws InvalidOptionError, InvalidScheduleError before anything is sent; JobStatusError when the next slots have jobs already;
   * ConnectionLostError when the answer got lost: calling again is safe.
   */
  async upsertJobScheduler(
    id: string,
    repeat: RepeatOptions,
    template: JobSchedulerTemplate<Data, Name> = {},
  ): Promise<Job<Data, Result, Name> | undefined> {
    const record = await this.schedulers.upsert(id, repeat, template);
    return record && this.jobOf(record);
  }

  /** Ends a schedule. Its next job goes if it waits for its time; one that is ready or active runs. @returns whether there was one. */
  removeJobScheduler(id: string): Promise<boolean> {
    return this.schedulers.remove(id);
  }

  async getJobScheduler(id: string): Promise<JobSchedulerJson<Data> | undefined> {
    return this.schedulers.one(id);
  }

  /** By the time of the next job, the latest first unless `asc`; from index `start` to `end`, both included; -1: to the last. */
  getJobSchedulers(start = 0, end = -1, asc = false): Promise<JobSchedulerJson<Data>[]> {
    return this.schedulers.list(start, end, asc);
  }

  /** How many job schedulers the queue has. */
  getJobSchedulersCount(): Promise<number> {
    return this.schedulers.count();
  }
}
