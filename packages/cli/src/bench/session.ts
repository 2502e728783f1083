import { randomBytes } from 'node:crypto';
import { Queue } from '@drover/core';
import { type EngineRef, JOB_NAME, jobData, type Target } from './engine.js';
import { BenchFailed, Load } from './load/load.js';
import type { LoadPlan, LoadResult } from './load/protocol.js';
import { parseServer, parseStats, type RedisStats, type ServerFacts } from './redis-stats.js';

/** How much is done; small for a test, large for figures. */
export interface Sizes {
  /** Jobs of a throughput workload; those that work one at a time do a part of it. */
  readonly jobs: number;
  /** How long a steady rate is held. */
  readonly seconds: number;
  /** Multiplies the numbers of idle workers; 1 for figures. */
  readonly idleScale: number;
  /** Idle processes that a burst wakes. */
  readonly fleet: number;
  /** How long it takes until what a start leaves behind is done. */
  readonly settleMs: number;
  /** The delay of the slow line that round trips are counted on. */
  readonly roundTripMs: number;
}

/** Reads a queue at rest and says what must not be true of it, one line each. */
export type QueueCheck = (url: string, prefix: string, queue: string) => Promise<string[]>;

/** One measurement: name of a measure -> value. */
export type Sample = Readonly<Record<string, number>>;

const FILL = 1_000;
const INTERRUPTED = 'interrupted';
const STATS = ['cpu', 'clients', 'commandstats'] as const;

/** Owns the queues of a run: gives them names, fills them, looks at the server while they are worked, checks and removes them. */
export class Session {
  readonly broken: string[] = [];
  readonly #run = randomBytes(4).toString('hex');
  readonly #desk: Queue;
  /** Queues with jobs that no load has taken over yet. */
  readonly #filled = new Set<string>();
  #made = 0;

  constructor(
    readonly target: Target,
    readonly sizes: Sizes,
    private readonly check: QueueCheck | undefined,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.#desk = new Queue(`desk-${this.#run}`, { connection: target.url, prefix: target.prefix, skipMetasUpdate: true });
  }

  /** @throws when Redis does not answer. */
  async open(): Promise<ServerFacts> {
    await this.#desk.waitUntilReady();
    return parseServer(await this.#info(['server', 'persistence']));
  }

  /** Removes what a run that was cut short has left. */
  async close(): Promise<void> {
    for (const name of this.#filled) await this.#clear(name, false);
    await this.#desk.close();
  }

  /** A name that no other run uses. */
  queueName(label: string): string {
    return `${label}-${this.#run}-${++this.#made}`;
  }

  async fill(name: string, jobs: number): Promise<void> {
    this.#filled.add(name);
    const queue = this.#open(name);
    for (let first = 0; first < jobs; first += FILL) {
      this.#checkInterrupted();
      const size = Math.min(FILL, jobs - first);
      await queue.addBulk(Array.from({ length: size }, (_, at) => ({ name: JOB_NAME, data: jobData(first + at) })));
    }
    await queue.close();
  }

  async stats(): Promise<RedisStats> {
    return parseStats(await this.#info(STATS));
  }

  /** Runs load processes from `use`, and checks and removes their queues afterwards. */
  async withLoad<T>(plans: readonly LoadPlan[], use: (load: Load) => Promise<T>, counts?: (plan: LoadPlan) => boolean): Promise<T> {
    this.#checkInterrupted();
    const load = new Load(plans, counts);
    const queues = new Set(plans.flatMap((plan) => plan.queues));
    const interrupt = () => load.fail(new BenchFailed(INTERRUPTED));
    this.signal?.addEventListener('abort', interrupt, { once: true });
    let done = false;
    try {
      const result = await use(load);
      done = true;
      return result;
    } finally {
      this.signal?.removeEventListener('abort', interrupt);
      if (!done) await load.kill();
      for (const name of queues) await this.#clear(name, done);
      for (const pid of load.pids) await this.#clear(`${plans[0]?.queues[0]}-warm-${pid}`, done);
    }
  }

  /** The usual measurement: everybody goes at once, and it ends when so many jobs are reported. */
  async measure(plans: readonly LoadPlan[], jobs: number, counts?: (plan: LoadPlan) => boolean): Promise<Measured> {
    const { connections } = await this.stats();
    return this.withLoad(
      plans,
      async (load) => {
        await load.ready();
        const before = await this.stats();
        load.tell({ type: 'go' });
        await load.done(jobs);
        const after = await this.stats();
        const results = await load.stop();
        return { results, sample: sampleOf(results, jobs, before, after, connections) };
      },
      counts,
    );
  }

  async #info(sections: readonly string[]): Promise<string> {
    const client = await this.#desk.client;
    return (await Promise.all(sections.map((section) => client.info(section)))).join('\n');
  }

  async #clear(name: string, isWhole: boolean): Promise<void> {
    const { url, prefix } = this.target;
    if (isWhole) for (const line of (await this.check?.(url, prefix, name)) ?? []) this.broken.push(`${name}: ${line}`);
    const queue = this.#open(name);
    await queue.obliterate({ force: true });
    await queue.close();
    this.#filled.delete(name);
  }

  #checkInterrupted(): void {
    if (this.signal?.aborted) throw new BenchFailed(INTERRUPTED);
  }

  #open(name: string): Queue {
    return new Queue(name, { connection: this.target.url, prefix: this.target.prefix, skipMetasUpdate: true });
  }
}

export interface Measured {
  readonly results: readonly LoadResult[];
  readonly sample: Sample;
}

/** A plan of one engine on the target of a session. */
export function planFor(engine: EngineRef, target: Target, queues: readonly string[], role: LoadPlan['role']): LoadPlan {
  return { engine, target, queues, role };
}

function sampleOf(results: readonly LoadResult[], jobs: number, before: RedisStats, after: RedisStats, connections: number): Sample {
  const ms = Math.max(...results.map(({ lastAt }) => lastAt)) - Math.min(...results.map(({ startedAt }) => startedAt));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    jobsPerSecond: (jobs / ms) * 1_000,
    nodeUs: sum(results.map(({ cpuUs }) => cpuUs)) / jobs,
    redisUs: (after.cpuUs - before.cpuUs) / jobs,
    commandsPerJob: (after.commands - before.commands) / jobs,
    scriptCallsPerJob: (after.scriptCalls - before.scriptCalls) / jobs,
    rssMb: sum(results.map(({ rssBytes }) => rssBytes)) / 1e6,
    connections: after.connections - connections,
  };
}
