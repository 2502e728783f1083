import type { ChildKind, Job, JobState } from '../job/index.js';
import { decodeJson, toChildJson } from '../job/index.js';
import { flag, InvalidOptionError, integer } from '../kit/index.js';
import { DEFAULT_TYPES, type JobType, knownType } from './job-types.js';
import { QueueStatus } from './queue-status.js';

/** A page of a parent's children. */
export interface QueueDependencies {
  /** Full job key of each; `v`: what it returned; `err`: why that cannot be decoded. */
  readonly items: { id: string; v?: unknown; err?: string }[];
  /** Their records with texts as stored; those that are gone are left out. */
  readonly jobs: Record<string, unknown>[];
  readonly total: number;
}

const DEPENDENCY_KINDS: Readonly<Record<string, ChildKind>> = { processed: 'processed', pending: 'unprocessed' };

/** The reading half of a queue: its jobs. All reads are bounded per call to Redis; ranges are read in pages. */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export class QueueView<Data = any, Result = any, Name extends string = string> extends QueueStatus<Data, Result, Name> {
  /** @returns undefined when there is no such job. */
  async getJob(jobId: string): Promise<Job<Data, Result, Name> | undefined> {
    const { inspect, queue } = await this.ready();
    const record = await inspect.job(queue, jobId);
    return record && this.jobOf(record);
  }

  async getJobState(jobId: string): Promise<JobState> {
    const { inspect, queue } = await this.ready();
    return inspect.state(queue, jobId);
  }

  /**
   * Jobs of each of the given states (without any: of the seven of BullMQ 6) from index `start` to `end`, both included; -1: to the last.
   * `waiting` comes with what v5 clients parked while the queue is paused. `asc`: oldest first.
   */
  async getJobs(types: JobType | readonly JobType[] = DEFAULT_TYPES, start = 0, end = -1, asc = false): Promise<Job<Data, Result, Name>[]> {
    const ranges = new Set((typeof types === 'string' ? [types] : types).map((type) => knownType(type).range));
    if (ranges.has('wait')) ranges.delete('paused');
    integer('start', start);
    integer('end', end);
    flag('asc', asc);
    const { inspect, queue } = await this.ready();
    const jobs: Job<Data, Result, Name>[] = [];
    for (const range of ranges) {
      for (const record of await inspect.range(queue, range, start, end, asc ? 'oldest' : 'newest')) jobs.push(this.jobOf(record));
    }
    return jobs;
  }

  getWaiting(start = 0, end = -1): Promise<Job<Data, Result, Name>[]> {
    return this.getJobs('waiting', start, end, true);
  }
  getActive(start = 0, end = -1): Promise<Job<Data, Result, Name>[]> {
    return this.getJobs('active', start, end, true);
  }
  getDelayed(start = 0, end = -1): Promise<Job<Data, Result, Name>[]> {
    return this.getJobs('delayed', start, end, true);
  }
  getPrioritized(start = 0, end = -1): Promise<Job<Data, Result, Name>[]> {
    return this.getJobs('prioritized', start, end, true);
  }
  getCompleted(start = 0, end = -1): Promise<Job<Data, Result, Name>[]> {
    return this.getJobs('completed', start, end, false);
  }
  getFailed(start = 0, end = -1): Promise<Job<Data, Result, Name>[]> {
    return this.getJobs('failed', start, end, false);
  }
  getWaitingChildren(start = 0, end = -1): Promise<Job<Data, Result, Name>[]> {
    return this.getJobs('waiting-children', start, end, true);
  }

  /** Rows of a job's log from `start` to `end`, both included, and how many there are. */
  async getJobLogs(jobId: string, start = 0, end = -1, asc = true): Promise<{ logs: string[]; count: number }> {
    integer('start', start);
    integer('end', end);
    flag('asc', asc);
    const { inspect, queue } = await this.ready();
    const { rows, count } = await inspect.logs(queue, jobId, start, end, asc ? 'oldest' : 'newest');
    return { logs: rows, count };
  }

  /** Children of a job with their records, from index `start` to `end`, both included; -1: to the last. */
  async getDependencies(parentId: string, type: 'processed' | 'pending', start = 0, end = -1): Promise<QueueDependencies> {
    const kind = Object.hasOwn(DEPENDENCY_KINDS, type) ? DEPENDENCY_KINDS[type] : undefined;
    if (!kind) throw new InvalidOptionError('type', type, '"processed" or "pending"');
    integer('start', start, 0);
    integer('end', end, -1);
    const { children, inspect, queue } = await this.ready();
    const [{ entries }, counts] = await Promise.all([children.all(queue, parentId, kind), children.counts(queue, parentId)]);
    const page = entries.slice(start, end === -1 ? undefined : end + 1);
    const records = await inspect.jobsByKey(page.map(([key]) => key));
    return {
      items: page.map(([key, text]) => dependencyItem(key, text)),
      jobs: records.flatMap((record) => (record ? [toChildJson(record)] : [])),
      total: counts[kind],
    };
  }

  /** The job that owns a deduplication id; null: nobody. */
  async getDeduplicationJobId(deduplicationId: string): Promise<string | null> {
    const { inspect, queue } = await this.ready();
    return inspect.deduplicationOwner(queue, deduplicationId);
  }

  /** @deprecated the old name of `getDeduplicationJobId`. */
  getDebounceJobId(deduplicationId: string): Promise<string | null> {
    return this.getDeduplicationJobId(deduplicationId);
  }
}

function dependencyItem(id: string, text: string | undefined): QueueDependencies['items'][number] {
  if (text === undefined) return { id };
  const { value, problem } = decodeJson(text, undefined);
  return problem === undefined ? { id, v: value } : { id, err: problem };
}
