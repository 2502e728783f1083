/** The cluster of a soak: its primary lives in this program, so that what it holds can be counted; its processes are forked as ever. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type StatusReply, WorkerManager } from '@drover/cluster';
import { Redis } from 'ioredis';
import { brokenInvariants } from '../test/support/invariants.js';
import { until } from '../test/support/until.js';
import { QUEUE } from './job-data.js';
import { isThere, ROOT, signal } from './system.js';

type PrivateRedis = import('../tools/private-redis.mjs').PrivateRedis;
type PrivateRedisModule = typeof import('../tools/private-redis.mjs');

const HERE = dirname(fileURLToPath(import.meta.url));
const PREFIX = 'soak';
const PROCESSES = 3;
const LIMIT_MS = 60_000;

/** What became of the jobs. */
export interface SoakedJobs {
  readonly added: number;
  readonly completed: number;
  /** Failed unrun, because they were in hand at too many ends of processes. */
  readonly poisoned: number;
  /** Parents that wait for a child that failed so. */
  readonly waiting: number;
  readonly broken: readonly string[];
}

/** Owns all that was started, and ends it. */
export class SoakedCluster {
  #added = 0;
  #producer: ChildProcess | undefined;
  #isEnding = false;
  #isStopped = false;
  #unexpected: string | undefined;

  private constructor(
    private readonly server: PrivateRedis,
    private readonly redis: Redis,
    private readonly manager: WorkerManager,
  ) {}

  static async start(rate: number, seed: number): Promise<SoakedCluster> {
    const tools: PrivateRedisModule = await import(pathToFileURL(join(ROOT, 'tools', 'private-redis.mjs')).href);
    const server = await tools.startPrivateRedis({ own: true, appendonly: false });
    const manager = await WorkerManager.start({
      name: `soak-${process.pid}`,
      connection: server.url,
      prefix: PREFIX,
      processes: { min: PROCESSES, max: PROCESSES },
      groups: { [QUEUE]: { processor: join(HERE, 'soak-processor.js'), workers: 6, min: 3, concurrency: 8, maxStalledCount: 1_000 } },
      // Processes fall all the time here, on purpose: limits meant for faults that nobody wanted would end the run.
      supervision: {
        processes: { maxRestarts: 10_000 },
        backoff: { base: '10ms', cap: '100ms', resetAfter: '1s' },
        maxConsecutiveFailures: 1_000,
      },
    });
    const cluster = new SoakedCluster(server, new Redis(server.url), manager);
    try {
      await cluster.untilWhole();
      await cluster.#startProducer(rate, seed);
    } catch (error) {
      await cluster.end();
      throw error;
    }
    return cluster;
  }

  /** What broke that nobody broke on purpose. */
  get unexpected(): string | undefined {
    return this.#unexpected;
  }

  untilWhole(): Promise<StatusReply> {
    const look = async (): Promise<StatusReply | undefined> => {
      const status = await this.manager.status();
      const ready = status.processes.filter(({ state }) => state === 'ready');
      return ready.length === PROCESSES && status.processes.length === PROCESSES ? status : undefined;
    };
    return until(look, { what: 'the cluster to be whole', limitMs: LIMIT_MS, everyMs: 25 });
  }

  /** Kills one ready process, as soon as there is one; resolves when it is gone. @param random at least 0, below 1. */
  async killOne(random: number): Promise<void> {
    const find = async () => {
      const ready = (await this.manager.status()).processes.filter(({ state }) => state === 'ready');
      return ready[Math.floor(random * ready.length)];
    };
    const { pid } = await until(find, { what: 'a process that is ready', limitMs: LIMIT_MS, everyMs: 25 });
    signal(pid, 'SIGKILL');
    await until(() => !isThere(pid), { what: 'the process to be gone', limitMs: LIMIT_MS, everyMs: 5 });
  }

  async scaleTo(count: number, { wait }: { readonly wait: boolean }): Promise<void> {
    await this.manager.scaleTo(count, { wait });
  }

  /** No more jobs are added; resolves when those that are there have been worked off, and the cluster has stopped. */
  async finish(): Promise<SoakedJobs> {
    const producer = this.#producer as ChildProcess;
    const gone = once(producer, 'exit');
    producer.send('end');
    await gone;
    this.#producer = undefined;
    const count = (): Promise<number[]> =>
      Promise.all(['completed', 'failed', 'waiting-children'].map((set) => this.redis.zcard(`${PREFIX}:${QUEUE}:${set}`)));
    const isDone = async (): Promise<boolean> => (await count()).reduce((sum, each) => sum + each) >= this.#added;
    await until(isDone, { what: 'the jobs to be worked off', limitMs: LIMIT_MS });
    await this.#stop();
    const [completed = 0, poisoned = 0, waiting = 0] = await count();
    const broken = await brokenInvariants(this.redis, QUEUE, { prefix: PREFIX, isIdle: true });
    return { added: this.#added, completed, poisoned, waiting, broken };
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    this.#producer?.kill('SIGKILL');
    await this.#stop();
    this.redis.disconnect();
    await this.server.stop();
  }

  async #stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    await this.manager.stop({ drainMs: 5_000 });
  }

  async #startProducer(rate: number, seed: number): Promise<void> {
    const producer = fork(join(HERE, 'producer.js'), [this.server.url, PREFIX, String(rate), String(seed)]);
    this.#producer = producer;
    producer.on('message', (message: { added?: Record<string, string> }) => {
      this.#added += Object.keys(message.added ?? {}).length;
    });
    producer.once('exit', (code, by) => {
      if (code !== 0 && !this.#isEnding) this.#unexpected = `the producer ended with ${code ?? by}`;
    });
    await until(() => this.#added > 0, { what: 'the first job to be added', limitMs: LIMIT_MS });
  }
}
