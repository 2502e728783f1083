import { EventEmitter } from 'eventemitter3';
import { ConnectionClosedError, RateLimitError } from '../errors/index.js';
import type { Job } from '../job/index.js';
import { type QueueRef, queueRef } from '../keys/queue-keys.js';
import {
  anArray,
  checked,
  Deadline,
  type Deferred,
  deferred,
  flag,
  InvalidOptionError,
  OncePrinter,
  positiveInt,
  text,
  toError,
} from '../kit/index.js';
import { leaseRuntime, type RuntimeLease } from '../runtime/registry.js';
import type { JobInHand, Runtime } from '../runtime/runtime.js';
import { AdminStore, ConsumerStore, JobStore } from '../store/index.js';
import { TelemetryAttributes } from '../telemetry/names.js';
import { DRAIN_OPTIONS, Drain, type DrainOptions, type DrainReport } from './drain.js';
import { Executor, type ProcessorFunction, type RunListener } from './executor.js';
import { type LoadedProcessor, loadProcessor, type Processor, processorSource } from './load-processor.js';
import { ManualLane, NEXT_JOB_OPTIONS, type NextJobOptions } from './manual-lane.js';
import { WorkerRunListener } from './run-listener.js';
import type { WorkerEvents } from './worker-events.js';
import { concurrencyOf, type ResolvedWorkerOptions, resolveWorkerOptions, type WorkerOptions } from './worker-options.js';
import { traced, type WorkerSpans, workerSpans } from './worker-spans.js';
import { nextWorkerState, type WorkerMove, type WorkerState } from './worker-state.js';

/** Errors that nobody listens to; an emitter would throw, and a connection that comes and goes must not end the process. */
const unheard = new OncePrinter((line) => console.error(line));
const LOCAL = Object.freeze({ host: '127.0.0.1', port: 6379 });

