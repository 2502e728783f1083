import type { JobsOptions, StoredJobOptions } from '../job/index.js';
import { SpanKind, TelemetryAttributes } from '../telemetry/names.js';
import type { Tracing } from '../telemetry/tracing.js';

/** A job to be added, as far as its span is concerned. */
interface Addable {
  readonly name: string;
  readonly opts?: JobsOptions;
}

/** Adds a job inside a span, which the job carries on unless it is to begin a trace of its own. */
export function tracedAdd<Added extends { readonly id: string }>(
  tracing: Tracing,
  queue: string,
  name: string,
  options: JobsOptions,
  add: (options: JobsOptions) => Promise<Added>,
): Promise<Added> {
  return tracing.trace('add', { kind: SpanKind.PRODUCER, destination: `${queue}.${name}` }, async (span) => {
    const added = await add(options.telemetry?.omitContext ? options : carrying(options, span.metadata));
    span.set({ [TelemetryAttributes.JobName]: name, [TelemetryAttributes.JobId]: added.id });
    return added;
  });
}

/** Adds many jobs inside one span. Those that have been given a trace keep it. */
export function tracedAddBulk<One extends Addable, Added>(
  tracing: Tracing,
  jobs: readonly One[],
  add: (jobs: readonly One[]) => Promise<Added>,
): Promise<Added> {
  const attributes = {
    [TelemetryAttributes.BulkNames]: jobs.map(({ name }) => name),
    [TelemetryAttributes.BulkCount]: jobs.length,
  };
  return tracing.trace('addBulk', { kind: SpanKind.PRODUCER, attributes }, (span) => {
    const { metadata } = span;
    return add(jobs.map((job) => ({ ...job, opts: carryingUnlessGiven(job.opts, metadata) })));
  });
}

/** Options of a job that goes on with the trace, unless they name another one or none. */
export function carryingUnlessGiven(options: JobsOptions = {}, metadata: string | undefined): JobsOptions {
  const { omitContext, metadata: given } = options.telemetry ?? {};
  return omitContext || given !== undefined ? options : carrying(options, metadata);
}

/** The same of options in their stored form. */
export function carryingTrace(stored: StoredJobOptions, metadata: string | undefined): StoredJobOptions {
  return metadata === undefined || stored.omc || stored.tm !== undefined ? stored : { ...stored, tm: metadata };
}

function carrying(options: JobsOptions, metadata: string | undefined): JobsOptions {
  return metadata === undefined ? options : { ...options, telemetry: { ...options.telemetry, metadata } };
}
