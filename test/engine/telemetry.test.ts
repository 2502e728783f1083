/** The option `telemetry` with OpenTelemetry behind it, and with one that fails. */
import { FlowProducer, JobScheduler, type Telemetry, Worker } from '@drover/core';
import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { BullMQOtel } from 'bullmq-otel';
import { atEnd } from '../support/at-end.js';
import { collect, rig } from '../support/engine.js';
import { recordingTelemetry } from '../support/recording-telemetry.js';
import { until } from '../support/until.js';

const spans = new InMemorySpanExporter();
const measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter: measured, exportIntervalMillis: 3_600_000 });
const meters = new MeterProvider({ readers: [reader] });

beforeAll(() => {
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  metrics.setGlobalMeterProvider(meters);
});
beforeEach(() => spans.reset());
afterAll(() => meters.shutdown());

const otel = (options: { readonly enableMetrics?: boolean } = {}) =>
  new BullMQOtel({ tracerName: 'test', meterName: 'test', ...options }) as unknown as Telemetry;

/** Spans of the trace that the first span of this name belongs to, as `name <- name of its parent`. */
function traceOf(name: string, labelOf: (span: ReadableSpan) => string = (span) => span.name): string[] {
  const all = spans.getFinishedSpans();
  const traceId = all.find((span) => span.name === name)?.spanContext().traceId;
  const named = new Map(all.map((span) => [span.spanContext().spanId, labelOf(span)]));
  const parentOf = ({ parentSpanContext }: ReadableSpan) => (parentSpanContext ? named.get(parentSpanContext.spanId) : undefined);
  return all
    .filter((span) => span.spanContext().traceId === traceId)
    .map((span) => `${labelOf(span)} <- ${parentOf(span)}`)
    .sort();
}

test('one trace goes from the producer through the worker to the child that the job adds and waits for', async () => {
  const { queue, worker, counts } = rig('mail', { telemetry: otel() });
  const processor = async (job: { id: string; name: string; attemptsStarted: number; queueQualifiedName: string }): Promise<unknown> => {
    if (job.name === 'child' || job.attemptsStarted > 1) return 1;
    await queue.add('child', {}, { parent: { id: job.id, queue: job.queueQualifiedName } });
    await (job as never as { moveToWaitingChildren(): Promise<boolean> }).moveToWaitingChildren();
    throw Object.assign(new Error('waits'), { name: 'WaitingChildrenError' });
  };
  worker(processor as never, { telemetry: otel() });
  await queue.add('parent', {});
  await counts({ completed: 2 });
  await until(() => spans.getFinishedSpans().filter(({ name }) => name === 'process mail').length === 3, { what: 'the runs to be told' });
  expect(traceOf('add mail.parent')).toEqual([
    'add mail.child <- process mail',
    'add mail.parent <- undefined',
    'complete mail <- process mail',
    'complete mail <- process mail',
    'process mail <- add mail.child',
    'process mail <- add mail.parent',
    'process mail <- add mail.parent',
  ]);
});

/** Resolves when so many runs of the queue `mail` have been told. */
const runsTold = (count: number) =>
  until(() => spans.getFinishedSpans().filter(({ name }) => name === 'process mail').length >= count, { what: `${count} runs to be told` });

test('one trace goes from the producer of a flow through the runs of its three levels to the job that one of them adds', async () => {
  const telemetry = otel();
  const { queue, worker, counts, prefix, url } = rig('mail', { telemetry });
  const flows = new FlowProducer({ connection: url, prefix, telemetry });
  atEnd(() => flows.close());
  worker(async (job) => void (job.name === 'leaf' && (await queue.add('extra', {}))), { telemetry });
  const node = (name: string, ...children: object[]) => ({ name, queueName: 'mail', children }) as never;
  await flows.add(node('root', node('mid', node('leaf')), node('side')));
  await counts({ completed: 5 });
  await runsTold(5);
  const job = (span: ReadableSpan) => [span.name, span.attributes['bullmq.job.name']].filter(Boolean).join(' ');
  expect(traceOf('addFlow mail', job).filter((line) => !line.startsWith('complete'))).toEqual([
    'add mail.extra extra <- process mail leaf',
    'addFlow mail <- undefined',
    'addNode mail leaf <- addNode mail mid',
    'addNode mail mid <- addNode mail root',
    'addNode mail root <- addFlow mail',
    'addNode mail side <- addNode mail root',
    'process mail extra <- add mail.extra extra',
    'process mail leaf <- addNode mail leaf',
    'process mail mid <- addNode mail mid',
    'process mail root <- addNode mail root',
    'process mail side <- addNode mail side',
  ]);
});

