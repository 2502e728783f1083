/**
 * What a load process asks of a job engine. An engine is a module that exports `openEngine`; it is loaded in each load process, never
 * in the one that measures, so that engines cannot disturb each other.
 */

/** What a job of the bench carries: about 100 bytes. */
export interface JobData {
  readonly n: number;
  readonly text: string;
  /** When `add` was called, monotonic ns as a text; only where the latency is measured. */
  readonly at?: string;
}

/** Where the queues are. */
export interface Target {
  readonly url: string;
  readonly prefix: string;
}

export interface WorkerPlan {
  readonly target: Target;
  /** Workers are dealt to them in turn. */
  readonly queues: readonly string[];
  readonly workers: number;
  readonly concurrency: number;
  /** The processor. */
  readonly process: () => Promise<string>;
  /** After the engine has committed jobs; `data` where it is known, which is one job then. */
  readonly onCompleted: (count: number, data?: JobData) => void;
  readonly onError: (error: Error) => void;
}

/** Workers that are connected, and idle until `run`. */
export interface StartedWorkers {
  run(): void;
  close(): Promise<void>;
}

/** A producer's end of a queue. */
export interface OpenQueue {
  add(data: JobData): Promise<unknown>;
  addBulk(data: readonly JobData[]): Promise<unknown>;
  close(): Promise<void>;
}

export interface Engine {
  startWorkers(plan: WorkerPlan): Promise<StartedWorkers>;
  openQueue(target: Target, queue: string): Promise<OpenQueue>;
  /**
   * For a driver without callers: adds so many jobs in batches of its own choice, suited to `bulk`. The load of an engine that has it
   * uses it instead of an open queue.
   */
  openDriver?(target: Target, queue: string, bulk: number): Promise<Driver>;
}

/** Adds as fast as Redis takes it. */
export interface Driver {
  add(jobs: number): Promise<void>;
  close(): Promise<void>;
}

/** An engine as the bench names it: sent to load processes as it is. */
export interface EngineRef {
  readonly name: string;
  readonly version: string;
  /** URL of the module that exports `openEngine`. */
  readonly module: string;
  /** Handed to `openEngine`. */
  readonly options: Readonly<Record<string, string>>;
}

export interface EngineModule {
  openEngine(options: Readonly<Record<string, string>>): Promise<Engine>;
}

const TEXT = 'x'.repeat(80);

/** The n-th job. */
export function jobData(n: number, at?: string): JobData {
  return at === undefined ? { n, text: TEXT } : { n, text: TEXT, at };
}

export const JOB_NAME = 'bench';
