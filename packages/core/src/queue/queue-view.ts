import { EventEmitter } from 'eventemitter3';
import { Job, type JobCommands, type JobRecord, type JobState } from '../job/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import { InvalidOptionError, integer } from '../kit/index.js';
import type { InspectStore, QueueCounts, QueueMeta, QueueMetrics, RangeState } from '../store/index.js';

/** What a queue tells of what its own methods did; events of all clients come from the event stream. */
export interface QueueEventMap {
  /** A job was added here. */
  waiting: (job: Job) => void;
  removed: (jobId: string) => void;
  paused: () => void;
  resumed: () => void;
  /** Without a listener, errors are printed once per message. */
  error: (error: Error) => void;
  /** The connection to Redis was lost. */
  'ioredis:close': () => void;
}

/** States that jobs are counted and listed by. `wait` is `waiting`; `paused` are ready jobs that a v5 client has put aside. */
export type JobType = Exclude<JobState, 'unknown'> | 'wait' | 'paused';

const DEFAULT_TYPES = ['active', 'completed', 'delayed', 'failed', 'prioritized', 'waiting', 'waiting-children'] as const;

/** How each state is counted, and by which key it is listed. */
const TYPES: Readonly<Record<JobType, { readonly count: (counts: QueueCounts) => number; readonly range: RangeState }>> = {
  active: { count: (counts) => counts.active, range: 'active' },
  completed: { count: (counts) => counts.completed, range: 'completed' },
  delayed: { count: (counts) => counts.delayed, range: 'delayed' },
  failed: { count: (counts) => counts.failed, range: 'failed' },
  prioritized: { count: (counts) => counts.prioritized, range: 'prioritized' },
  wait: { count: (counts) => counts.waiting + counts.parked, range: 'wait' },
  waiting: { count: (counts) => counts.waiting + counts.parked, range: 'wait' },
  paused: { count: (counts) => counts.parked, range: 'paused' },
  'waiting-children': { count: (counts) => counts.waitingChildren, range: 'waitingChildren' },
};

/** What a view needs of its queue. The stores wait for no connection themselves, so `ready` does. */
export interface ViewParts {
  readonly queue: QueueRef;
  readonly inspect: InspectStore;
  readonly commands: JobCommands;
  ready(): Promise<void>;
}

