import { toError } from '../kit/index.js';
import { JobMeter } from './job-meter.js';
import { SpanKind, TelemetryAttributes } from './names.js';
import type { Attributes, Span, Telemetry } from './telemetry.js';

/** What a span is about, besides the queue. */
export interface SpanDetails {
  /** Default INTERNAL. */
  readonly kind?: SpanKind;
  /** What the span's name ends in; default the queue, `''`: nothing. */
  readonly destination?: string;
  readonly attributes?: Attributes | undefined;
}

/** Where a span stands, if not where the application's call does. */
export interface StartDetails extends SpanDetails {
  /** What a job brought along: the span goes on with its trace. */
  readonly metadata?: string | undefined;
  /** Epoch ms, if the work is over already. */
  readonly startedAt?: number;
}

/**
 * Makes the spans of one queue, worker or flow producer. Telemetry never decides what becomes of a job: what the given object throws is
 * reported to `problem`, and the work goes on without the span.
 */
export class Tracing {
  /** Absent when the telemetry has no meter. */
  readonly meter: JobMeter | undefined;
  #home: unknown;

  /** @param queue the queue that spans name, and end their names with. */
  constructor(
    private readonly telemetry: Telemetry,
    readonly queue: string,
    private readonly problem: (error: Error) => void,
  ) {
    this.meter = telemetry.meter && new JobMeter(telemetry.meter, queue, problem);
  }

  /** Background spans belong to the context that is active now, from now on. */
  settleHere(): void {
    this.#home = guarded(this.problem, () => this.telemetry.contextManager.active());
  }

  /** Does `work` inside a span of the active context. The span has what is thrown, and ends with it. */
  trace<T>(operation: string, details: SpanDetails, work: (span: TracedSpan) => Promise<T>): Promise<T> {
    return this.start(operation, details).during(work);
  }

  /** A span of the active context, or of the one that a job brought along. */
  start(operation: string, details: StartDetails): TracedSpan {
    return this.#start(operation, details, () => this.telemetry.contextManager.active());
  }

  /**
   * A span of work that no call of the application asked for: the loops of a process are shared, so whatever context is active in them
   * is some other job's. See `settleHere`.
   */
  startBackground(operation: string, details: StartDetails): TracedSpan {
    return this.#start(operation, details, () => this.#home);
  }

  #start(operation: string, details: StartDetails, base: () => unknown): TracedSpan {
    const { tracer, contextManager } = this.telemetry;
    const { kind = SpanKind.INTERNAL, destination = this.queue, metadata, startedAt, attributes } = details;
    return (
      guarded(this.problem, () => {
        const parent = metadata === undefined ? base() : contextManager.fromMetadata(base(), metadata);
        const options = startedAt === undefined ? { kind } : { kind, startTime: startedAt };
        const span = tracer.startSpan(destination === '' ? operation : `${operation} ${destination}`, options, parent);
        const traced = new TracedSpan(span, span.setSpanOnContext(parent), this.telemetry, this.problem);
        traced.set({
          [TelemetryAttributes.QueueName]: this.queue,
          [TelemetryAttributes.QueueOperation]: operation,
          ...attributes,
        });
        return traced;
      }) ?? new TracedSpan(undefined, undefined, this.telemetry, this.problem)
    );
  }
}

/** One span, from its start to its end. */
export class TracedSpan {
  #hasEnded = false;

  /** @param span undefined: the telemetry failed to make one, and nothing is recorded. @param context the one with the span in it. */
  constructor(
    private readonly span: Span | undefined,
    private readonly context: unknown,
    private readonly telemetry: Telemetry,
    private readonly problem: (error: Error) => void,
  ) {}

  /** What a job carries, so that whoever runs it goes on with this span; undefined: nothing. */
  get metadata(): string | undefined {
    if (!this.span) return undefined;
    const metadata: unknown = guarded(this.problem, () => this.telemetry.contextManager.getMetadata(this.context));
    return typeof metadata === 'string' && metadata !== '' ? metadata : undefined;
  }

  /** Calls `work` with this span active, once, whatever the telemetry does. */
  run<T>(work: () => T): T {
    if (!this.span) return work();
    const ran: ({ readonly value: T } | { readonly threw: unknown })[] = [];
    const call = (): T => {
      try {
        const value = work();
        ran.push({ value });
        return value;
      } catch (error) {
        ran.push({ threw: error });
        throw error;
      }
    };
    try {
      this.telemetry.contextManager.with(this.context, call);
    } catch (error) {
      if (!ran[0] || 'value' in ran[0]) this.problem(toError(error)); // not what the work has thrown
    }
    const [end] = ran;
    if (!end) return work();
    if ('threw' in end) throw end.threw;
    return end.value;
  }

  /** Does `work` inside this span, which has what is thrown, and ends with it. */
  async during<T>(work: (span: TracedSpan) => Promise<T>): Promise<T> {
    try {
      return await this.run(() => work(this));
    } catch (error) {
      this.fail(error);
      throw error;
    } finally {
      this.end();
    }
  }

  /** A span below this one. */
  child(tracing: Tracing, operation: string, attributes: Attributes): TracedSpan {
    return this.run(() => tracing.start(operation, { attributes }));
  }

  set(attributes: Attributes): void {
    const known = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
    guarded(this.problem, () => this.span?.setAttributes(known));
  }

  event(name: string, attributes: Attributes): void {
    guarded(this.problem, () => this.span?.addEvent(name, attributes));
  }

  fail(error: unknown): void {
    guarded(this.problem, () => this.span?.recordException(toError(error)));
  }

  /** Further calls do nothing. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    guarded(this.problem, () => this.span?.end());
  }
}

function guarded<T>(problem: (error: Error) => void, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    problem(toError(error));
    return undefined;
  }
}
