import { fileURLToPath } from 'node:url';
import type { Job } from '../job/index.js';
import { type Clock, type Deferred, deferred, type Timer } from '../kit/index.js';
import type { SandboxChannel } from './channel.js';
import type { FromSandbox, RemoteMethod } from './protocol.js';
import { ProcessorFileError, type SandboxEnd, SandboxExitError, SandboxKilledError } from './sandbox-errors.js';
import { decodeThrown, encodeThrown, type Thrown } from './thrown.js';

/** One job that is to run in a sandbox. */
export interface SandboxTask {
  readonly job: Job;
  readonly token: string;
  readonly signal: AbortSignal;
  /** Carries out what the processor asks of its job. @param args JSON text of a list. @returns JSON text. */
  serve(method: RemoteMethod, args: string): Promise<string | undefined>;
}

interface OpenRun {
  readonly number: number;
  readonly task: SandboxTask;
  readonly settled: Deferred<unknown>;
  isSent: boolean;
  hasStarted: boolean;
}

/** The sandbox ended between two jobs: the second has not begun, and may be given to another one. */
export class NotStartedError extends Error {}

/**
 * Owns one sandbox from its start to its end, and the run that is under way in it.
 *
 * loading -> idle <-> running, and from each of them -> ended. It loads the processor once; it never comes back from its end.
 */
export class Sandbox {
  readonly #loaded: Deferred<void> = deferred();
  readonly ended: Promise<SandboxEnd>;
  #run: OpenRun | undefined;
  #runs = 0;
  #isBroken = false;
  #end: SandboxEnd | undefined;
  #uncaught: Thrown | undefined;
  #killedFor: Error | undefined;
  #deaf: Timer | undefined;

  /** @param graceMs how long it may stay deaf to an abort, or to being told to stop, before it is killed. */
  constructor(
    private readonly channel: SandboxChannel,
    url: URL,
    private readonly clock: Clock,
    private readonly graceMs: number,
  ) {
    this.#loaded.promise.catch(() => undefined); // told to whoever awaits the first run
    this.ended = channel.ended.then((end) => this.#over(end, url));
    channel.listen((message) => this.#on(message));
    channel.send({ type: 'load', url: url.href });
  }

  /** Whether it can run another job: it has not ended, and its file has loaded. */
  get isUsable(): boolean {
    return this.#end === undefined && !this.#isBroken;
  }

  /**
   * Runs one job. One at a time.
   * @returns what the processor returned. Rejects with what it threw, or with the reason why it could not go on: ProcessorFileError,
   * SandboxExitError, SandboxKilledError, NotStartedError.
   */
  async run(task: SandboxTask): Promise<unknown> {
    const { job, token, signal } = task;
    const run: OpenRun = { number: ++this.#runs, task, settled: deferred(), isSent: false, hasStarted: false };
    run.settled.promise.catch(() => undefined); // it may settle while the file is still being loaded
    this.#run = run;
    this.#uncaught = undefined;
    const onAbort = (): void => this.#cancel(run);
    signal.addEventListener('abort', onAbort, { once: true });
    if (this.#end) run.settled.reject(new NotStartedError());
    if (signal.aborted) onAbort();
    try {
      await this.#loaded.promise;
      this.channel.send({ type: 'start', run: run.number, queue: job.queueName, prefix: job.prefix, record: job.record, token });
      run.isSent = true;
      if (signal.aborted) onAbort();
      return await run.settled.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#deaf?.cancel();
      this.#run = undefined;
    }
  }

  /** Asks it to end, after the job under way if there is one, and kills it when it has not within `graceMs`. Resolves when it is gone. */
  async stop(graceMs = this.graceMs): Promise<void> {
    if (!this.#end) this.channel.send({ type: 'stop' });
    const timer = this.clock.setTimer(() => {
      const jobId = this.#run?.task.job.id ?? 'none';
      this.#kill(new SandboxKilledError(jobId, graceMs, 'its worker has closed'));
    }, graceMs);
    await this.ended;
    timer.cancel();
  }

  /** The run under way rejects with `reason`. */
  #kill(reason: Error): void {
    this.#killedFor ??= reason;
    this.channel.kill();
  }

  /**
   * Tells it, and expects an answer within the grace time; asked again as long as the run goes on, so that one which blocks later is found.
   * While the file is being loaded there is nobody to tell: it has the same time to get there.
   */
  #cancel(run: OpenRun): void {
    const { job, signal } = run.task;
    if (run.isSent) this.channel.send({ type: 'cancel', run: run.number, reason: encodeThrown(signal.reason) });
    this.#deaf?.cancel();
    this.#deaf = this.clock.setTimer(() => this.#kill(new SandboxKilledError(job.id, this.graceMs, signal.reason)), this.graceMs);
  }

  #on(message: FromSandbox): void {
    switch (message.type) {
      case 'loaded':
        this.#loaded.resolve();
        break;
      case 'not-loaded':
        this.#isBroken = true;
        this.#loaded.reject(decodeThrown(message.thrown));
        break;
      case 'uncaught':
        this.#uncaught = message.thrown;
        break;
      case 'call':
        void this.#serve(this.#runOf(message), message);
        break;
      default:
        this.#onRun(this.#runOf(message), message);
    }
  }

  /** Messages of runs that are over come too late to matter. */
  #runOf({ run }: { readonly run: number }): OpenRun | undefined {
    return this.#run?.number === run ? this.#run : undefined;
  }

  #onRun(run: OpenRun | undefined, message: Exclude<Extract<FromSandbox, { run: number }>, { type: 'call' }>): void {
    if (!run) return;
    switch (message.type) {
      case 'started':
        run.hasStarted = true;
        break;
      case 'cancelled': // it hears: what follows is up to its processor, but it may still block later
        this.#deaf?.cancel();
        this.#deaf = this.clock.setTimer(() => this.#cancel(run), this.graceMs);
        break;
      case 'discarded':
        run.task.job.discard();
        break;
      case 'done':
        run.settled.resolve(message.value === undefined ? undefined : JSON.parse(message.value));
        break;
      case 'threw':
        run.settled.reject(decodeThrown(message.thrown));
        break;
    }
  }

  async #serve(run: OpenRun | undefined, { call, method, args }: Extract<FromSandbox, { type: 'call' }>): Promise<void> {
    try {
      if (!run) throw new Error(`${method}: the run that asks for it is over`);
      this.channel.send({ type: 'reply', call, value: await run.task.serve(method, args), thrown: undefined });
    } catch (error) {
      this.channel.send({ type: 'reply', call, value: undefined, thrown: encodeThrown(error) });
    }
  }

  #over(end: SandboxEnd, url: URL): SandboxEnd {
    this.#end = end;
    const uncaught = this.#uncaught ? decodeThrown(this.#uncaught) : end.error;
    const why = this.#killedFor ?? uncaught ?? new SandboxExitError(end.exitCode, end.signal);
    const file = new ProcessorFileError(
      fileURLToPath(url),
      `ended its sandbox while it was loaded (exit code ${end.exitCode}, signal ${end.signal})`,
    );
    this.#loaded.reject(this.#killedFor ?? uncaught ?? file);
    if (this.#run) this.#run.settled.reject(this.#run.hasStarted || this.#killedFor ? why : new NotStartedError(undefined, { cause: why }));
    return end;
  }
}
