import { nowMs } from '../load/protocol.js';
import { planFor } from '../session.js';
import type { Workload } from '../workload.js';

/** A new process works one job that waits: loading the library, connecting and the first turn. */
export const startWorkloads: readonly Workload[] = [
  {
    id: 'start-up',
    group: 'start',
    title: 'start-up: from the fork of a process to its first completed job',
    engines: ['drover', 'bullmq'],
    headline: 'startMs',
    run: async ({ engine, session }) => {
      const queue = session.queueName('start-up');
      await session.fill(queue, 1);
      const role = { role: 'work' as const, workers: 1, concurrency: 1, work: { kind: 'instant' as const }, warmUp: 0, reportMs: 0 };
      const forkedAt = nowMs();
      const { results, sample } = await session.measure([planFor(engine, session.target, [queue], role)], 1);
      return { startMs: Math.max(...results.map(({ lastAt }) => lastAt)) - forkedAt, rssMb: sample.rssMb ?? Number.NaN };
    },
  },
];
