import { toError } from '../kit/index.js';
import { MetricNames, TelemetryAttributes } from './names.js';
import type { Meter } from './telemetry.js';

/** What became of a run, as metrics name it. */
export type MeteredState = 'completed' | 'failed' | 'retried' | 'delayed' | 'waiting' | 'waiting-children';

/** Names and descriptions of the counters, those of BullMQ. */
const COUNTERS: Readonly<Record<MeteredState, string>> = {
  completed: MetricNames.JobsCompleted,
  failed: MetricNames.JobsFailed,
  retried: MetricNames.JobsRetried,
  delayed: MetricNames.JobsDelayed,
  waiting: MetricNames.JobsWaiting,
  'waiting-children': MetricNames.JobsWaitingChildren,
};

/** A run that is over. */
export interface MeteredRun {
  readonly name: string;
  /** Epoch ms. */
  readonly startedAt: number | undefined;
  /** Epoch ms. */
  readonly endedAt: number;
}

/** Owns the instruments of one queue; each is made when first needed. */
export class JobMeter {
  readonly #counters = new Map<MeteredState, ReturnType<Meter['createCounter']>>();
  #durations: ReturnType<Meter['createHistogram']> | undefined;
  #jobs: ReturnType<NonNullable<Meter['createGauge']>> | undefined;

  constructor(
    private readonly meter: Meter,
    private readonly queue: string,
    private readonly problem: (error: Error) => void,
  ) {}

  /** Counts a run, and how long it took in ms. */
  ended(state: MeteredState, { name, startedAt, endedAt }: MeteredRun): void {
    const attributes = {
      [TelemetryAttributes.QueueName]: this.queue,
      [TelemetryAttributes.JobName]: name,
      [TelemetryAttributes.JobState]: state,
    };
    this.#guard(() => {
      this.#counter(state).add(1, attributes);
      if (startedAt === undefined) return;
      this.#durations ??= this.meter.createHistogram(MetricNames.JobDuration, { description: 'Job processing duration', unit: 'ms' });
      this.#durations.record(Math.max(0, endedAt - startedAt), attributes);
    });
  }

  /** Records how many jobs stand in each state; nothing if the meter has no gauges. */
  counts(counts: Readonly<Record<string, number>>): void {
    this.#guard(() => {
      this.#jobs ??= this.meter.createGauge?.(MetricNames.QueueJobsCount, {
        description: 'Number of jobs in the queue by state',
        unit: '{jobs}',
      });
      for (const [state, count] of Object.entries(counts)) {
        this.#jobs?.record(count, { [TelemetryAttributes.QueueName]: this.queue, [TelemetryAttributes.QueueJobsState]: state });
      }
    });
  }

  #counter(state: MeteredState): ReturnType<Meter['createCounter']> {
    let counter = this.#counters.get(state);
    if (!counter) {
      counter = this.meter.createCounter(COUNTERS[state], { description: `Number of jobs ${state}`, unit: '1' });
      this.#counters.set(state, counter);
    }
    return counter;
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.problem(toError(error));
    }
  }
}
