import type { Engine, JobData } from '../engine.js';
import { quantile } from '../report/quantile.js';
import { openDriver } from './driver.js';
import type { Performer } from './performer.js';
import { makeProcessor } from './processors.js';
import { type LoadPlan, nowMs, type Role } from './protocol.js';

type WorkRole = Extract<Role, { role: 'work' }>;

/** Works jobs until it is told to stop. */
export async function work(engine: Engine, plan: LoadPlan, role: WorkRole, performer: Performer): Promise<void> {
  if (role.warmUp > 0) await warmUp(engine, plan, role, performer);
  const tally = new Tally(role, performer);
  const { process, release } = makeProcessor(role.work);
  let isBusy = false;
  const workers = await engine.startWorkers({
    target: plan.target,
    queues: plan.queues,
    workers: role.workers,
    concurrency: role.concurrency,
    process: () => {
      if (!isBusy) performer.busy(nowMs());
      isBusy = true;
      return process();
    },
    onCompleted: (count, data) => tally.add(count, data),
    onError: performer.fail,
  });
  performer.onRelease(release);
  await performer.readyToGo();
  tally.start();
  workers.run();
  await performer.stopped;
  tally.stop();
  await workers.close();
  await performer.done({ startedAt: tally.startedAt, lastAt: tally.lastAt, cpuUs: tally.cpuUs, figures: tally.figures });
}

/** A queue of its own for each load process; the caller of the bench removes it by this name. */
export function warmQueueOf(plan: LoadPlan): string {
  return `${plan.queues[0]}-warm-${process.pid}`;
}

async function warmUp(engine: Engine, plan: LoadPlan, role: WorkRole, { fail }: Performer): Promise<void> {
  const name = warmQueueOf(plan);
  const driver = await openDriver(engine, plan.target, name, { callers: 1, bulk: role.warmUp });
  await driver.add(role.warmUp);
  await driver.close();
  let left = role.warmUp;
  let finish: () => void;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const workers = await engine.startWorkers({
    target: plan.target,
    queues: [name],
    workers: 1,
    concurrency: Math.min(role.concurrency, 500),
    process: async () => 'ok',
    onCompleted: (count) => {
      left -= count;
      if (left <= 0) finish();
    },
    onError: fail,
  });
  workers.run();
  await finished;
  await workers.close();
}

/** Owns the count of completed jobs and their latencies; reports now and then. */
class Tally {
  startedAt = 0;
  lastAt = 0;
  cpuUs = 0;
  readonly #latencies: number[] = [];
  #cpu = process.cpuUsage();
  #done = 0;
  #reported = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly role: WorkRole,
    private readonly performer: Performer,
  ) {}

  start(): void {
    if (this.role.reportMs > 0) this.#timer = setInterval(() => this.#report(), this.role.reportMs);
    this.#cpu = process.cpuUsage();
    this.startedAt = nowMs();
    this.lastAt = this.startedAt;
  }

  add(count: number, data: JobData | undefined): void {
    this.#done += count;
    this.lastAt = nowMs();
    if (data?.at !== undefined && this.#done > (this.role.latencySkip ?? 0)) this.#latencies.push(this.lastAt - Number(data.at));
    if (this.role.reportMs === 0) this.#report();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  get figures(): Record<string, number> {
    if (this.role.latencySkip === undefined) return {};
    const sorted = this.#latencies.sort((a, b) => a - b);
    return { p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) };
  }

  #report(): void {
    if (this.#done === this.#reported) return;
    const cpu = process.cpuUsage(this.#cpu);
    this.cpuUs = cpu.user + cpu.system;
    this.performer.progress(this.#done - this.#reported);
    this.#reported = this.#done;
  }
}
