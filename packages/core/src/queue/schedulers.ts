import { ErrorCode, errorFromStatus } from '../errors/index.js';
import {
  defaultRepeatStrategy,
  InvalidScheduleError,
  type JobRecord,
  type JobSchedulerJson,
  type JobSchedulerTemplate,
  type JobsOptions,
  type NewScheduler,
  newScheduler,
  type Repeat,
  type RepeatOptions,
  type RepeatStrategy,
  slotFrom,
} from '../job/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import { flag, InvalidOptionError, integer, messageOf } from '../kit/index.js';
import type { SchedulerStore } from '../store/index.js';
import { tracedIteration } from '../telemetry/iteration.js';
import type { Tracing } from '../telemetry/tracing.js';
import { carryingTrace } from './traced-adds.js';

/** What the schedulers of a queue are made and found with. The store waits for no connection, so `ready` does. */
export interface SchedulersParts {
  readonly queue: QueueRef;
  readonly store: SchedulerStore;
  readonly defaultJobOptions: JobsOptions;
  /** The application's own rule for patterns. */
  readonly strategy: RepeatStrategy | undefined;
  /** Absent without telemetry. */
  readonly tracing: Tracing | undefined;
  /** Epoch ms. */
  now(): number;
  ready(): Promise<void>;
}

/** Slots that are looked at when those before have an iteration already, as for intervals. */
const MAX_STEPS = 32;

/** The job schedulers of one queue: what `Queue` and `JobScheduler` have in common. */
export class Schedulers {
  constructor(private readonly parts: SchedulersParts) {}

  /** See `Queue#upsertJobScheduler`. */
  async upsert(id: string, options: RepeatOptions, template: JobSchedulerTemplate = {}): Promise<JobRecord | undefined> {
    const { defaultJobOptions, tracing } = this.parts;
    const now = this.parts.now();
    const scheduler = newScheduler(id, options, template, defaultJobOptions, now);
    const { limit, count, every } = scheduler.repeat;
    if (limit !== undefined && count > limit) return undefined;
    const slot = every === undefined ? await this.#slotAfter(now, scheduler, options) : undefined;
    if (every === undefined && slot === undefined) return undefined;
    await this.parts.ready();
    if (!tracing) return this.#add(scheduler, options, slot, now);
    const add = (metadata: string | undefined) =>
      this.#add({ ...scheduler, opts: carryingTrace(scheduler.opts, metadata) }, options, slot, now);
    return tracedIteration(tracing, { name: scheduler.name, scheduler: id }, add, (record) => record.id);
  }

  /** @returns whether there was one. */
  async remove(id: string): Promise<boolean> {
    const known = textual(id);
    await this.parts.ready();
    return this.parts.store.remove(this.parts.queue, known);
  }

  async one(id: string): Promise<JobSchedulerJson | undefined> {
    const known = textual(id);
    await this.parts.ready();
    return this.parts.store.one(this.parts.queue, known);
  }

  /** By the time of the next iteration, the latest first unless `asc`; from index `start` to `end`, both included. */
  async list(start = 0, end = -1, asc = false): Promise<JobSchedulerJson[]> {
    const range = [integer('start', start), integer('end', end)] as const;
    flag('asc', asc);
    await this.parts.ready();
    return this.parts.store.list(this.parts.queue, ...range, asc ? 'soonest' : 'latest');
  }

  async count(): Promise<number> {
    await this.parts.ready();
    return this.parts.store.count(this.parts.queue);
  }

  async #add(scheduler: NewScheduler, options: RepeatOptions, first: number | undefined, now: number): Promise<JobRecord> {
    const { queue, store } = this.parts;
    for (let slot = first, steps = 0; ; steps++) {
      const added = await store.upsert(queue, scheduler, slot, now);
      if (added !== 'taken') return added;
      slot = await this.#freeSlot(scheduler, options, slot as number, steps);
    }
  }

  /** The iteration of a slot has run or is running: it was promoted before its time. The schedule goes on after it. */
  async #freeSlot(scheduler: NewScheduler, options: RepeatOptions, taken: number, steps: number): Promise<number> {
    const { immediately: _once, ...later } = options;
    const slot = steps < MAX_STEPS ? await this.#slotAfter(taken, scheduler, later) : undefined;
    if (slot !== undefined && slot > taken) return slot;
    throw errorFromStatus(ErrorCode.SchedulerJobIdCollision, { jobId: `repeat:${scheduler.id}:${taken}`, command: 'addJobScheduler' });
  }

  /** Epoch ms, not before `millis`; undefined: the schedule is over. */
  async #slotAfter(millis: number, { name, repeat }: NewScheduler, options: RepeatOptions): Promise<number | undefined> {
    const { strategy } = this.parts;
    if (strategy) return slotFrom(await strategy(millis, options, name), millis);
    return slotFrom(matchAfter(millis, repeat, options.immediately === true), millis);
  }
}

/** @throws InvalidScheduleError with the parser's words; InvalidOptionError when it is the zone that nobody knows. */
function matchAfter(millis: number, { pattern, tz, startAt, endAt }: Repeat, immediately: boolean): number | undefined {
  const options = {
    pattern: pattern as string,
    immediately,
    ...(startAt === undefined ? {} : { startDate: startAt }),
    ...(endAt === undefined ? {} : { endDate: endAt }),
  };
  try {
    return defaultRepeatStrategy(millis, tz === undefined ? options : { ...options, tz });
  } catch (error) {
    if (tz !== undefined && !isZone(tz)) throw new InvalidOptionError('repeat.tz', tz, 'the name of a time zone');
    throw new InvalidScheduleError(messageOf(error), { cause: error });
  }
}

function isZone(tz: string): boolean {
  try {
    defaultRepeatStrategy(0, { pattern: '* * * * *', tz });
    return true;
  } catch {
    return false; // the parser refuses it whatever the pattern
  }
}

function textual(id: unknown): string {
  if (typeof id === 'string') return id;
  throw new InvalidOptionError('job scheduler id', id, 'a text');
}
