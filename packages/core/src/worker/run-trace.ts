import type { JobRecord, Outcome, RunEnd } from '../job/index.js';
import { TelemetryAttributes } from '../telemetry/names.js';
import { isAttempt, jobAttributes, meteredState, operationOf } from '../telemetry/settlement.js';
import type { TracedSpan, Tracing } from '../telemetry/tracing.js';

/**
 * Owns the spans of one run: `process`, from before the processor is called until its outcome is in Redis, and below it the one that
 * storing the outcome is. What is told after the end is not recorded.
 */
export class RunTrace {
  #settling: TracedSpan | undefined;

  constructor(
    private readonly tracing: Tracing,
    private readonly record: JobRecord,
    private readonly span: TracedSpan,
    private readonly now: () => number,
  ) {}

  /** Calls the processor with its span active. */
  run<T>(call: () => T): T {
    return this.span.run(call);
  }

  /** The outcome goes to Redis. */
  settling(outcome: Outcome): void {
    const operation = operationOf(outcome);
    if (operation) this.#settling = this.span.child(this.tracing, operation, jobAttributes(this.record));
  }

  /** The outcome was refused: another one will follow. */
  refused(error: unknown): void {
    this.#settling?.fail(error);
    this.#settling?.end();
    this.#settling = undefined;
  }

  committed(outcome: Outcome, end: RunEnd | undefined): void {
    this.#settling?.end();
    if (isAttempt(outcome)) {
      if (outcome.kind === 'complete') this.span.event('job completed', { [TelemetryAttributes.JobResult]: resultOf(outcome.value, end) });
      else this.span.event('job failed', { [TelemetryAttributes.JobFailedReason]: 'reason' in outcome ? outcome.reason : undefined });
      this.span.set({ [TelemetryAttributes.JobAttemptsMade]: this.record.attemptsMade + 1 });
    }
    const { name, processedOn } = this.record;
    this.tracing.meter?.ended(meteredState(outcome), { name, startedAt: processedOn, endedAt: this.now() });
    this.#end();
  }

  /** The processor has moved the job itself; that was told by the method it called. */
  moved(): void {
    this.#end();
  }

  /** The job is another worker's, or nobody's: its outcome is not ours to tell. */
  lost(error: unknown): void {
    this.refused(error);
    this.span.fail(error);
    this.#end();
  }

  #end(): void {
    this.span.set({
      [TelemetryAttributes.JobAttemptFinishedTimestamp]: this.now(),
      [TelemetryAttributes.JobProcessedTimestamp]: this.record.processedOn,
    });
    this.span.end();
  }
}

/** Of a processor that returned nothing there is no result to tell, although Redis has the text `null`. */
function resultOf(value: string, end: RunEnd | undefined): string | undefined {
  return end && 'returned' in end && end.returned === undefined ? undefined : value;
}
