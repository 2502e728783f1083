import { decodeJob, type JobRecord, type JobState } from '../job/index.js';
import { jobKey, type QueueKeys, type QueueRef, queueKeys } from '../keys/queue-keys.js';
import type { RawCommand, Scripts } from '../redis/index.js';
import { readFields } from './replies.js';

/** How many jobs stand in each state, at one instant. */
export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  readonly prioritized: number;
  readonly delayed: number;
  readonly waitingChildren: number;
  readonly completed: number;
  readonly failed: number;
  /** Ready jobs that a v5 client has put aside while the queue is paused; not contained in `waiting`. */
  readonly parked: number;
}

/** States that have an order to list them in, by their key. */
export type RangeState = 'wait' | 'paused' | 'active' | 'prioritized' | 'delayed' | 'waitingChildren' | 'completed' | 'failed';

/** Configuration of a queue; what is not set is undefined. */
export interface QueueMeta {
  readonly isPaused: boolean;
  readonly concurrency: number | undefined;
  readonly max: number | undefined;
  readonly durationMs: number | undefined;
  readonly maxEvents: number | undefined;
  readonly version: string | undefined;
  /** All fields as stored. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What `Queue.getMetrics` of every BullMQ client answers. */
export interface QueueMetrics {
  /** Finished in all; epoch ms, and the count, at which the newest full minute ended. */
  readonly meta: { readonly count: number; readonly prevTS: number; readonly prevCount: number };
  /** Finished per minute, newest first. */
  readonly data: readonly number[];
  /** How many minutes are kept. */
  readonly count: number;
}

const PER_CALL = 500;
/** Scores of delayed jobs are ms times this, those of prioritized ones priority times the other. See the data model, section 3. */
const DELAYED_SCORE = 4_096;
const PRIORITY_SCORE = 2 ** 32;

/** Reads of a queue, always bounded: lists come in pages, 500 jobs a call. */
export class InspectStore {
  constructor(private readonly scripts: Scripts) {}

  async counts(queue: QueueRef): Promise<QueueCounts> {
    const reply = (await this.scripts.call('get-counts', [queueKeys(queue).meta], [])) as number[];
    const [waiting, active, prioritized, delayed, waitingChildren, completed, failed, parked] = reply.map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    return { waiting, active, prioritized, delayed, waitingChildren, completed, failed, parked };
  }

  async state(queue: QueueRef, jobId: string): Promise<JobState> {
    return (await this.scripts.call('get-state', [queueKeys(queue).meta], [jobId])) as JobState;
  }

  async job(queue: QueueRef, jobId: string): Promise<JobRecord | undefined> {
    const fields = readFields(await this.scripts.connection.send('hgetall', [jobKey(queue, jobId)]));
    return fields && decodeJob(jobId, fields).record;
  }

  /** Records by id, in order; undefined where there is none. */
  async jobs(queue: QueueRef, jobIds: readonly string[]): Promise<(JobRecord | undefined)[]> {
    const calls = [];
    for (let first = 0; first < jobIds.length; first += PER_CALL) {
      calls.push({ script: 'get-jobs' as const, keys: [queueKeys(queue).meta], args: jobIds.slice(first, first + PER_CALL) });
    }
    const records = (await this.scripts.callAll(calls)).flatMap((reply) => {
      if (reply instanceof Error) throw reply;
      return (reply as unknown[]).map(readFields);
    });
    return records.map((fields, at) => fields && decodeJob(jobIds[at] as string, fields).record);
  }

  /** Records by full job key, of any queue; undefined where there is none. */
  async jobsByKey(keys: readonly string[]): Promise<(JobRecord | undefined)[]> {
    const records: (JobRecord | undefined)[] = [];
    for (let first = 0; first < keys.length; first += PER_CALL) {
      const page = keys.slice(first, first + PER_CALL);
      const replies = await this.scripts.connection.sendAll(page.map((key) => ({ name: 'hgetall', args: [key] })));
      for (const [at, reply] of replies.entries()) {
        if (reply instanceof Error) throw reply;
        const fields = readFields(reply);
        const key = page[at] as string;
        records.push(fields && decodeJob(key.slice(key.lastIndexOf(':') + 1), fields).record);
      }
    }
    return records;
  }

  /** Jobs that finished since metrics of the queue began; 0 when no worker keeps them. */
  async finishedTotals(queue: QueueRef): Promise<{ readonly completed: number; readonly failed: number }> {
    const commands = ['completed', 'failed'].map((target) => ({ name: 'hget', args: [`${queue.base}metrics:${target}`, 'count'] }));
    const [completed, failed] = (await this.scripts.connection.sendAll(commands)).map((reply) => {
      if (reply instanceof Error) throw reply;
      return Number(reply ?? 0);
    });
    return { completed: completed as number, failed: failed as number };
  }

  /**
   * Jobs of one state from index `start` to `end`, both included; `end` -1: to the last one.
   * @param order `oldest`: lists in the order they will run, sets by score; `newest`: the reverse.
   */
  async range(queue: QueueRef, state: RangeState, start: number, end: number, order: 'oldest' | 'newest'): Promise<JobRecord[]> {
    const records: JobRecord[] = [];
    const last = end < 0 ? Number.MAX_SAFE_INTEGER : end;
    for (let first = Math.max(0, start); first <= last; first += PER_CALL) {
      const stop = Math.min(last, first + PER_CALL - 1);
      const args = [state, first, stop, order === 'newest' ? 1 : 0];
      const [seen, jobs] = (await this.scripts.call('get-range', [queueKeys(queue).meta], args)) as [number, unknown[]];
      for (let at = 0; at < jobs.length; at += 2) {
        const fields = readFields(jobs[at + 1]);
        if (fields) records.push(decodeJob(jobs[at] as string, fields).record);
      }
      if (seen < stop - first + 1) break;
    }
    return records;
  }

