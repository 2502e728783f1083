import { type Clock, type Deadline, deferred, type Logger, messageOf } from '@drover/core/kit';
import type { GroupConfig } from '../config/resolved.js';
import type { ChildAdapter, ChildExit } from '../supervisor/index.js';
import { emptyReport, refOf } from './drain-report.js';
import type { DrainOptions, HostedRuntime, HostedWorker, WorkerDrainReport } from './hosted-worker.js';
import { WorkerChild } from './worker-child.js';

/** A worker as its group asks for it. */
export interface WorkerSpec {
  readonly name: string;
  readonly group: GroupConfig;
}

export interface WorkerAdapterDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What becomes of jobs that do not end in time, unless a stop says otherwise. */
  drainOptions(group: GroupConfig): DrainOptions;
  /** A worker runs: whoever counts jobs in hand hears of it before its supervisor does. */
  onStarted(child: WorkerChild): void;
  /** A run of a job ended. */
  onJob?(end: 'completed' | 'failed'): void;
}

/** A worker and the runtime it depends on. */
export interface CreatedWorker {
  readonly worker: HostedWorker;
  readonly runtime: Pick<HostedRuntime, 'state'>;
}

/**
 * Starts and stops workers of the engine. One that closes because its runtime has failed does not count as ended: the supervisor of the
 * runtime stops it, so that one failure is one restart, however many workers there are.
 */
export class WorkerAdapter implements ChildAdapter<WorkerSpec> {
  constructor(
    private readonly create: (spec: WorkerSpec) => CreatedWorker,
    private readonly deps: WorkerAdapterDeps,
  ) {}

  async start(spec: WorkerSpec, unwanted: AbortSignal): Promise<WorkerChild> {
    const { worker, runtime } = this.create(spec);
    const logger = this.deps.logger.child({ worker: spec.name });
    worker.on('completed', () => this.deps.onJob?.('completed'));
    worker.on('failed', () => this.deps.onJob?.('failed'));
    worker.on('error', (error) => logger.warn('worker error', { error: messageOf(error) }));
    const endedAlone = deferred<ChildExit>();
    worker.on('closed', () => {
      if (runtime.state !== 'failed') endedAlone.resolve({ kind: 'normal' });
    });
    await this.#ready(worker, unwanted);

    const body = {
      endedAlone: endedAlone.promise,
      hand: () => worker.hand(),
      drain: (deadline: Deadline, options: DrainOptions) => this.#drain(worker, deadline, options, logger),
    };
    const child = new WorkerChild(spec.name, body, this.deps.drainOptions(spec.group), this.deps.clock);
    this.deps.onStarted(child);
    return child;
  }

  /** Without Redis this may take long: it ends early when the worker is not wanted any more. */
  async #ready(worker: HostedWorker, unwanted: AbortSignal): Promise<void> {
    const cancelled = deferred<never>();
    const cancel = (): void => cancelled.reject(new Error('stopped while it started'));
    unwanted.addEventListener('abort', cancel, { once: true });
    try {
      await Promise.race([worker.waitUntilReady(), cancelled.promise]);
    } catch (error) {
      await worker.close(true);
      throw error;
    } finally {
      unwanted.removeEventListener('abort', cancel);
    }
  }

  /** A drain that fails leaves its jobs to the stalled check. */
  async #drain(worker: HostedWorker, deadline: Deadline, options: DrainOptions, logger: Logger): Promise<WorkerDrainReport> {
    try {
      return await worker.drain(deadline, options);
    } catch (error) {
      logger.error('the drain of a worker failed', { error: messageOf(error) });
      return { ...emptyReport(), lost: worker.hand().map(refOf) };
    }
  }
}
