import { SpanKind, TelemetryAttributes } from '../telemetry/names.js';
import type { TracedSpan, Tracing } from '../telemetry/tracing.js';
import type { FlowJob, PlannedNode } from './flow-nodes.js';
import { carryingTrace } from './traced-adds.js';

/** Adds a flow inside a span, which names the queue and the job of its root as they were given: nothing has been checked. */
export function tracedFlow<T>(tracing: Tracing, flow: FlowJob, add: (span: TracedSpan) => Promise<T>): Promise<T> {
  const { queueName, name } = Object(flow) as Partial<FlowJob>;
  const destination = String(queueName ?? '');
  const attributes = { [TelemetryAttributes.QueueName]: destination, [TelemetryAttributes.FlowName]: name };
  return tracing.trace('addFlow', { kind: SpanKind.PRODUCER, destination, attributes }, add);
}

/** Adds many flows inside one span, which belongs to no queue. */
export function tracedFlows<T>(tracing: Tracing, flows: readonly FlowJob[], add: (span: TracedSpan) => Promise<T>): Promise<T> {
  const attributes = {
    [TelemetryAttributes.BulkCount]: flows.length,
    [TelemetryAttributes.BulkNames]: flows.map((flow) => (Object(flow) as Partial<FlowJob>).name).join(','),
  };
  return tracing.trace('addBulkFlows', { kind: SpanKind.PRODUCER, destination: '', attributes }, add);
}

/**
 * Adds the jobs of flows inside a span each, below that of their parent or else below `above`. Each job carries its own span, unless its
 * options name another trace or none.
 * @param nodes each parent before its children.
 */
export async function tracedNodes<T>(
  tracing: Tracing,
  above: TracedSpan,
  nodes: readonly PlannedNode[],
  add: (nodes: readonly PlannedNode[]) => Promise<T>,
): Promise<T> {
  const spans: TracedSpan[] = [];
  const carrying: PlannedNode[] = [];
  for (const node of nodes) {
    const span = (spans[node.parentAt] ?? above).run(() => startNode(tracing, node));
    spans.push(span);
    carrying.push({ ...node, job: { ...node.job, opts: carryingTrace(node.job.opts, span.metadata) } });
  }
  try {
    return await add(carrying);
  } finally {
    for (const span of spans) span.end();
  }
}

function startNode(tracing: Tracing, { queue, job }: PlannedNode): TracedSpan {
  const attributes = {
    [TelemetryAttributes.QueueName]: queue.name,
    [TelemetryAttributes.JobName]: job.name,
    [TelemetryAttributes.JobId]: job.id,
  };
  return tracing.start('addNode', { kind: SpanKind.PRODUCER, destination: queue.name, attributes });
}
