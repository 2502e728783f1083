import type { Work } from '../load/protocol.js';
import { planFor, type Sample } from '../session.js';
import type { RunContext, Workload } from '../workload.js';

interface Shape {
  readonly processes?: number;
  readonly workers?: number;
  readonly concurrency: number;
  /** Of the jobs of a run. */
  readonly share?: number;
  readonly work?: (jobs: number) => Work;
}

const ALL = ['drover', 'bullmq', 'ceiling'];
const WARM_UP = 5_000;

/** Jobs that wait in a queue are worked; the clock runs from the start of the workers to the last job. */
export const processWorkloads: readonly Workload[] = [
  workload('process-1', 'process, 1 worker, concurrency 1', { concurrency: 1, share: 0.2 }, ['drover', 'bullmq']),
  workload('process-100', 'process, 1 worker, concurrency 100', { concurrency: 100 }, ALL),
  workload('process-500', 'process, 1 worker, concurrency 500', { concurrency: 500 }, ALL),
  workload('process-10x500', 'process, 10 workers x 500 in one process', { workers: 10, concurrency: 500 }, ['drover', 'bullmq']),
  workload('process-4p', 'process, 4 processes x 1 worker x 500', { processes: 4, concurrency: 500 }, ['drover', 'bullmq']),
  workload('process-timer', 'jobs of 10 ms (timer), concurrency 500', { concurrency: 500, work: () => ({ kind: 'timer', ms: 10 }) }, ALL),
  workload('random-500', 'finishing in random order, 500 active', { concurrency: 500, work: randomOrder(500) }, ['drover', 'bullmq']),
  workload('random-5000', 'finishing in random order, 5,000 active', { concurrency: 5_000, work: randomOrder(5_000) }, [
    'drover',
    'bullmq',
  ]),
];

function workload(id: string, title: string, shape: Shape, engines: readonly string[]): Workload {
  return { id, group: 'process', title, engines, headline: 'jobsPerSecond', run: (context) => run(context, id, shape) };
}

function randomOrder(active: number): (jobs: number) => Work {
  return (jobs) => ({ kind: 'random-order', active, jobs });
}

async function run({ engine, session }: RunContext, id: string, shape: Shape): Promise<Sample> {
  const { processes = 1, workers = 1, concurrency, share = 1, work } = shape;
  const jobs = Math.max(1, Math.round(session.sizes.jobs * share));
  const queue = session.queueName(id);
  await session.fill(queue, jobs);
  const role = {
    role: 'work' as const,
    workers,
    concurrency,
    work: work?.(jobs) ?? { kind: 'instant' as const },
    warmUp: Math.min(WARM_UP, Math.ceil(jobs / 4)),
    reportMs: 20,
  };
  const plans = Array.from({ length: processes }, () => planFor(engine, session.target, [queue], role));
  return (await session.measure(plans, jobs)).sample;
}
