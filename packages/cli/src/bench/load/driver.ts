import { type Driver, type Engine, jobData, type OpenQueue, type Target } from '../engine.js';

/** Who adds: so many callers, each of which awaits its own call of `bulk` jobs. */
export interface Callers {
  readonly callers: number;
  readonly bulk: number;
}

/** The callers of an engine, unless it has a driver of its own. */
export async function openDriver(engine: Engine, target: Target, name: string, callers: Callers): Promise<Driver> {
  if (engine.openDriver) return engine.openDriver(target, name, callers.bulk);
  const queue = await engine.openQueue(target, name);
  return { add: (jobs) => addFrom(queue, jobs, callers), close: () => queue.close() };
}

async function addFrom(queue: OpenQueue, jobs: number, { callers, bulk }: Callers): Promise<void> {
  let n = 0;
  const call = async () => {
    while (n < jobs) {
      const first = n;
      n += Math.min(bulk, jobs - n);
      if (bulk === 1) await queue.add(jobData(first));
      else await queue.addBulk(Array.from({ length: n - first }, (_, at) => jobData(first + at)));
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
}
