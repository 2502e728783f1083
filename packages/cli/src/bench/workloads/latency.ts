import { planFor, type Sample } from '../session.js';
import type { RunContext, Workload } from '../workload.js';

const ENGINES = ['drover', 'bullmq'];
const CONCURRENCY = 100;
const WARM_UP = 2_000;
/** The first jobs find workers that have just been started. */
const SKIPPED = 0.1;
const REFERENCE = 'process-100';

/** From the call of `add` in one process to `completed` in another. */
export const latencyWorkloads: readonly Workload[] = [
  workload('latency-100', 'latency add -> completed at 100 jobs/s', () => 100),
  workload('latency-half', "latency add -> completed at half of bullmq's maximum rate", halfOfReference),
];

function workload(id: string, title: string, rate: (context: RunContext) => number): Workload {
  return { id, group: 'latency', title, engines: ENGINES, headline: 'p50Ms', run: (context) => run(context, id, rate(context)) };
}

/** 10,000 jobs/s where the stock client has not been measured in the same run. */
function halfOfReference({ latest }: RunContext): number {
  return Math.round((latest(REFERENCE, 'bullmq', 'jobsPerSecond') ?? 20_000) / 2);
}

async function run({ engine, session }: RunContext, id: string, perSecond: number): Promise<Sample> {
  const jobs = Math.max(10, Math.round(perSecond * session.sizes.seconds));
  const queues = [session.queueName(id)];
  const warmUp = Math.min(WARM_UP, jobs);
  const work = {
    role: 'work' as const,
    workers: 1,
    concurrency: CONCURRENCY,
    work: { kind: 'instant' as const },
    warmUp,
    reportMs: 20,
    latencySkip: Math.floor(jobs * SKIPPED),
  };
  const plans = [
    planFor(engine, session.target, queues, work),
    planFor(engine, session.target, queues, { role: 'pace', jobs, perSecond, warmUp }),
  ];
  const { sample, results } = await session.measure(plans, jobs, ({ role }) => role.role === 'work');
  return { ...sample, ratePerSecond: perSecond, ...Object.assign({}, ...results.map(({ figures }) => figures)) };
}