/** The reading half of a queue: counts, states, jobs. All reads are bounded per call to Redis; ranges are read in pages. */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export class QueueView<Data = any, Result = any, Name extends string = string> extends EventEmitter<QueueEventMap> {
  readonly #parts: ViewParts;

  constructor(parts: ViewParts) {
    super();
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.queue.name;
  }

  /** `<prefix>:<queue>`. */
  get qualifiedName(): string {
    return this.#parts.queue.qualified;
  }

  toKey(type: string): string {
    return this.#parts.queue.base + type;
  }

  /** @returns undefined when there is no such job. */
  async getJob(jobId: string): Promise<Job<Data, Result, Name> | undefined> {
    const { inspect, queue } = await this.#ready();
    const record = await inspect.job(queue, jobId);
    return record && this.#job(record);
  }

  async getJobState(jobId: string): Promise<JobState> {
    const { inspect, queue } = await this.#ready();
    return inspect.state(queue, jobId);
  }

  /** How many jobs stand in each of the given states, all at one instant; without any: in the seven of BullMQ 6. */
  async getJobCounts(...types: JobType[]): Promise<Record<string, number>> {
    const wanted: readonly JobType[] = types.length > 0 ? types : DEFAULT_TYPES;
    const counters = wanted.map((type) => [type, known(type).count] as const);
    const counts = await this.#counts();
    return Object.fromEntries(counters.map(([type, count]) => [type, count(counts)]));
  }

  /** The sum of the counts of the given states. */
  async getJobCountByTypes(...types: JobType[]): Promise<number> {
    const counts = await this.getJobCounts(...new Set(types));
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  /** Jobs that have not started: waiting, prioritized, delayed, or waiting for children. */
  async count(): Promise<number> {
    const { waiting, parked, prioritized, delayed, waitingChildren } = await this.#counts();
    return waiting + parked + prioritized + delayed + waitingChildren;
  }

  async getWaitingCount(): Promise<number> {
    return TYPES.waiting.count(await this.#counts());
  }
  async getActiveCount(): Promise<number> {
    return TYPES.active.count(await this.#counts());
  }
  async getDelayedCount(): Promise<number> {
    return TYPES.delayed.count(await this.#counts());
  }
  async getPrioritizedCount(): Promise<number> {
    return TYPES.prioritized.count(await this.#counts());
  }
  async getCompletedCount(): Promise<number> {
    return TYPES.completed.count(await this.#counts());
  }
  async getFailedCount(): Promise<number> {
    return TYPES.failed.count(await this.#counts());
  }
  async getWaitingChildrenCount(): Promise<number> {
    return TYPES['waiting-children'].count(await this.#counts());
  }

  /** Jobs of each of the given states from index `start` to `end`, both included; -1: to the last. `asc`: oldest first. */
  async getJobs(types: JobType | readonly JobType[], start = 0, end = -1, asc = false): Promise<Job<Data, Result, Name>[]> {
    const ranges = [...new Set(typeof types === 'string' ? [types] : types)].map((type) => known(type).range);
    const { inspect, queue } = await this.#ready();
    const jobs: Job<Data, Result, Name>[] = [];
    for (const range of ranges) {
      for (const record of await inspect.range(queue, range, start, end, asc ? 'oldest' : 'newest')) jobs.push(this.#job(record));
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
    const { inspect, queue } = await this.#ready();
    const { rows, count } = await inspect.logs(queue, jobId, start, end, asc ? 'oldest' : 'newest');
    return { logs: rows, count };
  }

  /** The job that owns a deduplication id; null: nobody. */
  async getDeduplicationJobId(deduplicationId: string): Promise<string | null> {
    const { inspect, queue } = await this.#ready();
    return inspect.deduplicationOwner(queue, deduplicationId);
  }

  /** @deprecated the old name of `getDeduplicationJobId`. */
  getDebounceJobId(deduplicationId: string): Promise<string | null> {
    return this.getDeduplicationJobId(deduplicationId);
  }

  async isPaused(): Promise<boolean> {
    return (await this.#meta()).isPaused;
  }

  /** The queue's cap on active jobs; null: none. */
  async getGlobalConcurrency(): Promise<number | null> {
    return (await this.#meta()).concurrency ?? null;
  }

  /** The queue's rate limit; null: none. */
  async getGlobalRateLimit(): Promise<{ max: number; duration: number } | null> {
    const { max, durationMs } = await this.#meta();
    return max === undefined || durationMs === undefined ? null : { max, duration: durationMs };
  }

  /** Ms until the rate limit lifts; 0: not limited. */
  async getRateLimitTtl(maxJobs?: number): Promise<number> {
    const { inspect, queue } = await this.#ready();
    return inspect.rateLimitMs(queue, maxJobs);
  }

  /** Finished jobs per minute, newest first, from minute `start` to `end`, both included; counted by workers with the option `metrics`. */
  async getMetrics(type: 'completed' | 'failed', start = 0, end = -1): Promise<QueueMetrics> {
    if (type !== 'completed' && type !== 'failed') throw new InvalidOptionError('type', type, '"completed" or "failed"');
    const { inspect, queue } = await this.#ready();
    return inspect.metrics(queue, type, integer('start', start), integer('end', end));
  }

  /** Configuration of the queue as Redis has it. */
  async getMeta(): Promise<Readonly<Record<string, string>>> {
    return (await this.#meta()).fields;
  }

  async #counts(): Promise<QueueCounts> {
    const { inspect, queue } = await this.#ready();
    return inspect.counts(queue);
  }

  async #meta(): Promise<QueueMeta> {
    const { inspect, queue } = await this.#ready();
    return inspect.meta(queue);
  }

  async #ready(): Promise<ViewParts> {
    await this.#parts.ready();
    return this.#parts;
  }

  #job(record: JobRecord): Job<Data, Result, Name> {
    return new Job<Data, Result, Name>(this.#parts.queue, record, this.#parts.commands);
  }
}

function known(type: JobType): (typeof TYPES)[JobType] {
  if (Object.hasOwn(TYPES, type)) return TYPES[type];
  throw new InvalidOptionError('type', type, `one of ${Object.keys(TYPES).join(', ')}`);
}
