import { MAX_PRIORITY } from '../job/index.js';
import { anArray, anObject, InvalidOptionError, integer, nonNegativeInt } from '../kit/index.js';
import type { ListedClient, QueueCounts, QueueMeta, QueueMetrics } from '../store/index.js';
import { DEFAULT_TYPES, type JobType, knownType, TYPES } from './job-types.js';
import { formatPrometheus } from './prometheus.js';
import { QueueBase } from './queue-base.js';

/** Configuration of a queue with BullMQ's names. */
export interface QueueMetaValues {
  readonly paused: boolean;
  readonly version?: string;
  readonly maxLenEvents?: number;
  readonly concurrency?: number;
  readonly max?: number;
  readonly duration?: number;
  readonly [field: string]: string | number | boolean | undefined;
}

/** What a queue is like now: counts, limits, configuration, who is connected. Each is one bounded read. */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export class QueueStatus<Data = any, Result = any, Name extends string = string> extends QueueBase<Data, Result, Name> {
  /** How many jobs stand in each of the given states, all at one instant; without any: in the seven of BullMQ 6. */
  async getJobCounts(...types: JobType[]): Promise<Record<string, number>> {
    const wanted: readonly JobType[] = types.length > 0 ? types : DEFAULT_TYPES;
    const counters = wanted.map((type) => [type, knownType(type).count] as const);
    const counts = await this.#counts();
    return Object.fromEntries(counters.map(([type, count]) => [type, count(counts)]));
  }

  /** The same counts, recorded as the gauge `bullmq.queue.jobs` of the option `telemetry` as well. */
  async recordJobCountsMetric(...types: JobType[]): Promise<Record<string, number>> {
    const counts = await this.getJobCounts(...types);
    const { tracing } = await this.ready();
    tracing?.meter?.counts(counts);
    return counts;
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

  /** Ready jobs of each of the given priorities; 0: those without one. */
  async getCountsPerPriority(priorities: readonly number[]): Promise<Record<string, number>> {
    const wanted = [...new Set(anArray('priorities', priorities))].map((priority) => integer('priority', priority, 0, MAX_PRIORITY));
    const { inspect, queue } = await this.ready();
    const counts = await inspect.priorityCounts(queue, wanted);
    return Object.fromEntries(wanted.map((priority, at) => [String(priority), counts[at] as number]));
  }

  /** Finished jobs per minute, newest first, from minute `start` to `end`, both included; counted by workers with the option `metrics`. */
  async getMetrics(type: 'completed' | 'failed', start = 0, end = -1): Promise<QueueMetrics> {
    if (type !== 'completed' && type !== 'failed') throw new InvalidOptionError('type', type, '"completed" or "failed"');
    integer('start', start);
    integer('end', end);
    const { inspect, queue } = await this.ready();
    return inspect.metrics(queue, type, start, end);
  }

  async getWaitingCount(): Promise<number> {
    return TYPES.waiting.count(await this.#counts());
  }
  async getActiveCount(): Promise<number> {
    return TYPES.active.count(await this.#counts());
  }
  /** @param before counts only jobs due before this time, epoch ms. */
  async getDelayedCount(before?: number): Promise<number> {
    if (before !== undefined) nonNegativeInt('before', before);
    const { inspect, queue } = await this.ready();
    return inspect.delayedCount(queue, before);
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
    if (maxJobs !== undefined) nonNegativeInt('maxJobs', maxJobs);
    const { inspect, queue } = await this.ready();
    return inspect.rateLimitMs(queue, maxJobs);
  }

  /** Configuration of the queue as Redis has it, with BullMQ's names; fields that are not known are texts. */
  async getMeta(): Promise<QueueMetaValues> {
    const { fields, isPaused, concurrency, max, durationMs, maxEvents } = await this.#meta();
    const { paused: _p, concurrency: _c, max: _m, duration: _d, 'opts.maxLenEvents': _e, ...others } = fields;
    return {
      ...others,
      paused: isPaused,
      ...(maxEvents === undefined ? {} : { maxLenEvents: maxEvents }),
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(max === undefined ? {} : { max }),
      ...(durationMs === undefined ? {} : { duration: durationMs }),
    };
  }

  /** `<library>:<version>` of the Queue that was constructed last, of any client; null: none has said. */
  async getVersion(): Promise<string | null> {
    return (await this.#meta()).version ?? null;
  }

  /** As many jobs are active as the queue's own concurrency allows. */
  async isMaxed(): Promise<boolean> {
    const { inspect, queue } = await this.ready();
    return inspect.isMaxed(queue);
  }

  /** Connections of this queue's workers, of all clients that name them as BullMQ does. A process of ours is listed once, for one queue. */
  async getWorkers(): Promise<ListedClient[]> {
    const { clients, queue } = await this.ready();
    return clients.workers(queue);
  }

  async getWorkersCount(): Promise<number> {
    return (await this.getWorkers()).length;
  }

  /** Connections that read this queue's events. */
  async getQueueEvents(): Promise<ListedClient[]> {
    const { clients, queue } = await this.ready();
    return clients.eventReaders(queue);
  }

  /** Counts by state as a Prometheus scrape reads them, with BullMQ's metric names. @param labels added to each line. */
  async exportPrometheusMetrics(labels: Readonly<Record<string, string>> = {}): Promise<string> {
    anObject('labels', labels);
    const { inspect, queue } = await this.ready();
    const [counts, totals] = await Promise.all([this.getJobCounts(), inspect.finishedTotals(queue)]);
    return formatPrometheus(queue.name, counts, totals, labels);
  }

  async #counts(): Promise<QueueCounts> {
    const { inspect, queue } = await this.ready();
    return inspect.counts(queue);
  }

  async #meta(): Promise<QueueMeta> {
    const { inspect, queue } = await this.ready();
    return inspect.meta(queue);
  }
}
