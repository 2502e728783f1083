import { planFor } from '../session.js';
import type { Workload } from '../workload.js';

const ENGINES = ['drover', 'bullmq', 'ceiling'];
const WARM_UP = 5_000;

/** Jobs are added to an empty queue that nobody works. */
export const addWorkloads: readonly Workload[] = [
  workload('add-100', 'add, 100 concurrent callers', { callers: 100, bulk: 1 }),
  workload('add-bulk', 'addBulk of 1,000', { callers: 1, bulk: 1_000 }),
];

function workload(id: string, title: string, callers: { readonly callers: number; readonly bulk: number }): Workload {
  return {
    id,
    group: 'add',
    title,
    engines: ENGINES,
    headline: 'jobsPerSecond',
    run: async ({ engine, session }) => {
      const { jobs } = session.sizes;
      const role = { role: 'add' as const, jobs, warmUp: Math.min(WARM_UP, Math.ceil(jobs / 4)), ...callers };
      return (await session.measure([planFor(engine, session.target, [session.queueName(id)], role)], jobs)).sample;
    },
  };
}
