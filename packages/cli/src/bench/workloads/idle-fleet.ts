import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadPlan, Work } from '../load/protocol.js';
import { planFor, type Sample } from '../session.js';
import { SlowLine } from '../slow-line.js';
import type { RunContext, Workload } from '../workload.js';

const BURST = 1_000;
/** Of each process: together they have fewer places than the burst has jobs. */
const PLACES = 50;
const ENGINES = ['drover', 'bullmq'];
/** Script calls that a job alone cannot do without: to add it, to fetch it, to finish it. */
const CALLS_OF_ONE_JOB = 3;

/** Sixteen processes with nothing to do, one worker each, and what wakes them. */
export const fleetWorkloads: readonly Workload[] = [
  {
    id: 'idle-burst',
    group: 'idle',
    title: '16 idle processes, burst of 1,000 jobs: until all are busy',
    engines: ENGINES,
    headline: 'roundTrips',
    run: burst,
  },
  {
    id: 'idle-empty',
    group: 'idle',
    title: '16 idle processes, single jobs: fetches that find nothing',
    engines: ENGINES,
    headline: 'emptyPercent',
    maxRounds: 1,
    run: empty,
  },
];

/** The workers stand at the end of a slow line, the producer does not. The jobs are held until everybody has one. */
async function burst({ engine, session }: RunContext): Promise<Sample> {
  const { roundTripMs, fleet, settleMs } = session.sizes;
  const line = await SlowLine.open(session.target.url, roundTripMs);
  const queues = [session.queueName('idle-burst')];
  const far = { ...session.target, url: line.url };
  const workers = fleetOf(fleet, { kind: 'held' }, 20).map((role) => planFor(engine, far, queues, role));
  const producer = planFor(engine, session.target, queues, { role: 'add', jobs: BURST, callers: 1, bulk: BURST, warmUp: 0 });
  try {
    return await session.withLoad(
      [...workers, producer],
      async (load) => {
        await load.ready();
        load.tellSome((nth) => nth < fleet, { type: 'go' });
        await sleep(settleMs + 5 * roundTripMs); // until all of them wait
        load.tellSome((nth) => nth === fleet, { type: 'go' });
        await load.allBusy(fleet);
        load.tell({ type: 'release' });
        await load.done(BURST);
        const results = await load.stop();
        const addedAt = results[fleet]?.startedAt ?? Number.NaN;
        return { roundTrips: (Math.max(...load.busyAt.values()) - addedAt) / roundTripMs };
      },
      ({ role }) => role.role === 'work',
    );
  } finally {
    await line.close();
  }
}

/** Each job is added when the one before it is done. */
async function empty({ engine, session }: RunContext): Promise<Sample> {
  const { fleet, settleMs } = session.sizes;
  const jobs = Math.max(1, Math.round(session.sizes.jobs / 5));
  const queues = [session.queueName('idle-empty')];
  const plans: LoadPlan[] = fleetOf(fleet, { kind: 'instant' }, 0).map((role) => planFor(engine, session.target, queues, role));
  plans.push(planFor(engine, session.target, queues, { role: 'single' }));
  return session.withLoad(
    plans,
    async (load) => {
      await load.ready();
      load.tell({ type: 'go' });
      await sleep(2 * settleMs); // the first look of each at the queue is not one that a hint has called for
      const before = await session.stats();
      for (let n = 1; n <= jobs; n++) {
        load.tellSome((nth) => nth === fleet, { type: 'next' });
        await load.done(n);
      }
      const after = await session.stats();
      await load.stop();
      const calls = after.scriptCalls - before.scriptCalls;
      return { emptyPercent: (100 * (calls - CALLS_OF_ONE_JOB * jobs)) / jobs, scriptCallsPerJob: calls / jobs };
    },
    ({ role }) => role.role === 'work',
  );
}

function fleetOf(processes: number, work: Work, reportMs: number): LoadPlan['role'][] {
  const role = { role: 'work' as const, workers: 1, concurrency: PLACES, work, warmUp: 0, reportMs };
  return Array.from({ length: processes }, () => role);
}
