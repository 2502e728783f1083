import { anObject, InvalidOptionError } from '../kit/index.js';
import type { SpanKind } from './names.js';

/** What an attribute may be; undefined: not set. */
export type AttributeValue = string | number | boolean | readonly string[] | readonly number[] | undefined;
export type Attributes = Readonly<Record<string, AttributeValue>>;

/**
 * BullMQ's telemetry interface, the option `telemetry` of queues, workers and flow producers. `BullMQOtel` of the package `bullmq-otel`
 * implements it for OpenTelemetry. A context is whatever the implementation takes for one.
 */
// biome-ignore lint/suspicious/noExplicitAny: the default of BullMQ's own type
export interface Telemetry<Context = any> {
  readonly tracer: Tracer<Context>;
  readonly contextManager: ContextManager<Context>;
  /** Without it no metric is recorded. */
  readonly meter?: Meter | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: the default of BullMQ's own type
export interface Tracer<Context = any> {
  /** @param context what the span belongs to; without one: the active context. */
  startSpan(name: string, options?: SpanOptions, context?: Context): Span<Context>;
}

export interface SpanOptions {
  readonly kind?: SpanKind;
  /** Epoch ms, for work that is told of when it is done. Without it: now. */
  readonly startTime?: number;
}

// biome-ignore lint/suspicious/noExplicitAny: the default of BullMQ's own type
export interface Span<Context = any> {
  /** @returns `context` with this span in it. */
  setSpanOnContext(context: Context): Context;
  setAttribute(key: string, value: AttributeValue): void;
  // biome-ignore lint/suspicious/noExplicitAny: each implementation has its own type of attributes
  setAttributes(attributes: any): void;
  // biome-ignore lint/suspicious/noExplicitAny: each implementation has its own type of attributes
  addEvent(name: string, attributes?: any): void;
  // biome-ignore lint/suspicious/noExplicitAny: each implementation has its own type of exceptions
  recordException(exception: any, time?: any): void;
  end(): void;
}

// biome-ignore lint/suspicious/noExplicitAny: the default of BullMQ's own type
export interface ContextManager<Context = any> {
  /** Calls `work` with `context` active, in what it awaits, too. */
  // biome-ignore lint/suspicious/noExplicitAny: what the call returns is handed on
  with<Work extends (...args: any[]) => any>(context: Context, work: Work): ReturnType<Work>;
  active(): Context;
  /** @returns the context as a text that travels with a job. */
  getMetadata(context: Context): string;
  /** @returns `active` with what the text says in it. */
  fromMetadata(active: Context, metadata: string): Context;
}

export interface Meter {
  createCounter(name: string, options?: MetricOptions): { add(value: number, attributes?: Record<string, string>): void };
  createHistogram(name: string, options?: MetricOptions): { record(value: number, attributes?: Record<string, string>): void };
  createGauge?(name: string, options?: MetricOptions): { record(value: number, attributes?: Record<string, string>): void };
}

export interface MetricOptions {
  readonly description?: string;
  readonly unit?: string;
}

/** @throws InvalidOptionError unless it has BullMQ's telemetry interface. */
export function checkTelemetry(option: string, value: unknown): void {
  const { tracer, contextManager } = anObject(option, value) as Partial<Telemetry>;
  if (!hasMethods(tracer, ['startSpan']) || !hasMethods(contextManager, ['with', 'active', 'getMetadata', 'fromMetadata'])) {
    throw new InvalidOptionError(option, value, 'an object with `tracer` and `contextManager`, as bullmq-otel makes it');
  }
}

function hasMethods(part: unknown, names: readonly string[]): boolean {
  if (typeof part !== 'object' || part === null) return false;
  return names.every((name) => typeof (part as Record<string, unknown>)[name] === 'function');
}
