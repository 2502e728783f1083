/**
 * Not an engine: the scripts of ours, called by a bare driver in fixed batches, with every effect in Redis and no processor, no jobs and
 * no promises per job. No engine over these scripts can be faster, so its figures are the ceiling.
 */
import type { Driver, Engine, OpenQueue, StartedWorkers, Target, WorkerPlan } from '@drover/cli/bench';
import { JOB_NAME, jobData } from '@drover/cli/bench';
import { Redis } from 'ioredis';

const EXCHANGE = { batch: 50, inFlight: 4 };
/** Callers that add one job each are gathered in batches of this size at best; a bulk goes in calls of the largest size. */
const SINGLE_ADDS = { batch: 50, inFlight: 4 };
const BULK_ADDS = { batch: 500, inFlight: 2 };
const LOCK_MS = 30_000;
const MAX_EVENTS = 10_000;

type Reply = [statuses: number[], jobs: unknown[], ...rest: number[]];
type Scripts = Record<'exchange-jobs' | 'add-jobs', { readonly source: string; readonly sha1: string }>;

export async function openEngine(): Promise<Engine> {
  const generated = new URL('./redis/scripts.generated.js', import.meta.resolve('@drover/core'));
  const { scripts } = (await import(generated.href)) as { scripts: Scripts };
  return {
    startWorkers: (plan) => startWorkers(scripts, plan),
    openQueue: refuse,
    openDriver: (target, queue, bulk) => openDriver(scripts, target, queue, bulk),
  };
}

async function refuse(): Promise<OpenQueue> {
  throw new Error('the ceiling has no callers');
}

/** A queue of which only the scripts know more than its name. */
class BareQueue {
  private constructor(
    private readonly redis: Redis,
    private readonly meta: string,
  ) {}

  static async open(scripts: Scripts, { url, prefix }: Target, queue: string): Promise<BareQueue> {
    const redis = new Redis(url);
    const meta = `${prefix}:${queue}:meta`;
    await Promise.all(Object.values(scripts).map(({ source }) => redis.script('LOAD', source)));
    await redis.hset(meta, 'opts.maxLenEvents', MAX_EVENTS);
    return new BareQueue(redis, meta);
  }

  call(sha1: string, args: (string | number)[]): Promise<unknown> {
    return this.redis.call('evalsha', sha1, 1, this.meta, ...args);
  }

  async close(): Promise<void> {
    await this.redis.quit();
  }
}

async function startWorkers(scripts: Scripts, plan: WorkerPlan): Promise<StartedWorkers> {
  const queue = await BareQueue.open(scripts, plan.target, plan.queues[0] as string);
  const lane = async (nth: number) => {
    const token = `ceiling-${process.pid}:${nth}`;
    for (let ids: string[] = [], isFirst = true; isFirst || ids.length > 0; isFirst = false) {
      const now = Date.now();
      const args = [now, EXCHANGE.batch, 1, token, LOCK_MS, '', '', '', 0, 0, ids.length];
      if (ids.length > 0) args.push('complete', token, now, '-1', ids.length);
      for (const id of ids) args.push(id, '"ok"');
      const [statuses, jobs] = (await queue.call(scripts['exchange-jobs'].sha1, args)) as Reply;
      const refused = statuses.find((status) => status !== 0);
      if (refused !== undefined) throw new Error(`an outcome of the ceiling was refused with status ${refused}`);
      if (ids.length > 0) plan.onCompleted(ids.length);
      ids = jobs.filter((_, at) => at % 2 === 0) as string[];
    }
  };
  return {
    run: () => {
      Promise.all(Array.from({ length: EXCHANGE.inFlight }, (_, nth) => lane(nth))).catch(plan.onError);
    },
    close: () => queue.close(),
  };
}

async function openDriver(scripts: Scripts, target: Target, name: string, bulk: number): Promise<Driver> {
  const queue = await BareQueue.open(scripts, target, name);
  const { batch, inFlight } = bulk === 1 ? SINGLE_ADDS : BULK_ADDS;
  return {
    add: async (jobs) => {
      let n = 0;
      const lane = async () => {
        while (n < jobs) {
          const size = Math.min(batch, jobs - n);
          const now = Date.now();
          const args: (string | number)[] = [now, size];
          for (let at = 0; at < size; at++) args.push('plain', '', JOB_NAME, JSON.stringify(jobData(n + at)), '{"attempts":0}', now);
          n += size;
          await queue.call(scripts['add-jobs'].sha1, args);
        }
      };
      await Promise.all(Array.from({ length: inFlight }, lane));
    },
    close: () => queue.close(),
  };
}