describe('each iteration of a scheduler has a trace of its own, from the one who added it through its run to the job that it adds', () => {
  const repeatStrategy = (millis: number) => millis + 20;
  test.each([
    { by: 'an interval', rule: { every: 20, limit: 3 }, settings: {} },
    { by: 'a pattern', rule: { pattern: 'soon', limit: 3 }, settings: { repeatStrategy } },
  ])('by $by', async ({ rule, settings }) => {
    const telemetry = otel();
    const { queue, worker, counts } = rig('mail', { telemetry, settings });
    const consumer = worker(async (job) => void (job.name === 'tick' && (await queue.add('child', {}))), { telemetry, settings });
    await consumer.waitUntilReady();
    const request = trace.getTracer('test').startSpan('request');
    const upsert = () => queue.upsertJobScheduler('s', rule, { name: 'tick' });
    await context.with(trace.setSpan(context.active(), request), upsert);
    request.end();
    await counts({ completed: 6 });
    await runsTold(6);
    const branch = ['add mail.child <- process mail', 'complete mail <- process mail', 'complete mail <- process mail'];
    const runs = ['process mail <- add mail.child', 'process mail <- add mail.tick'];
    expect(traceOf('request')).toEqual(['add mail.tick <- request', ...branch, ...runs, 'request <- undefined'].sort());
    const adds = spans.getFinishedSpans().filter(({ name }) => name === 'add mail.tick');
    expect(new Set(adds.map((span) => span.spanContext().traceId)).size).toBe(3);
  });
});

test('an interval goes on with the trace of the one before when its worker has no telemetry', async () => {
  const { queue, worker, counts } = rig('mail', { telemetry: recordingTelemetry() });
  worker(async () => 1);
  await queue.upsertJobScheduler('s', { every: 20, limit: 2 }, { name: 'tick' });
  await counts({ completed: 2 });
  const jobs = await queue.getCompleted();
  expect(jobs.map(({ opts }) => opts.telemetry)).toEqual([{ metadata: '["add mail.tick"]' }, { metadata: '["add mail.tick"]' }]);
});

test('runs at once do not mix: each goes on with the trace of its own job, whoever woke the loop', async () => {
  const { queue, worker, counts } = rig('mail', { telemetry: otel() });
  worker(async (job) => void (job.name === 'a' && (await queue.add('b', {}))), { telemetry: otel(), concurrency: 20 });
  await Promise.all(Array.from({ length: 20 }, () => queue.add('a', {})));
  await counts({ completed: 40 });
  await until(() => spans.getFinishedSpans().filter(({ name }) => name === 'process mail').length === 40, { what: 'the runs to be told' });
  const all = spans.getFinishedSpans();
  const sizes = new Map<string, number>();
  for (const span of all) sizes.set(span.spanContext().traceId, (sizes.get(span.spanContext().traceId) ?? 0) + 1);
  expect([...sizes.values()].filter((size) => size > 1)).toEqual(Array.from({ length: 20 }, () => 6)); // add, process, complete of a and of b
});

test('a job without a trace begins one where its worker was made, whoever woke the loop', async () => {
  const { queue, worker, counts } = rig();
  const consumer = worker(async () => 1, { telemetry: otel() });
  await consumer.waitUntilReady();
  await consumer.pause();
  await queue.add('a', {});
  const other = trace.getTracer('test').startSpan('another request');
  context.with(trace.setSpan(context.active(), other), () => consumer.resume());
  await counts({ completed: 1 });
  const run = () => spans.getFinishedSpans().find(({ name }) => name === 'process mail');
  await until(() => run() !== undefined, { what: 'the run to be told' });
  expect(run()?.parentSpanContext).toBeUndefined();
});

test('metrics reach OpenTelemetry', async () => {
  const telemetry = otel({ enableMetrics: true });
  const { queue, worker, counts } = rig('mail', { telemetry });
  worker(
    async (job) => {
      if (job.name === 'bad') throw new Error('bad');
    },
    { telemetry },
  );
  await queue.addBulk(['good', 'good', 'bad'].map((name) => ({ name, data: {} })));
  await counts({ completed: 2, failed: 1 });
  await queue.recordJobCountsMetric('completed');
  const points = async () => {
    await reader.forceFlush();
    const last =
      measured
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
    return Object.fromEntries(last.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints.map(({ value }) => value)]));
  };
  await until(async () => (await points())['bullmq.jobs.failed'], { what: 'the failure to be counted' });
  expect(await points()).toMatchObject({
    'bullmq.jobs.completed': [2],
    'bullmq.jobs.failed': [1],
    'bullmq.queue.jobs': [2],
    'bullmq.job.duration': [expect.objectContaining({ count: 2 }), expect.objectContaining({ count: 1 })],
  });
});