  /** Rows of a job's log from `start` to `end`, both included, and how many there are. */
  async logs(
    queue: QueueRef,
    jobId: string,
    start = 0,
    end = -1,
    order: 'oldest' | 'newest' = 'oldest',
  ): Promise<{ rows: string[]; count: number }> {
    const key = `${jobKey(queue, jobId)}:logs`;
    const isOldest = order === 'oldest';
    const [count, rows] = await this.scripts.connection.sendAll([
      { name: 'llen', args: [key] },
      { name: 'lrange', args: isOldest ? [key, start, end] : [key, -(end + 1), -(start + 1)] },
    ]);
    if (count instanceof Error) throw count;
    if (rows instanceof Error) throw rows;
    return { rows: isOldest ? (rows as string[]) : (rows as string[]).reverse(), count: count as number };
  }

  /** Delayed jobs; with `before`, those that are due before that time (epoch ms). */
  async delayedCount(queue: QueueRef, before?: number): Promise<number> {
    const { delayed } = queueKeys(queue);
    const { connection } = this.scripts;
    if (before === undefined) return (await connection.send('zcard', [delayed])) as number;
    return (await connection.send('zcount', [delayed, '-inf', before * DELAYED_SCORE - 1])) as number;
  }

  /** Ready jobs of each priority, in the given order; 0: those without one. */
  async priorityCounts(queue: QueueRef, priorities: readonly number[]): Promise<number[]> {
    const { prioritized, wait, paused } = queueKeys(queue);
    const commands: RawCommand[] = [wait, paused].map((key) => ({ name: 'llen', args: [key] }));
    for (const priority of priorities) {
      const lowest = priority * PRIORITY_SCORE;
      commands.push({ name: 'zcount', args: [prioritized, lowest, lowest + PRIORITY_SCORE - 1] });
    }
    const [waiting, parked, ...counts] = (await this.scripts.connection.sendAll(commands)).map((reply) => {
      if (reply instanceof Error) throw reply;
      return reply as number;
    }) as [number, number, ...number[]];
    return counts.map((count, at) => (priorities[at] === 0 ? waiting + parked : count));
  }

  /** As many jobs are active as the queue's own concurrency allows. */
  async isMaxed(queue: QueueRef): Promise<boolean> {
    const { meta, active } = queueKeys(queue);
    const [concurrency, count] = await this.scripts.connection.sendAll([
      { name: 'hget', args: [meta, 'concurrency'] },
      { name: 'llen', args: [active] },
    ]);
    for (const reply of [concurrency, count]) if (reply instanceof Error) throw reply;
    return concurrency !== null && (count as number) >= Number(concurrency);
  }

  /** The job that owns a deduplication id; null: nobody. */
  async deduplicationOwner(queue: QueueRef, deduplicationId: string): Promise<string | null> {
    return (await this.scripts.connection.send('get', [`${queue.base}de:${deduplicationId}`])) as string | null;
  }

  async meta(queue: QueueRef): Promise<QueueMeta> {
    const fields = readFields(await this.scripts.connection.send('hgetall', [queueKeys(queue).meta])) ?? {};
    return {
      isPaused: fields.paused !== undefined,
      concurrency: numberOf(fields.concurrency),
      max: numberOf(fields.max),
      durationMs: numberOf(fields.duration),
      maxEvents: numberOf(fields['opts.maxLenEvents']),
      version: fields.version,
      fields,
    };
  }

  /** Finished jobs per minute, newest first, as workers with `metrics` have counted them. */
  async metrics(queue: QueueRef, type: 'completed' | 'failed', start: number, end: number): Promise<QueueMetrics> {
    const key = `${queue.base}metrics:${type}`;
    const [fields, data, points] = await this.scripts.connection.sendAll([
      { name: 'hmget', args: [key, 'count', 'prevTS', 'prevCount'] },
      { name: 'lrange', args: [`${key}:data`, start, end] },
      { name: 'llen', args: [`${key}:data`] },
    ]);
    for (const reply of [fields, data, points]) if (reply instanceof Error) throw reply;
    const [count, prevTS, prevCount] = (fields as (string | null)[]).map((text) => Number(text ?? 0)) as [number, number, number];
    return { meta: { count, prevTS, prevCount }, data: (data as string[]).map(Number), count: points as number };
  }

  /** Ms until the rate limit lifts; 0: not limited. Without `max`, the queue's own limit counts. */
  async rateLimitMs(queue: QueueRef, max?: number): Promise<number> {
    const { limiter, meta }: QueueKeys = queueKeys(queue);
    const [started, ttl, globalMax] = await this.scripts.connection.sendAll([
      { name: 'get', args: [limiter] },
      { name: 'pttl', args: [limiter] },
      { name: 'hget', args: [meta, 'max'] },
    ]);
    for (const reply of [started, ttl, globalMax]) if (reply instanceof Error) throw reply;
    const limit = max ?? (globalMax === null ? undefined : Number(globalMax));
    if (limit !== undefined && Number(started ?? 0) < limit) return 0;
    return Math.max(0, ttl as number);
  }
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
