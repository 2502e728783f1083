/** Telemetry that keeps what it is told, and contexts that say which spans they are in: for comparing what two engines tell. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Attributes, Telemetry } from '@drover/core';

export interface RecordedSpan {
  readonly name: string;
  readonly kind: unknown;
  /** Names of the spans above, outermost first. */
  readonly above: readonly string[];
  readonly attributes: Attributes;
  readonly events: readonly (readonly [name: string, attributes: Attributes])[];
  readonly exceptions: readonly string[];
  readonly ends: number;
}

/** What a meter was told: instrument, value (durations are made equal) and attributes. */
export type RecordedMetric = readonly [name: string, value: number, attributes: unknown];

export interface RecordingTelemetry extends Telemetry<Place> {
  readonly spans: RecordedSpan[];
  readonly metrics: RecordedMetric[];
  readonly instruments: Readonly<Record<string, unknown>>;
  clear(): void;
}

interface Place {
  readonly path: readonly string[];
}

export function recordingTelemetry(): RecordingTelemetry {
  const places = new AsyncLocalStorage<Place>();
  const outside: Place = { path: [] };
  const active = (): Place => places.getStore() ?? outside;
  const spans: RecordedSpan[] = [];
  const metrics: RecordedMetric[] = [];
  const instruments: Record<string, unknown> = {};
  const instrument = (name: string, options: unknown, isTimed = false) => {
    instruments[name] = options;
    const tell = (value: number, attributes?: unknown): void => void metrics.push([name, isTimed ? 0 : value, attributes]);
    return { add: tell, record: tell };
  };
  return {
    spans,
    metrics,
    instruments,
    clear() {
      spans.length = 0;
      metrics.length = 0;
    },
    tracer: {
      startSpan(name, options, place = active()) {
        const attributes: Record<string, unknown> = {};
        const span = { name, kind: options?.kind, above: place.path, attributes, events: [], exceptions: [], ends: 0 };
        const told = span as unknown as { events: unknown[]; exceptions: string[]; ends: number };
        spans.push(span as RecordedSpan);
        return {
          setSpanOnContext: ({ path }) => ({ path: [...path, name] }),
          setAttribute: (key, value) => void Object.assign(attributes, { [key]: value }),
          setAttributes: (more) => void Object.assign(attributes, more),
          addEvent: (event, more = {}) => void told.events.push([event, more]),
          recordException: (error: Error) => void told.exceptions.push(error.message),
          end: () => void told.ends++,
        };
      },
    },
    contextManager: {
      with: (place, work) => places.run(place, work),
      active,
      getMetadata: ({ path }) => JSON.stringify(path),
      fromMetadata: (_active, metadata) => ({ path: JSON.parse(metadata) as string[] }),
    },
    meter: {
      createCounter: (name, options) => instrument(name, options),
      createHistogram: (name, options) => instrument(name, options, true),
      createGauge: (name, options) => instrument(name, options),
    },
  };
}

/** Spans with what differs from run to run made equal: times, ids that were made up, and the words of errors. Attributes without a value are left out. */
export function comparableSpans(spans: readonly RecordedSpan[], left: readonly string[] = []): unknown[] {
  return spans
    .filter(({ name }) => !left.some((beginning) => name.startsWith(beginning)))
    .map((span) => ({ ...span, attributes: comparableAttributes(span.attributes), exceptions: span.exceptions.length }));
}

function comparableAttributes(attributes: Attributes): Attributes {
  const entries = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, /timestamp$|worker\.id$/.test(name) ? `some ${typeof value}` : comparableId(value)]),
  );
}

/** Ids of the jobs of flows are random, those of schedulers end in a time. */
function comparableId(value: unknown): Attributes[string] {
  if (typeof value !== 'string') return value as Attributes[string];
  return /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(value) ? 'some uuid' : value.replace(/^(repeat:.*:)\d{13}$/, '$1some time');
}