/**
 * A consumer of one queue, with BullMQ's names. It owns its options and listeners, and nothing that costs: no timer, no socket, no
 * loop. Fetching, locks and outcomes are the business of the runtime it is registered with, by default the one of this process for its
 * `connection`; running jobs is that of its executor, which outlives it.
 */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export class Worker<Data = any, Result = any, Name extends string = string> extends EventEmitter<WorkerEvents<Data, Result, Name>> {
  static RateLimitError(): RateLimitError {
    return new RateLimitError();
  }

  readonly name: string;
  readonly opts: WorkerOptions;
  readonly #queue: QueueRef;
  readonly #options: ResolvedWorkerOptions;
  readonly #processor: ProcessorFunction<Data, Result, Name> | URL | undefined;
  readonly #lease: RuntimeLease | undefined;
  readonly #runtime: Runtime;
  readonly #ended: Deferred<void> = deferred();
  readonly #detach: () => void;
  readonly #spans: WorkerSpans | undefined;
  #concurrency: number;
  #executor: Executor | undefined;
  #loaded: LoadedProcessor | undefined;
  #loading: Promise<Executor> | undefined;
  #state: WorkerState = 'idle';
  #manual: ManualLane | undefined;
  #drain: Drain | undefined;
  #returning: Promise<DrainReport> | undefined;
  #failure: Error | undefined;
  #closing: Promise<DrainReport> | undefined;

  /**
   * @param processor a function, or the path or URL of a file that exports one, which runs in child processes or threads of its own
   * (docs/sandbox.md). Null: the worker runs nothing, jobs are taken by `getNextJob`.
   * @throws InvalidOptionError
   */
  constructor(name: string, processor?: Processor<Data, Result, Name> | null, options: WorkerOptions = {}) {
    super();
    this.#processor = processor === undefined || processor === null ? undefined : processorSource(processor);
    this.#options = resolveWorkerOptions(options);
    this.#queue = queueRef(name, this.#options.prefix);
    this.name = name;
    this.opts = options;
    this.#concurrency = this.#options.concurrency;
    this.#lease = options.runtime ? undefined : leaseRuntime(options.connection ?? LOCAL, this.#options.skipVersionCheck);
    this.#runtime = options.runtime ?? (this.#lease as RuntimeLease).runtime;
    this.#spans = workerSpans(this.#options, name, this.#runtime.clock, (error) => this.#problem(error));
    this.#detach = this.#listen();
    this.#runtime.start().catch(() => undefined); // each failure to connect arrives as `error`
    if (this.#options.isAutorun && this.#processor !== undefined) this.run().catch((error: unknown) => this.#problem(toError(error)));
  }

  get concurrency(): number {
    return this.#concurrency;
  }

  /** Takes effect at once. Lowering it stops no job. */
  set concurrency(concurrency: number) {
    this.#concurrency = concurrencyOf(concurrency);
    if (this.#executor) this.#executor.concurrency = this.#concurrency;
  }

  /** `<prefix>:<queue>`. */
  get qualifiedName(): string {
    return this.#queue.qualified;
  }

  /**
   * Starts to take jobs. Resolves when the worker has closed.
   * @throws when it runs already, or was closed.
   */
  async run(): Promise<void> {
    if (this.#processor === undefined) throw new Error('No process function is defined.');
    if (!this.#move('run')) throw new Error(`worker of ${this.name} cannot run: it is ${this.#state}`);
    const executor = await this.#load();
    if (this.isRunning()) {
      this.#runtime.register(executor);
      executor.isOpen = this.#state === 'running';
      if (this.#options.upkeep.stalled) this.#spans?.mark('startStalledCheckTimer');
    }
    await this.#ended.promise;
  }

  isRunning(): boolean {
    return this.#state === 'running' || this.#state === 'paused';
  }

  isPaused(): boolean {
    return this.#state === 'paused' || this.#state === 'held';
  }

  /** Takes no further job. Resolves when those in hand have ended, or at once with `doNotWaitActive`. */
  async pause(doNotWaitActive?: boolean): Promise<void> {
    flag('doNotWaitActive', doNotWaitActive ?? false);
    const asked = { [TelemetryAttributes.WorkerDoNotWaitActive]: doNotWaitActive };
    await traced(this.#spans, 'pause', asked, async () => {
      if (!this.#move('pause')) return;
      if (this.#executor) this.#executor.isOpen = false;
      if (!doNotWaitActive) await this.#executor?.whenEmpty();
      this.#tell('paused');
    });
  }

  resume(): void {
    this.#spans?.mark('resume');
    if (!this.#move('resume')) return;
    if (this.#executor && this.#state === 'running') this.#executor.isOpen = true;
    this.#tell('resumed');
  }

  /**
   * Resolves when Redis answers. A processor file is loaded by the first job.
   * @throws ConnectionClosedError when the worker closes before; UnsupportedServerError for a Redis that is too old.
   */
  async waitUntilReady(): Promise<void> {
    if (this.#processor !== undefined) await this.#load();
    const runtime = this.#runtime;
    const isReady = (): boolean => runtime.state === 'running';
    if (isReady()) return;
    const ready = deferred();
    this.once('ready', ready.resolve);
    await Promise.race([ready.promise, this.#ended.promise]);
    if (!isReady()) throw this.#failure ?? new ConnectionClosedError(this.#runtime.connections.command.address);
  }

  /**
   * Manual processing: the next job, locked with `token` for `lockDuration`; whoever takes it renews its lock and ends it by its methods.
   * @returns undefined when there is none, and at once when the worker is paused or closing.
   */
  async getNextJob(token: string, options: NextJobOptions = {}): Promise<Job<Data, Result, Name> | undefined> {
    text('token', token);
    const { block = true } = checked('', options, NEXT_JOB_OPTIONS);
    if (this.isPaused() || this.#closing) return undefined;
    const startedAt = this.#runtime.clock.now();
    const job = (await this.#manualLane().next(token, block)) as Job<Data, Result, Name> | undefined;
    this.#spans?.taken({ block }, job?.record, startedAt);
    return job;
  }

  /** Checks the queue for stalled jobs from now on; workers that run do so anyway. */
  async startStalledCheckTimer(): Promise<void> {
    if (!this.#options.upkeep.stalled || this.#closing || this.isRunning()) return;
    await this.#runtime.connections.command.whenReady();
    this.#spans?.mark('startStalledCheckTimer');
    this.#manualLane().watch();
  }

  /** Renews locks by hand, each with its own token. @returns the ids of jobs whose lock was lost. */
  async extendJobLocks(jobIds: readonly string[], tokens: readonly string[], duration: number): Promise<string[]> {
    const lockMs = positiveInt('duration', duration);
    if (anArray('tokens', tokens).length !== anArray('jobIds', jobIds).length) {
      throw new InvalidOptionError('tokens', tokens, `one for each of ${jobIds.length} jobs`);
    }
    const locks = jobIds.map((jobId, at) => ({ jobId, token: tokens[at] ?? '' }));
    return [...(await this.#manualLane().extendLocks(locks, lockMs))];
  }

  /** No job of the queue starts for `expireTimeMs`, on workers that have a rate limit. @deprecated use `Queue.rateLimit`. */
  async rateLimit(expireTimeMs: number): Promise<void> {
    const ms = positiveInt('expireTimeMs', expireTimeMs);
    const limit = async (): Promise<void> => {
      await this.#runtime.connections.command.whenReady();
      await new AdminStore(this.#runtime.connections.scripts).rateLimit(this.#queue, ms);
    };
    await (this.#spans ? this.#spans.rateLimit(ms, limit) : limit());
  }

  /** The jobs that run here. Until a drain has ended, turns under way may still add some. */
  hand(): readonly JobInHand[] {
    return this.#executor?.hand() ?? [];
  }

  /** Aborts the signal of a job that runs here; its processor decides what follows. @returns whether the job was found. */
  cancelJob(jobId: string, reason: unknown = 'cancelled'): boolean {
    return this.#executor?.cancel(jobId, reason) ?? false;
  }

  cancelAllJobs(reason: unknown = 'cancelled'): void {
    this.#executor?.abortAll('cancel', reason);
  }

  /**
   * Closes with a deadline: takes no further job, lets those in hand finish, aborts their signals `abortLeadMs` before the deadline and
   * settles the rest at it. A rejection after that abort is no failed attempt: the job goes back to wait. A second call returns the first
   * report, and can only bring the deadline closer; one that returns jobs drains anew those that an earlier one has let linger, and
   * reports on them.
   */
  drain(deadline: Deadline, options: DrainOptions): Promise<DrainReport> {
    checked('', options, DRAIN_OPTIONS);
    if (!this.#closing) {
      this.#closing = this.#close(deadline, options);
      return this.#closing;
    }
    this.#drain?.tighten(deadline.remainingMs(), options);
    if (options.onDeadline === 'linger') return this.#closing;
    this.#returning ??= this.#returnLingering(this.#closing, deadline, options);
    return this.#returning;
  }

  /**
   * Takes no further job and waits for those in hand. With `force` it does not wait: their signals are aborted, and those that go on
   * keep their locks and are committed when they end.
   */
  async close(force = false): Promise<void> {
    flag('force', force);
    const spans = this.#closing ? undefined : this.#spans; // a second call closes nothing
    await traced(spans, 'close', { [TelemetryAttributes.WorkerForceClose]: force }, async () => {
      const deadline = Deadline.in(force ? 0 : Number.POSITIVE_INFINITY, this.#runtime.clock);
      await this.drain(deadline, { abortLeadMs: 0, onDeadline: 'linger' });
      deadline.clear();
    });
  }

  async #close(deadline: Deadline, options: DrainOptions): Promise<DrainReport> {
    this.#move('close');
    this.#tell('closing', 'closing queue');
    const manual = this.#manual?.close();
    const executor = this.#executor ?? (await this.#loading?.catch(() => undefined));
    let report: DrainReport = { finished: 0, aborted: 0, returned: [], lost: [], lingering: [] };
    if (executor) {
      executor.isOpen = false;
      this.#drain = new Drain(executor, this.#runtime.clock, deadline, options);
      const unregistered = this.#runtime.unregister(executor);
      report = await this.#drain.run();
      if (report.lingering.length === 0) await unregistered;
    }
    await manual;
    const gone = this.#loaded?.close(options.onDeadline === 'return' ? 0 : this.#options.sandbox.graceMs);
    if (report.lingering.length === 0) await gone;
    await this.#letGo(executor, report.lingering.length > 0);
    this.#move('end');
    this.#tell('closed');
    this.#ended.resolve();
    return report;
  }

  async #returnLingering(closing: Promise<DrainReport>, deadline: Deadline, options: DrainOptions): Promise<DrainReport> {
    const report = await closing;
    if (!this.#executor || report.lingering.length === 0) return report;
    this.#drain = new Drain(this.#executor, this.#runtime.clock, deadline, options);
    const after = await this.#drain.run();
    await this.#loaded?.close(0);
    return after;
  }

  /** Jobs that linger still need the runtime: it is given back when the last of them has ended. */
  async #letGo(executor: Executor | undefined, hasLingering: boolean): Promise<void> {
    if (!hasLingering) {
      this.#detach();
      await this.#lease?.release();
      return;
    }
    const released = executor?.whenEmpty().then(() => {
      this.#detach();
      return this.#lease?.release();
    });
    released?.catch((error: unknown) => this.#problem(toError(error)));
  }

  #load(): Promise<Executor> {
    this.#loading ??= Promise.resolve().then(() => {
      const source = this.#processor as ProcessorFunction<unknown, unknown, string> | URL;
      const commands = this.#commands();
      const { sandbox } = this.#options;
      this.#loaded = loadProcessor(source, sandbox, { clock: this.#runtime.clock, commands, limit: () => this.#concurrency });
      this.#executor = new Executor(
        this.#runtime,
        this.#queue,
        this.#options,
        commands,
        this.#loaded.run,
        this.#runListener(),
        new ConsumerStore(this.#runtime.connections.scripts),
        this.#spans,
      );
      this.#executor.concurrency = this.#concurrency;
      return this.#executor;
    });
    return this.#loading;
  }

  #commands(): JobStore {
    return new JobStore(this.#queue, this.#runtime.connections.scripts, this.#runtime.clock, this.#spans?.tracing);
  }

  /** Made when first asked for: only manual processing has one. */
  #manualLane(): ManualLane {
    this.#manual ??= new ManualLane({
      runtime: this.#runtime,
      queue: this.#queue,
      options: this.#options,
      commands: this.#commands(),
      spans: this.#spans,
      problem: (error) => this.#problem(error),
      stalled: (jobIds) => {
        for (const jobId of jobIds) this.#tell('stalled', jobId, 'active');
      },
    });
    return this.#manual;
  }

  #runListener(): RunListener {
    return new WorkerRunListener(this.#queue, {
      tell: (event, ...payload) => this.#tell(event, ...payload),
      problem: (error) => this.#problem(error),
      isHeard: (event) => this.listenerCount(event) > 0,
    });
  }

  #listen(): () => void {
    const runtime = this.#runtime;
    const ready = (): void => this.#tell('ready');
    const offline = (): void => this.#tell('ioredis:close');
    const failed = (error: Error): void => {
      this.#failure = error;
      this.#problem(error);
      void this.close(true);
    };
    runtime.on('ready', ready).on('offline', offline).on('failed', failed);
    return () => void runtime.off('ready', ready).off('offline', offline).off('failed', failed);
  }

  #move(move: WorkerMove): boolean {
    const next = nextWorkerState(this.#state, move);
    if (next) this.#state = next;
    return next !== undefined;
  }

  #problem(error: Error): void {
    this.#options.logger.warn('worker error', { queue: this.name, error: error.message });
    if (this.listenerCount('error') === 0) unheard.print(`[drover] worker of ${this.name}: ${error.message}`);
    else this.#tell('error', error);
  }

  /** Listeners are the application's: what they throw is an error of theirs, not of the loop that told them. */
  #tell(event: keyof WorkerEvents<Data, Result, Name>, ...payload: unknown[]): void {
    try {
      (this.emit as (event: string, ...payload: unknown[]) => boolean)(event, ...payload);
    } catch (error) {
      if (event !== 'error') this.#problem(toError(error));
      else unheard.print(`[drover] error listener of the worker of ${this.name}: ${toError(error).message}`);
    }
  }
}
