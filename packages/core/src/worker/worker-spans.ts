import { randomUUID } from 'node:crypto';
import type { JobRecord } from '../job/index.js';
import type { Clock } from '../kit/index.js';
import { tracedIteration } from '../telemetry/iteration.js';
import { SpanKind, TelemetryAttributes } from '../telemetry/names.js';
import type { Attributes } from '../telemetry/telemetry.js';
import { Tracing } from '../telemetry/tracing.js';
import { RunTrace } from './run-trace.js';
import type { TracedIteration } from './schedules.js';
import type { ResolvedWorkerOptions } from './worker-options.js';

/** The spans of one worker. Only a worker with the option `telemetry` has them. */
export class WorkerSpans {
  readonly #who: Attributes;

  /** @param name the worker's option `name`, if it has one. */
  constructor(
    readonly tracing: Tracing,
    private readonly now: () => number,
    private readonly id: string,
    name: string | undefined,
  ) {
    tracing.settleHere();
    this.#who = { [TelemetryAttributes.WorkerId]: id, [TelemetryAttributes.WorkerName]: name };
  }

  /** A job is about to be run: its span goes on with the trace that the job brought along. */
  begin(record: JobRecord): RunTrace {
    const span = this.tracing.startBackground('process', {
      kind: SpanKind.CONSUMER,
      metadata: metadataOf(record),
      attributes: { ...this.#who, [TelemetryAttributes.JobId]: record.id, [TelemetryAttributes.JobName]: record.name },
    });
    return new RunTrace(this.tracing, record, span, this.now);
  }

  /** A job of a scheduler is about to be run: the one after it begins a trace where the worker was made, as its schedule has no end. */
  readonly iteration: TracedIteration = ({ name, repeatJobKey }, add) =>
    tracedIteration(this.tracing, { name, scheduler: repeatJobKey, isBackground: true }, add, (id) => id);

  /** The same for a job that the application took by hand: the span belongs to whatever it did that in. */
  readonly iterationByHand: TracedIteration = ({ name, repeatJobKey }, add) =>
    tracedIteration(this.tracing, { name, scheduler: repeatJobKey }, add, (id) => id);

  /** Something the application asked of the worker. */
  trace<T>(operation: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
    return this.tracing.trace(operation, { attributes: { ...this.#who, ...attributes } }, work);
  }

  /** The same, without a wait. */
  mark(operation: string): void {
    this.tracing.start(operation, { attributes: this.#who }).end();
  }

  /** BullMQ's span of this has the worker's id alone. */
  rateLimit<T>(ms: number, work: () => Promise<T>): Promise<T> {
    const attributes = { [TelemetryAttributes.WorkerId]: this.id, [TelemetryAttributes.WorkerRateLimit]: ms };
    return this.tracing.trace('rateLimit', { attributes }, work);
  }

  /** A job was taken by hand: its span belongs to the trace that the job brought along, which is known only now. */
  taken(options: object, record: JobRecord | undefined, startedAt: number): void {
    const span = this.tracing.start('getNextJob', {
      metadata: record && metadataOf(record),
      startedAt,
      attributes: {
        ...this.#who,
        [TelemetryAttributes.WorkerOptions]: JSON.stringify(options),
        [TelemetryAttributes.JobId]: record?.id,
      },
    });
    span.end();
  }

  renewed(jobIds: readonly string[], startedAt: number): void {
    const attributes = { ...this.#who, [TelemetryAttributes.WorkerJobsToExtendLocks]: jobIds };
    this.tracing.startBackground('extendLocks', { startedAt, attributes }).end();
  }

  checked(stalled: readonly string[], startedAt: number): void {
    const attributes = { ...this.#who, [TelemetryAttributes.WorkerStalledJobs]: stalled };
    const span = this.tracing.startBackground('moveStalledJobsToWait', { startedAt, attributes });
    for (const jobId of stalled) span.event('job stalled', { [TelemetryAttributes.JobId]: jobId });
    span.end();
  }
}

/** The spans of a worker of `queue`; undefined without the option `telemetry`. */
export function workerSpans(
  { telemetry, profile }: Pick<ResolvedWorkerOptions, 'telemetry' | 'profile'>,
  queue: string,
  clock: Clock,
  problem: (error: Error) => void,
): WorkerSpans | undefined {
  return telemetry && new WorkerSpans(new Tracing(telemetry, queue, problem), () => clock.now(), randomUUID(), profile.name);
}

/** Does `work` inside a span, if the worker has spans. */
export function traced<T>(spans: WorkerSpans | undefined, operation: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  return spans ? spans.trace(operation, attributes, work) : work();
}

/** Other clients store `false` for a job that is to begin a trace of its own. */
function metadataOf({ opts }: JobRecord): string | undefined {
  const { tm } = opts as { readonly tm?: unknown };
  return typeof tm === 'string' && tm !== '' ? tm : undefined;
}
