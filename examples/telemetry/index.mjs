// One trace from the producer through the worker to the job that the worker adds: the stock `bullmq-otel` over Drover.

import { Queue, Worker } from '@drover/core';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { BullMQOtel } from 'bullmq-otel';

const exporter = new InMemorySpanExporter(); // an application has one that sends, and NodeSDK to set all this up
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());

const connection = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const telemetry = new BullMQOtel({ tracerName: 'shop' });

const orders = new Queue('orders', { connection, telemetry });
const mails = new Queue('mails', { connection, telemetry });
const order = new Worker('orders', (job) => mails.add('confirm', { order: job.id }).then(() => 'ordered'), { connection, telemetry });
const mail = new Worker('mails', async () => 'sent', { connection, telemetry });

const sent = new Promise((resolve) => mail.once('completed', resolve));
await orders.add('book', { title: 'Moby-Dick' });
await sent;
await Promise.all([order.close(), mail.close()]);
await Promise.all([orders.close(), mails.close()]);

const spans = exporter.getFinishedSpans();
const { traceId } = spans.find(({ name }) => name === 'add orders.book').spanContext();
const below = (parent) =>
  spans
    .filter((span) => span.spanContext().traceId === traceId && span.parentSpanContext?.spanId === parent)
    .map((span) => ({ [span.name]: below(span.spanContext().spanId) }));
console.log(JSON.stringify(below(undefined)));
