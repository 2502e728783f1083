import { type Clock, Deadline, deferred, type Logger, messageOf, toError } from '@drover/core/kit';
import type { ChildAdapter, ChildExit } from '../supervisor/index.js';
import { emptyReport } from './drain-report.js';
import type { WorkerDrainReport } from './hosted-worker.js';
import type { ForeignOptions, ForeignWorker } from './load-module.js';
import type { WorkerAdapterDeps, WorkerSpec } from './worker-adapter.js';
import { type WorkerBody, WorkerChild } from './worker-child.js';

/**
 * Starts and stops anything with `run()` and `close()`. It runs from the moment `run()` was called; that `run()` settles unasked is its
 * end. What it has in hand is its own secret: it finishes its jobs within `close()`, or is closed by force at the deadline and reported as
 * abandoned.
 */
export class ForeignAdapter implements ChildAdapter<WorkerSpec> {
  constructor(
    private readonly make: (options: ForeignOptions) => Promise<ForeignWorker>,
    private readonly deps: WorkerAdapterDeps,
  ) {}

  async start(spec: WorkerSpec): Promise<WorkerChild> {
    const { group, queue, prefix, connection, concurrency } = spec.group;
    const worker = await this.make({ name: spec.name, group, queue, prefix, connection, concurrency });
    const logger = this.deps.logger.child({ worker: spec.name });
    logErrors(worker, logger);
    const body = new ForeignBody(spec.name, worker, logger, this.deps.clock);
    const child = new WorkerChild(spec.name, body, this.deps.drainOptions(spec.group), this.deps.clock);
    this.deps.onStarted(child);
    return child;
  }
}

/** How long a forced close may take before the worker is left to itself. */
const FORCED_CLOSE_MS = 1_000;

/** Owns one foreign worker's `run()` and `close()`. */
class ForeignBody implements WorkerBody {
  readonly endedAlone: Promise<ChildExit>;
  readonly #ended = deferred<ChildExit>();
  #closed: Promise<void> | undefined;
  #hasClosed = false;

  constructor(
    private readonly name: string,
    private readonly worker: ForeignWorker,
    private readonly logger: Logger,
    private readonly clock: Clock,
  ) {
    this.endedAlone = this.#ended.promise;
    void this.#run();
  }

  hand(): readonly [] {
    return [];
  }

  async drain(deadline: Deadline): Promise<WorkerDrainReport> {
    this.#closed ??= this.#close(false).then(() => {
      this.#hasClosed = true;
    });
    await withinSignal(this.#closed, deadline.signal);
    if (this.#hasClosed) return emptyReport();
    this.logger.warn('a worker had not closed at its deadline and is abandoned', { worker: this.name });
    await this.#forceClose();
    return { ...emptyReport(), abandoned: [this.name] };
  }

  /** Its end counts as its own doing only as long as nobody has asked for it. */
  async #run(): Promise<void> {
    let exit: ChildExit = { kind: 'normal' };
    try {
      await this.worker.run();
    } catch (error) {
      exit = { kind: 'abnormal', error: toError(error) };
    }
    if (this.#closed) return;
    await this.#forceClose(); // whatever it still holds: its successor takes its place
    this.#ended.resolve(exit);
  }

  async #forceClose(): Promise<void> {
    const limit = Deadline.in(FORCED_CLOSE_MS, this.clock);
    await withinSignal(this.#close(true), limit.signal);
    limit.clear();
  }

  async #close(force: boolean): Promise<void> {
    try {
      await this.worker.close(force);
    } catch (error) {
      this.logger.error('a worker failed to close', { error: messageOf(error) });
    }
  }
}

/** An `error` event that nobody listens to would end the process. */
function logErrors(worker: ForeignWorker, logger: Logger): void {
  if (!('on' in worker) || typeof worker.on !== 'function') return;
  worker.on('error', (error: unknown) => logger.warn('worker error', { error: messageOf(error) }));
}

/** Waits for `work`, but not longer than until the signal aborts. */
async function withinSignal(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const over = deferred();
  const stopWaiting = (): void => over.resolve();
  signal.addEventListener('abort', stopWaiting, { once: true });
  await Promise.race([work, over.promise]);
  signal.removeEventListener('abort', stopWaiting);
}
