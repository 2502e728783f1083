import { EngineError, errorFromStatus } from '../errors/index.js';
import { type JobProgress, REMOVE_OPTIONS, type RemoveOptions } from '../job/index.js';
import { type Check, checked, flag, InvalidOptionError, nonNegativeInt, positiveInt, type Shape } from '../kit/index.js';
import type { CleanState } from '../store/index.js';
import { SpanKind, TelemetryAttributes } from '../telemetry/names.js';
import { QueueView } from './queue-view.js';

/** What can be cleaned; `waiting` is `wait`. */
export type CleanType = CleanState | 'waiting';

const CLEANABLE: Readonly<Record<CleanType, readonly CleanState[]>> = {
  completed: ['completed'],
  failed: ['failed'],
  delayed: ['delayed'],
  prioritized: ['prioritized'],
  active: ['active'],
  wait: ['wait', 'paused'],
  waiting: ['wait', 'paused'],
  paused: ['paused'],
};

const MAX_BATCH = 1_000;

/** Which finished jobs run again. */
export interface RetryJobsOptions {
  /** Jobs a call to Redis, 1000 at most. */
  readonly count?: number;
  readonly state?: 'completed' | 'failed';
  /** Only those that finished until then, epoch ms. Default now. */
  readonly timestamp?: number;
}

export interface PromoteJobsOptions {
  /** Jobs a call to Redis, 1000 at most. */
  readonly count?: number;
}

export interface ObliterateOptions {
  /** Active jobs, too, under the hands of their workers. */
  readonly force?: boolean;
  /** Jobs a call to Redis, 1000 at most. */
  readonly count?: number;
}

const finishedState: Check = (option, value) => {
  if (value !== 'failed' && value !== 'completed') throw new InvalidOptionError(option, value, '"failed" or "completed"');
};
export const RETRY_JOBS_OPTIONS: Shape<RetryJobsOptions> = { count: positiveInt, state: finishedState, timestamp: nonNegativeInt };
export const PROMOTE_JOBS_OPTIONS: Shape<PromoteJobsOptions> = { count: positiveInt };
export const OBLITERATE_OPTIONS: Shape<ObliterateOptions> = { force: flag, count: positiveInt };