test('a run whose lock is lost ends with the error, and is not counted', async () => {
  const telemetry = recordingTelemetry();
  const { queue, worker, redis, prefix } = rig();
  const lost = worker(
    async (job, _token, signal) => {
      await redis.set(`${prefix}:mail:${job.id}:lock`, 'another');
      await until(() => signal.aborted, { what: 'the abort' });
    },
    { telemetry, lockDuration: 400, lockRenewTime: 50, allowErrors: true },
  );
  const failures = collect(lost, 'lockRenewalFailed');
  await queue.add('a', {});
  await until(() => failures.length > 0, { what: 'the lock to be missed' });
  const run = telemetry.spans.find(({ name }) => name === 'process mail');
  expect(run).toMatchObject({ ends: 1, exceptions: [expect.stringContaining('the lock belongs to another worker')] });
  expect(telemetry.metrics).toEqual([]);
});

describe('telemetry that fails', () => {
  const broken = (part: 'startSpan' | 'with' | 'end'): Telemetry => {
    const whole = recordingTelemetry();
    const fail = (): never => {
      throw new Error(`${part} fails`);
    };
    return {
      tracer: {
        startSpan: (...args) =>
          part === 'startSpan' ? fail() : { ...whole.tracer.startSpan(...args), ...(part === 'end' ? { end: fail } : {}) },
      },
      contextManager: part === 'with' ? { ...whole.contextManager, with: fail } : whole.contextManager,
      meter: { createCounter: fail, createHistogram: fail },
    };
  };

  test.each(['startSpan', 'with', 'end'] as const)('costs no job: %s', async (part) => {
    const { queue, worker, counts } = rig('mail', { telemetry: broken(part) });
    const errors = collect(queue, 'error');
    const runs: string[] = [];
    const consumer = worker(async (job) => void runs.push(job.id), { telemetry: broken(part), allowErrors: true });
    const problems = collect(consumer, 'error');
    await queue.add('a', {});
    await queue.addBulk([{ name: 'b', data: 1 }]);
    await counts({ completed: 2 });
    expect(runs).toEqual(['1', '2']);
    expect(String(errors[0])).toContain(`${part} fails`);
    expect(problems.length).toBeGreaterThan(0);
  });

  test.each(['startSpan', 'with', 'end'] as const)('costs no flow and no iteration: %s', async (part) => {
    const telemetry = broken(part);
    const { prefix, url, worker, counts } = rig();
    const flows = new FlowProducer({ connection: url, prefix, telemetry });
    const schedulers = new JobScheduler('mail', { connection: url, prefix, telemetry });
    const problems = [collect(flows, 'error'), collect(schedulers, 'error')];
    for (const one of [flows, schedulers]) atEnd(() => one.close());
    worker(async () => 1, { telemetry, allowErrors: true });
    const flow = { name: 'root', queueName: 'mail', children: [{ name: 'child', queueName: 'mail' }] };
    await flows.add(flow);
    await flows.addBulk([flow]);
    await schedulers.upsertJobScheduler('s', { every: 20, limit: 2 }, 'tick', {});
    await counts({ completed: 6 });
    for (const errors of problems) expect(String(errors[0])).toContain(`${part} fails`);
  });

  test('what the processor throws is its own', async () => {
    const { queue, worker, counts } = rig();
    worker(() => Promise.reject(new Error('boom')), { telemetry: recordingTelemetry() });
    worker(
      () => {
        throw new Error('boom');
      },
      { telemetry: recordingTelemetry() },
    );
    await queue.addBulk(Array.from({ length: 4 }, () => ({ name: 'a', data: 1 })));
    await counts({ failed: 4 });
    expect((await queue.getFailed()).map(({ failedReason }) => failedReason)).toEqual(['boom', 'boom', 'boom', 'boom']);
  });
});

test('an object that is no telemetry is refused', () => {
  const asked = () => new Worker('mail', async () => 1, { connection: 'redis://127.0.0.1:1', telemetry: { tracer: {} } as never });
  expect(asked).toThrow(/telemetry must be an object with `tracer` and `contextManager`/);
  const flows = () => new FlowProducer({ connection: 'redis://127.0.0.1:1', telemetry: { tracer: {} } as never });
  expect(flows).toThrow(/telemetry must be an object with `tracer` and `contextManager`/);
});
