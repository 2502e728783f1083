import { type Engine, jobData, type OpenQueue } from '../engine.js';
import { openDriver } from './driver.js';
import type { Performer } from './performer.js';
import { type LoadPlan, nowMs, type Role } from './protocol.js';
import { warmQueueOf } from './work.js';

type AddRole = Extract<Role, { role: 'add' }>;

/** Adds jobs from several callers, each of which awaits its own; `bulk` above 1: so many with each call. */
export async function add(engine: Engine, plan: LoadPlan, role: AddRole, performer: Performer): Promise<void> {
  if (role.warmUp > 0) {
    const cold = await openDriver(engine, plan.target, warmQueueOf(plan), role);
    await cold.add(role.warmUp);
    await cold.close();
  }
  const driver = await openDriver(engine, plan.target, plan.queues[0] as string, role);
  await performer.readyToGo();
  const clock = startClock();
  await driver.add(role.jobs);
  const times = clock();
  performer.progress(role.jobs);
  await performer.stopped;
  await driver.close();
  await performer.done({ ...times, figures: {} });
}

/** Adds at a steady rate and awaits nothing, as a busy application does. Each job carries the time of its `add`. */
export async function pace(engine: Engine, plan: LoadPlan, role: Extract<Role, { role: 'pace' }>, performer: Performer): Promise<void> {
  if (role.warmUp > 0) {
    const cold = await openDriver(engine, plan.target, warmQueueOf(plan), { callers: 10, bulk: 1 });
    await cold.add(role.warmUp);
    await cold.close();
  }
  const queue = await engine.openQueue(plan.target, plan.queues[0] as string);
  await performer.readyToGo();
  const clock = startClock();
  await addAtRate(queue, role.jobs, role.perSecond, performer.fail);
  const times = clock();
  await performer.stopped;
  await queue.close();
  await performer.done({ ...times, figures: { addedPerSecond: (role.jobs / (times.lastAt - times.startedAt)) * 1_000 } });
}

/** Adds one job whenever it is told to. */
export async function single(engine: Engine, plan: LoadPlan, performer: Performer): Promise<void> {
  const queue = await engine.openQueue(plan.target, plan.queues[0] as string);
  let n = 0;
  performer.onNext(() => queue.add(jobData(n++)).catch(performer.fail));
  await performer.readyToGo();
  const clock = startClock();
  await performer.stopped;
  await queue.close();
  await performer.done({ ...clock(), figures: {} });
}

/** As many as are due, about once per millisecond. */
async function addAtRate(queue: OpenQueue, jobs: number, perSecond: number, fail: (error: Error) => void): Promise<void> {
  const startedAt = nowMs();
  const open = new Set<Promise<unknown>>();
  for (let n = 0; n < jobs; ) {
    const due = Math.min(jobs, Math.floor(((nowMs() - startedAt) * perSecond) / 1_000));
    for (; n < due; n++) {
      const added = queue.add(jobData(n, String(nowMs())));
      open.add(added);
      added.then(() => open.delete(added), fail);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(open);
}

function startClock(): () => { startedAt: number; lastAt: number; cpuUs: number } {
  const before = process.cpuUsage();
  const startedAt = nowMs();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { startedAt, lastAt: nowMs(), cpuUs: user + system };
  };
}
