import { planFor, type Sample } from '../session.js';
import type { RunContext, Workload } from '../workload.js';

/** What workers cost that have nothing to do. */
export const idleWorkloads: readonly Workload[] = [
  workload('idle-1000', '1,000 idle workers in one process, one queue', 1_000, 1, ['drover', 'bullmq']),
  workload('idle-10000', '10,000 idle workers in one process, one queue', 10_000, 1, ['drover']),
  workload('idle-2-queues', '10,000 idle workers in one process, 2 queues', 10_000, 2, ['drover']),
  workload('idle-2000-queues', '10,000 idle workers in one process, 2,000 queues', 10_000, 2_000, ['drover']),
];

function workload(id: string, title: string, workers: number, queues: number, engines: readonly string[]): Workload {
  return { id, group: 'idle', title, engines, headline: 'heapBytesPerWorker', run: (context) => run(context, id, workers, queues) };
}

async function run({ engine, session }: RunContext, id: string, allWorkers: number, allQueues: number): Promise<Sample> {
  const { idleScale, settleMs } = session.sizes;
  const workers = Math.max(2, Math.round(allWorkers * idleScale));
  const name = session.queueName(id);
  const queues = Array.from({ length: Math.max(1, Math.round(allQueues * idleScale)) }, (_, at) => `${name}-${at}`);
  const plan = (track: 'heap' | 'timers') => planFor(engine, session.target, queues, { role: 'idle', workers, track, settleMs });
  const heap = await session.measure([plan('heap')], 1);
  const timers = await session.measure([plan('timers')], 1);
  const { connections = Number.NaN, rssMb = Number.NaN } = heap.sample;
  return { ...heap.results[0]?.figures, ...timers.results[0]?.figures, connections, rssMb };
}
