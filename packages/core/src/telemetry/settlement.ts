import type { MeteredState } from './job-meter.js';
import { TelemetryAttributes } from './names.js';
import type { Tracing } from './tracing.js';

/** An outcome, as far as telemetry tells them apart. */
export interface TracedOutcome {
  readonly kind: 'complete' | 'fail' | 'retry' | 'delay' | 'wait' | 'wait-children';
  /** Of `delay`: a failed attempt, not a move by hand. */
  readonly countsAttempt?: boolean;
}

/** A job, as far as spans and metrics name it. */
export interface TracedJob {
  readonly id: string;
  readonly name: string;
  /** Epoch ms. */
  readonly processedOn: number | undefined;
}

const STATES: Readonly<Record<TracedOutcome['kind'], MeteredState>> = {
  complete: 'completed',
  fail: 'failed',
  retry: 'retried',
  delay: 'delayed',
  wait: 'waiting',
  'wait-children': 'waiting-children',
};

/** The span that storing an outcome is; undefined: a job that is moved by hand has none. */
export function operationOf({ kind, countsAttempt }: TracedOutcome): string | undefined {
  if (kind === 'wait' || kind === 'wait-children') return undefined;
  return kind === 'delay' && !countsAttempt ? undefined : kind;
}

/** Whether the run was an attempt: it ended with a result or an error of its own. */
export function isAttempt(outcome: TracedOutcome): boolean {
  return operationOf(outcome) !== undefined;
}

export function meteredState({ kind }: TracedOutcome): MeteredState {
  return STATES[kind];
}

export function jobAttributes({ id, name }: TracedJob): Readonly<Record<string, string>> {
  return { [TelemetryAttributes.JobName]: name, [TelemetryAttributes.JobId]: id };
}

/**
 * Stores an outcome inside its span and counts it, for jobs that are ended or moved by their methods.
 * @param store what it resolves with is handed on; `NOTHING_TO_WAIT_FOR` is not counted.
 */
export async function traceSettlement<T>(
  { tracing, now }: { readonly tracing: Tracing; now(): number },
  job: TracedJob,
  outcome: TracedOutcome,
  store: () => Promise<T>,
): Promise<T> {
  const operation = operationOf(outcome);
  const stored = operation ? await tracing.trace(operation, { attributes: jobAttributes(job) }, store) : await store();
  if (outcome.kind !== 'wait-children' || stored !== NOTHING_TO_WAIT_FOR) {
    tracing.meter?.ended(meteredState(outcome), { name: job.name, startedAt: job.processedOn, endedAt: now() });
  }
  return stored;
}

/** How Redis answers a job that has no child to wait for: it is still active. */
const NOTHING_TO_WAIT_FOR = 1;
