/** A queue under fire: thousands of jobs run in several processes while something breaks, and the books are kept. */
import { fileURLToPath } from 'node:url';
import { Queue } from '@drover/core';
import { Redis, type RedisOptions } from 'ioredis';
import { atEnd } from '../support/at-end.js';
import { brokenInvariants, completedTwice } from '../support/invariants.js';
import { type Program, startNode } from '../support/process-harness.js';
import { freshPrefix, type PrivateRedis, startOwnRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const WORKER = fileURLToPath(new URL('./fixtures/drill-worker.mjs', import.meta.url));
const QUEUE = 'drill';
const PROCESSES = 2;
const JOB_MS = 10;
/** How many jobs a drill has: fewer where nothing but patience depends on it. `DRILL_JOBS=<n>` sets it for all of them. */
export const [LONG, SHORT] = process.env.DRILL_JOBS ? [Number(process.env.DRILL_JOBS), Number(process.env.DRILL_JOBS)] : [10_000, 4_000];

/** What a drill showed, as it stands in docs/guarantees.md. */
export interface DrillReport {
  readonly drill: string;
  readonly jobs: number;
  /** From the first strike to the last completed job. */
  readonly seconds: string;
  /** Longest time without a completed job, as seen from outside. */
  readonly stillSeconds: string;
  /** Starts beyond one for each job: what at-least-once cost. */
  readonly restarts: number;
  /** Errors that workers reported, of all processes. */
  readonly errors: number;
}

/** One drill: a server, a queue, processes, and whoever looks on. */
export class Drill {
  readonly prefix = freshPrefix();
  readonly processes: Program[] = [];
  #queue: Queue;
  /** The onlooker's connection; it survives what the drill does to others. */
  redis: Redis;

  private constructor(
    readonly server: PrivateRedis,
    readonly jobs: number,
  ) {
    this.redis = onlooker(server.url);
    this.#queue = new Queue(QUEUE, { connection: server.url, prefix: this.prefix });
    this.#queue.on('error', () => undefined);
    atEnd(() => this.#queue.close());
  }

  /** @param args more arguments for the server. */
  static async start(jobs: number, args: readonly string[] = []): Promise<Drill> {
    const drill = new Drill(await startOwnRedis({ args: ['--repl-diskless-sync-delay', '0', ...args] }), jobs);
    await drill.#queue.waitUntilReady();
    await drill.redis.hset(drill.#key('meta'), 'opts.maxLenEvents', 1_000_000); // every event stays, to be counted
    return drill;
  }

  /** Starts the processes; they reach Redis at `url`, the last one with these options of its client, too. */
  async work(url = this.server.url, options: RedisOptions = {}): Promise<void> {
    for (let nth = 1; nth <= PROCESSES; nth++) {
      this.processes.push(startNode(WORKER, [url, this.prefix, nth === PROCESSES ? JSON.stringify(options) : '{}']));
    }
    await Promise.all(this.processes.map((one) => one.line('ready')));
  }

  async add(count = this.jobs): Promise<void> {
    await this.#queue.addBulk(Array.from({ length: count }, (_, n) => ({ name: 'job', data: { n, ms: JOB_MS } })));
  }

  /** Until this share of all jobs has completed. */
  async completed(share: number): Promise<void> {
    await until(async () => (await this.#completed()) >= share * this.jobs, { what: `${share} of the jobs`, limitMs: 60_000, everyMs: 5 });
  }

  /** From here on another server is the one that counts. */
  lookAt(url: string): void {
    this.redis = onlooker(url);
  }

  /** Strikes, waits for the end, and checks all that must be true then. */
  async strike(drill: string, blow: () => Promise<void>): Promise<DrillReport> {
    const struckAt = performance.now();
    const watch = this.#watch();
    await blow();
    await this.completed(1);
    const seconds = (performance.now() - struckAt) / 1_000;
    const stillSeconds = watch.end();
    const idle = { active: 0, wait: 0 };
    const lengths = async () => ({ active: await this.redis.llen(this.#key('active')), wait: await this.redis.llen(this.#key('wait')) });
    await until(async () => JSON.stringify(await lengths()) === JSON.stringify(idle), { what: 'nothing to be left' });
    expect(await this.#completed()).toBe(this.jobs);
    expect(await this.redis.zcard(this.#key('failed'))).toBe(0);
    expect(await completedTwice(this.redis, QUEUE, this.prefix)).toEqual([]);
    expect(await brokenInvariants(this.redis, QUEUE, { prefix: this.prefix, isIdle: true })).toEqual([]);
    const errors = this.processes.reduce((sum, { stderr }) => sum + stderr.split('\n').length - 1, 0);
    const restarts = (await this.#starts()) - this.jobs;
    return { drill, jobs: this.jobs, seconds: seconds.toFixed(1), stillSeconds: stillSeconds.toFixed(1), restarts, errors };
  }

  /** How often a job was started, all together. */
  async #starts(): Promise<number> {
    const ids = await this.redis.zrange(this.#key('completed'), '0', '-1');
    const pipeline = this.redis.pipeline();
    for (const id of ids) pipeline.hget(this.#key(id), 'ats');
    return ((await pipeline.exec()) ?? []).reduce((sum, [, starts]) => sum + Number(starts), 0);
  }

  async #completed(): Promise<number> {
    return this.redis.zcard(this.#key('completed'));
  }

  /** Notes the longest time in which the number of completed jobs stood still. */
  #watch(): { end(): number } {
    let last = 0;
    let movedAt = performance.now();
    let longest = 0;
    const look = async (): Promise<void> => {
      const completed = await this.#completed();
      if (completed === last) return;
      longest = Math.max(longest, performance.now() - movedAt);
      movedAt = performance.now();
      last = completed;
    };
    const timer = setInterval(() => void look().catch(() => undefined), 20);
    const end = (): number => {
      clearInterval(timer);
      return longest / 1_000;
    };
    atEnd(end);
    return { end };
  }

  #key(name: string): string {
    return `${this.prefix}:${QUEUE}:${name}`;
  }
}

/** A client that waits for its server to come back, however long that takes. */
function onlooker(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  redis.on('error', () => undefined);
  atEnd(() => redis.disconnect());
  return redis;
}