/** What operators do to a queue. Each call to Redis is bounded; bulk methods repeat it until nothing is left to do. */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export class QueueAdmin<Data = any, Result = any, Name extends string = string> extends QueueView<Data, Result, Name> {
  /** Makes a deduplication id free for the next add, whichever job owns it. @returns 1 freed, 0 nobody owned it. */
  removeDeduplicationKey(deduplicationId: string): Promise<number> {
    return this.traced(
      'removeDeduplicationKey',
      () => this.#freeDeduplication(deduplicationId),
      () => ({
        attributes: { [TelemetryAttributes.DeduplicationKey]: deduplicationId },
      }),
    );
  }

  /** @deprecated the old name of `removeDeduplicationKey`. */
  removeDebounceKey(deduplicationId: string): Promise<number> {
    return this.traced(
      'removeDebounceKey',
      () => this.#freeDeduplication(deduplicationId),
      () => ({
        attributes: { [TelemetryAttributes.JobKey]: deduplicationId },
      }),
    );
  }

  /** Stops the queue for all workers of all clients; jobs in hand go on. */
  pause(): Promise<void> {
    return this.traced('pause', async () => {
      const { admin, queue } = await this.ready();
      await admin.pause(queue);
      this.emit('paused');
    });
  }

  resume(): Promise<void> {
    return this.traced('resume', async () => {
      const { admin, queue } = await this.ready();
      await admin.resume(queue);
      this.emit('resumed');
    });
  }

  /**
   * Removes a job, and its children unless told otherwise.
   * @returns 1 removed; 0 a worker holds it, or one of the children.
   * @throws JobStatusError for the next iteration of a job scheduler.
   */
  async remove(jobId: string, options: RemoveOptions = {}): Promise<number> {
    const { removeChildren = true } = checked('', options, REMOVE_OPTIONS);
    return this.traced(
      'remove',
      async () => {
        const { commands } = await this.ready();
        return check(await commands.remove(jobId, removeChildren), jobId, 'removeJob');
      },
      () => ({ attributes: { [TelemetryAttributes.JobId]: jobId, [TelemetryAttributes.JobOptions]: JSON.stringify({ removeChildren }) } }),
    );
  }

  /** Appends a row to a job's log. @param keepLogs rows that stay, the newest ones; 0: all. @returns the number of rows kept. */
  async addJobLog(jobId: string, row: string, keepLogs = 0): Promise<number> {
    nonNegativeInt('keepLogs', keepLogs);
    const { commands } = await this.ready();
    return check(await commands.addLog(jobId, row, keepLogs), jobId, 'addLog');
  }

  updateJobProgress(jobId: string, progress: JobProgress): Promise<void> {
    return this.traced(
      'updateJobProgress',
      async () => {
        const { commands } = await this.ready();
        check(await commands.updateProgress(jobId, JSON.stringify(progress) ?? 'null'), jobId, 'updateProgress');
      },
      () => ({ attributes: { [TelemetryAttributes.JobId]: jobId, [TelemetryAttributes.JobProgress]: JSON.stringify(progress) } }),
    );
  }

  /** Lets finished jobs run again, whatever their priority; their parents wait for them again. */
  async retryJobs(options: RetryJobsOptions = {}): Promise<void> {
    const { state = 'failed', count = MAX_BATCH, timestamp } = checked('', options, RETRY_JOBS_OPTIONS);
    return this.traced(
      'retryJobs',
      async () => {
        const { purge, queue, now } = await this.ready();
        const until = timestamp ?? now();
        await purge.moveJobs(queue, { state, until, count: Math.min(count, MAX_BATCH) });
      },
      () => ({ kind: SpanKind.PRODUCER, attributes: { [TelemetryAttributes.QueueOptions]: JSON.stringify(options) } }),
    );
  }

  /** Makes all delayed jobs ready, whatever their priority. */
  async promoteJobs(options: PromoteJobsOptions = {}): Promise<void> {
    const { count = MAX_BATCH } = checked('', options, PROMOTE_JOBS_OPTIONS);
    return this.traced(
      'promoteJobs',
      async () => {
        const { purge, queue } = await this.ready();
        await purge.moveJobs(queue, { state: 'delayed', count: Math.min(count, MAX_BATCH) });
      },
      () => ({ attributes: { [TelemetryAttributes.QueueOptions]: JSON.stringify(options) } }),
    );
  }

  /** Removes all jobs that are ready, and with `delayed` those that wait for a time. Iterations that schedulers depend on stay. */
  async drain(delayed = false): Promise<void> {
    flag('delayed', delayed);
    return this.traced(
      'drain',
      async () => {
        const { purge, queue } = await this.ready();
        await purge.drain(queue, delayed ? ['wait', 'paused', 'prioritized', 'delayed'] : ['wait', 'paused', 'prioritized']);
      },
      () => ({ attributes: { [TelemetryAttributes.QueueDrainDelay]: delayed } }),
    );
  }

  /**
   * Removes jobs of one state that are older than `grace` ms: finished ones by when they finished, others by the first stamp they have.
   * Active jobs that a worker holds stay, and iterations that schedulers depend on.
   * @param limit jobs at most; 0: all.
   * @returns the ids of the jobs removed.
   */
  clean(grace: number, limit: number, type: CleanType = 'completed'): Promise<string[]> {
    return this.traced(
      'clean',
      async (span) => {
        const states = Object.hasOwn(CLEANABLE, type) ? CLEANABLE[type] : undefined;
        if (!states) throw new InvalidOptionError('type', type, `one of ${Object.keys(CLEANABLE).join(', ')}`);
        nonNegativeInt('grace', grace);
        const most = limit === Number.POSITIVE_INFINITY || limit === 0 ? Number.MAX_SAFE_INTEGER : nonNegativeInt('limit', limit);
        const { inspect, purge, queue, now } = await this.ready();
        const olderThan = now() - grace;
        const removed: string[] = [];
        for (const state of states) {
          const isParked = state === 'paused' && type !== 'paused'; // only looked at if a v5 client has parked jobs there
          if (isParked && (await inspect.counts(queue)).parked === 0) continue;
          if (removed.length < most) removed.push(...(await purge.clean(queue, state, olderThan, most - removed.length)));
        }
        span?.set({ [TelemetryAttributes.QueueCleanCount]: removed.length });
        this.emit('cleaned', removed, type);
        return removed;
      },
      () => ({
        attributes: {
          [TelemetryAttributes.QueueGrace]: grace,
          [TelemetryAttributes.JobType]: type,
          [TelemetryAttributes.QueueCleanLimit]: limit || Number.POSITIVE_INFINITY,
        },
      }),
    );
  }

  /**
   * Pauses the queue and removes it with all its jobs. Parents that wait for children stay, the counter of the rate limit, and
   * deduplication ids of jobs that were not removed.
   * @throws EngineError QUEUE_IS_ACTIVE when jobs are active, without `force`: the queue stays paused.
   */
  async obliterate(options: ObliterateOptions = {}): Promise<void> {
    const { force = false, count = MAX_BATCH } = checked('', options, OBLITERATE_OPTIONS);
    return this.traced('obliterate', async () => {
      await this.pause();
      const { purge, queue } = await this.ready();
      for (let status = 1; status !== 0; ) {
        status = await purge.obliterate(queue, Math.min(count, MAX_BATCH), force);
        if (status === -1) throw new EngineError('QUEUE_NOT_PAUSED', 'Cannot obliterate non-paused queue');
        if (status === -2) throw new EngineError('QUEUE_IS_ACTIVE', 'Cannot obliterate queue with active jobs');
      }
    });
  }

  /**
   * Deletes records of jobs that are in no state: what crashed clients left behind.
   * @param count keys a step looks at. @param limit records at most; 0: all.
   * @returns how many were deleted.
   */
  async removeOrphanedJobs(count = 1_000, limit = 0): Promise<number> {
    positiveInt('count', count);
    nonNegativeInt('limit', limit);
    const { purge, queue } = await this.ready();
    return purge.removeOrphans(queue, count, limit);
  }

  /** Cuts the event stream to about `maxLength` entries. @returns how many were removed. */
  trimEvents(maxLength: number): Promise<number> {
    return this.traced(
      'trimEvents',
      async () => {
        nonNegativeInt('maxLength', maxLength);
        const { purge, queue } = await this.ready();
        return purge.trimEvents(queue, maxLength);
      },
      () => ({ attributes: { [TelemetryAttributes.QueueEventMaxLength]: maxLength } }),
    );
  }

  /** Deletes a key that old majors of BullMQ left behind. @returns 1, or 0 when there was none. */
  async removeDeprecatedPriorityKey(): Promise<number> {
    const { purge, queue } = await this.ready();
    return purge.removeDeprecatedPriorityKey(queue);
  }

  /** Caps the active jobs of all workers together. @returns 1 when there was no cap, 0 when it was replaced. */
  async setGlobalConcurrency(concurrency: number): Promise<number> {
    positiveInt('concurrency', concurrency);
    const { admin, queue } = await this.ready();
    return admin.setGlobalConcurrency(queue, concurrency);
  }

  /** @returns 1, or 0 when there was no cap. */
  async removeGlobalConcurrency(): Promise<number> {
    const { admin, queue } = await this.ready();
    return admin.setGlobalConcurrency(queue, undefined);
  }

  /** At most `max` starts per `duration` ms, of all workers together. @returns how many of the two were not set before. */
  async setGlobalRateLimit(max: number, duration: number): Promise<number> {
    const limit = { max: positiveInt('max', max), durationMs: positiveInt('duration', duration) };
    const { admin, queue } = await this.ready();
    return admin.setGlobalRateLimit(queue, limit);
  }

  /** @returns how many of the two were set. */
  async removeGlobalRateLimit(): Promise<number> {
    const { admin, queue } = await this.ready();
    return admin.setGlobalRateLimit(queue, undefined);
  }

  /** No job starts for `ms`, on workers that have a rate limit. */
  async rateLimit(ms: number): Promise<void> {
    positiveInt('expireTimeMs', ms);
    return this.traced(
      'rateLimit',
      async () => {
        const { admin, queue } = await this.ready();
        await admin.rateLimit(queue, ms);
      },
      () => ({ attributes: { [TelemetryAttributes.QueueRateLimit]: ms } }),
    );
  }

  /** Ends a rate limit's wait at once. @returns 1, or 0 when there was none. */
  async removeRateLimitKey(): Promise<number> {
    const { admin, queue } = await this.ready();
    return admin.removeRateLimit(queue);
  }

  async #freeDeduplication(deduplicationId: string): Promise<number> {
    const { admin, queue } = await this.ready();
    return admin.freeDeduplication(queue, deduplicationId);
  }
}

function check(status: number, jobId: string, command: string): number {
  if (status < 0) throw errorFromStatus(status, { jobId, command });
  return status;
}
