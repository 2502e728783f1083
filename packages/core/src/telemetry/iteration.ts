import { SpanKind, TelemetryAttributes } from './names.js';
import type { StartDetails, Tracing } from './tracing.js';

/** A job that a scheduler is about to get. */
export interface TracedIterationOf {
  /** Of the job. */
  readonly name: string;
  /** Id of the scheduler. */
  readonly scheduler: string | undefined;
  /** No call of the application asked for it; see `Tracing#startBackground`. */
  readonly isBackground?: boolean;
}

/**
 * Adds a job of a scheduler inside a span. BullMQ's has the ids of scheduler and job, and not the job's name.
 * @param add is given what the job carries, so that whoever runs it goes on with this span.
 * @param idOf the job's id; undefined: none was added.
 */
export function tracedIteration<Added>(
  tracing: Tracing,
  { name, scheduler, isBackground = false }: TracedIterationOf,
  add: (metadata: string | undefined) => Promise<Added>,
  idOf: (added: Added) => string | undefined,
): Promise<Added> {
  const details: StartDetails = {
    kind: SpanKind.PRODUCER,
    destination: `${tracing.queue}.${name}`,
    attributes: { [TelemetryAttributes.JobSchedulerId]: scheduler },
  };
  const span = isBackground ? tracing.startBackground('add', details) : tracing.start('add', details);
  return span.during(async () => {
    const added = await add(span.metadata);
    span.set({ [TelemetryAttributes.JobId]: idOf(added) });
    return added;
  });
}
