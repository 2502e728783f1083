/** Queues, workers and processors for tests of the engine; everything made here is closed when its test ends. */
import { type Processor, Queue, type QueueOptions, Worker, type WorkerOptions } from '@drover/core';
import { Deadline, type Deferred, deferred, systemClock } from '@drover/core/kit';
import { Runtime, type RuntimeOptions } from '@drover/core/runtime';
import { Redis } from 'ioredis';
import { atEnd } from './at-end.js';
import { brokenInvariants } from './invariants.js';
import { freshPrefix, testRedisUrl } from './redis.js';
import { until } from './until.js';

// biome-ignore lint/suspicious/noExplicitAny: tests put anything into a job
type AnyProcessor = Processor<any, unknown, string>;

/** One queue under a prefix of its own. */
export interface Rig {
  readonly prefix: string;
  readonly url: string;
  readonly queue: Queue;
  readonly redis: Redis;
  /** A worker of the queue; what it reports as `error` fails the test unless `allowErrors`. */
  worker(processor: AnyProcessor, options?: WorkerOptions & { readonly allowErrors?: boolean }): Worker;
  /** Resolves when the queue holds exactly these many jobs in these states. */
  counts(wanted: Readonly<Record<string, number>>): Promise<unknown>;
  /** Rules of the data model that the keys break; see `invariants.ts`. */
  broken(isIdle?: boolean): Promise<string[]>;
}

export function rig(name = 'mail', options: QueueOptions & { readonly url?: string } = {}): Rig {
  const { url = testRedisUrl(), ...rest } = options;
  const prefix = freshPrefix();
  const redis = new Redis(url);
  redis.on('error', () => undefined); // a test may stop its server
  atEnd(() => redis.disconnect());
  const queue = new Queue(name, { connection: url, prefix, ...rest });
  queue.on('error', () => undefined);
  atEnd(() => queue.close());
  return {
    prefix,
    url,
    queue,
    redis,
    worker(processor, { allowErrors = false, ...given } = {}) {
      const where = given.runtime ? {} : { connection: url };
      const worker = new Worker(name, processor, { ...where, prefix, ...given });
      const errors: Error[] = [];
      worker.on('error', (error: Error) => errors.push(error));
      atEnd(async () => {
        await worker.close();
        if (!allowErrors && errors.length > 0) throw new AggregateError(errors, `worker errors: ${errors.map(String).join('; ')}`);
      });
      return worker;
    },
    counts: (wanted) =>
      until(
        async () => {
          const counts = await queue.getJobCounts();
          const isReached = Object.entries(wanted).every(([state, count]) => counts[state] === count);
          if (!isReached) throw new Error(JSON.stringify(counts));
          return true;
        },
        { what: `counts of ${JSON.stringify(wanted)}`, limitMs: 20_000 },
      ),
    broken: (isIdle = true) => brokenInvariants(redis, name, { prefix, isIdle }),
  };
}

/** A deadline whose timer does not outlive the test. */
export function within(ms: number): Deadline {
  const deadline = Deadline.in(ms, systemClock());
  atEnd(() => deadline.clear());
  return deadline;
}

/** A runtime of the test's own, stopped at its end: what a process of a cluster has. */
export function ownRuntime(options: Partial<RuntimeOptions> = {}): Runtime {
  const runtime = new Runtime({ connection: testRedisUrl(), ...options });
  atEnd(() => runtime.stop(within(2_000)));
  return runtime;
}

/** A processor whose runs end when the test says so. */
export class Gate {
  readonly #runs = new Map<string, Deferred<unknown>>();
  readonly signals = new Map<string, AbortSignal>();
  #isOpen = false;
  running = 0;
  most = 0;
  started: string[] = [];

  readonly processor = async (job: { readonly id: string }, _token: string, signal: AbortSignal): Promise<unknown> => {
    const run = deferred<unknown>();
    if (this.#isOpen) run.resolve('done');
    this.#runs.set(job.id, run);
    this.signals.set(job.id, signal);
    this.started.push(job.id);
    this.most = Math.max(this.most, ++this.running);
    try {
      return await run.promise;
    } finally {
      this.running--;
    }
  };

  /** Resolves when `count` runs have started since the beginning. */
  async hasStarted(count: number): Promise<void> {
    await until(() => this.started.length >= count, { what: `${count} runs to start`, everyMs: 5 });
  }

  open(jobId: string, value: unknown = 'done'): void {
    this.#runs.get(jobId)?.resolve(value);
  }

  fail(jobId: string, error: Error): void {
    this.#runs.get(jobId)?.reject(error);
  }

  /** Runs that have started, and those that will. */
  stayOpen(): void {
    this.#isOpen = true;
    this.openAll();
  }

  openAll(): void {
    for (const run of this.#runs.values()) run.resolve('done');
  }
}

/** What each `event` of an emitter brings, from now on. */
export function collect(emitter: { on(event: string, listener: (...args: unknown[]) => void): unknown }, event: string): unknown[][] {
  const seen: unknown[][] = [];
  emitter.on(event, (...args: unknown[]) => void seen.push(args));
  return seen;
}
