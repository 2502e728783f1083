/** What runs inside a simulated process: runtimes and workers that take time, fail and end as the run's random numbers say. */
import { EventEmitter } from 'node:events';
import { type Clock, type Deadline, deferred } from '@drover/core/kit';
import type {
  DrainOptions,
  HostedEngine,
  HostedRuntime,
  HostedWorker,
  WorkerDrainReport,
} from '../../packages/cluster/dist/host/hosted-worker.js';
import type { JobRef } from '../../packages/cluster/dist/protocol/index.js';
import type { Behaviour } from './behaviour.js';

const EMPTY: WorkerDrainReport = { finished: 0, aborted: 0, returned: [], lost: [], lingering: [] };

/** One Redis target. */
export class SimRuntime extends EventEmitter implements HostedRuntime {
  state: HostedRuntime['state'] = 'offline';

  constructor(
    private readonly clock: Clock,
    private readonly behaviour: Behaviour,
  ) {
    super();
    this.setMaxListeners(0); // one for each worker
  }

  start(): Promise<void> {
    const started = deferred();
    const { startMs, error } = this.behaviour.runtimeStart();
    this.clock.setTimer(() => {
      if (!error) return this.#answered(started.resolve);
      const isBroken = startMs % 2 === 0;
      if (isBroken) this.state = 'failed';
      else this.clock.setTimer(() => this.#answered(), 10 * startMs); // Redis is away, and comes back
      started.reject(error);
    }, startMs);
    return started.promise;
  }

  #answered(tell?: () => void): void {
    if (this.state !== 'offline') return;
    this.state = 'running';
    tell?.();
    this.emit('ready');
  }

  /** One of its loops is broken. */
  fail(): void {
    if (this.state !== 'running') return;
    this.state = 'failed';
    this.emit('failed', new Error('a loop of the runtime broke'));
  }

  async stop(): Promise<void> {
    this.state = 'stopped';
  }

  async quiesce(): Promise<void> {}

  setShare(): void {}
}

/** A worker: it counts as hosted from its creation until it is closed, drained, or its process is dead. */
export class SimWorker extends EventEmitter implements HostedWorker {
  isHosted = true;
  isRunning = false;
  /** It takes no job any more, and may have some in hand. */
  isDraining = false;
  #jobs: readonly JobRef[] = [];
  #drain: Promise<WorkerDrainReport> | undefined;

  constructor(
    readonly name: string,
    readonly runtime: SimRuntime,
    private readonly clock: Clock,
    private readonly behaviour: Behaviour,
  ) {
    super();
    runtime.on('failed', () => this.end());
  }

  async waitUntilReady(): Promise<void> {
    const { startMs, error } = this.behaviour.workerStart();
    const ready = deferred();
    this.clock.setTimer(() => (error ? ready.reject(error) : ready.resolve()), startMs);
    await ready.promise;
    if (!this.isHosted) throw new Error('closed while it started');
    this.isRunning = true;
    this.#jobs = Array.from({ length: this.behaviour.jobsInHand() }, (_, n) => ({ queue: 'q', jobId: `${this.name}/${n}`, startedAt: 0 }));
  }

  hand(): readonly JobRef[] {
    return this.#jobs;
  }

  /** Ends without having been asked to. Its jobs settle a little later. */
  end(): void {
    if (!this.isHosted) return;
    this.#over();
    this.clock.setTimer(() => this.#settled(), this.behaviour.jobMs());
    this.emit('closed');
  }

  drain(deadline: Deadline, options: DrainOptions): Promise<WorkerDrainReport> {
    this.isDraining = true;
    this.#drain ??= this.#drainNow(deadline, options);
    return this.#drain;
  }

  async close(): Promise<void> {
    this.#over();
    this.#settled();
  }

  async #drainNow(deadline: Deadline, options: DrainOptions): Promise<WorkerDrainReport> {
    const inHand = this.#jobs;
    const over = deferred<'finished' | 'late'>();
    const timer = this.clock.setTimer(() => over.resolve('finished'), inHand.length === 0 ? 1 : this.behaviour.jobMs());
    const late = (): void => over.resolve('late');
    deadline.signal.addEventListener('abort', late, { once: true });
    if (deadline.isPassed) late();
    const how = await over.promise;
    deadline.signal.removeEventListener('abort', late);
    timer.cancel();
    this.#over();
    if (how === 'late' && options.onDeadline === 'linger' && inHand.length > 0) {
      this.clock.setTimer(() => this.#settled(), this.behaviour.jobMs());
      return { ...EMPTY, lingering: inHand };
    }
    this.#settled();
    return how === 'late' ? { ...EMPTY, returned: inHand } : { ...EMPTY, finished: inHand.length };
  }

  #over(): void {
    this.isHosted = false;
    this.isRunning = false;
  }

  #settled(): void {
    this.#jobs = [];
  }
}

/** Makes the parts of one process, and knows them all. */
export class SimEngine implements HostedEngine<SimRuntime> {
  readonly runtimes: SimRuntime[] = [];
  #workers: SimWorker[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly behaviour: Behaviour,
  ) {}

  /** Workers that exist now. */
  get workers(): readonly SimWorker[] {
    if (this.#workers.some((worker) => !worker.isHosted)) this.#workers = this.#workers.filter((worker) => worker.isHosted);
    return this.#workers;
  }

  createRuntime(): SimRuntime {
    const runtime = new SimRuntime(this.clock, this.behaviour);
    this.runtimes.push(runtime);
    return runtime;
  }

  createWorker({ name, runtime }: { readonly name: string; readonly runtime: SimRuntime }): SimWorker {
    const worker = new SimWorker(name, runtime, this.clock, this.behaviour);
    this.#workers.push(worker);
    return worker;
  }
}
