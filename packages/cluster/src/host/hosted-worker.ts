/** What a process needs of the engine: the classes of `@drover/core` have this shape, and `core-engine.ts` is where the compiler checks it. */
import type { Deadline, Logger } from '@drover/core/kit';
import type { ConnectionConfig, GroupConfig } from '../config/resolved.js';
import type { JobRef } from '../protocol/index.js';

export interface DrainOptions {
  /** Abort signals go out this long before the deadline. */
  readonly abortLeadMs: number;
  /** What becomes of a job that has not settled by then: back to wait, by a process that exits right after, or it goes on under its lock. */
  readonly onDeadline: 'return' | 'linger';
}

/** What became of the jobs in hand; `aborted` are among the returned. See the report of the protocol. */
export interface WorkerDrainReport {
  readonly finished: number;
  readonly aborted: number;
  readonly returned: readonly JobRef[];
  readonly lost: readonly JobRef[];
  readonly lingering: readonly JobRef[];
  /** Workers that had not closed at the deadline; see the report of the protocol. */
  readonly abandoned?: readonly string[];
}

/** A consumer of one queue. An end other than by `drain` or `close` is a crash or its own doing; the event `closed` tells. */
export interface HostedWorker {
  /** Resolves when it takes jobs. */
  waitUntilReady(): Promise<unknown>;
  /** The jobs in hand, lingering ones included. */
  hand(): readonly JobRef[];
  /** Takes no new job, finishes those in hand. A second call answers with the first report and may shorten the deadline. */
  drain(deadline: Deadline, options: DrainOptions): Promise<WorkerDrainReport>;
  close(force?: boolean): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'closed', listener: () => void): unknown;
  /** A run of a job ended; an attempt that failed tells, retried or not. */
  on(event: 'completed' | 'failed', listener: () => void): unknown;
}

/** What all workers of one Redis target share: connections, turn loop, lock renewal. It fails as one. */
export interface HostedRuntime {
  readonly state: 'offline' | 'running' | 'stopping' | 'stopped' | 'failed';
  /** Resolves when Redis answers. Rejects when it does not within a limit, and goes on trying all the same: the event `ready` tells. */
  start(): Promise<void>;
  stop(deadline: Deadline): Promise<void>;
  /** Stops fetching for all its workers, for good; resolves when no fetch is in flight. */
  quiesce(): Promise<void>;
  /** How many processes serve a queue, for the fair share of a short one. */
  setShare(queue: string, processes: number): void;
  on(event: 'ready', listener: () => void): unknown;
  /** A bug in one of its loops; it does not work any more. */
  on(event: 'failed' | 'error', listener: (error: Error) => void): unknown;
}

/** A processor as its module exports it: the engine calls it with a job. */
export type Processor = (...args: unknown[]) => unknown;

/** How workers and runtimes are made. */
export interface HostedEngine<Runtime extends HostedRuntime = HostedRuntime> {
  createRuntime(options: { readonly connection: ConnectionConfig; readonly incarnation: string; readonly logger: Logger }): Runtime;
  /** @param options `name` is the one its supervisor knows it by. */
  createWorker(options: {
    readonly name: string;
    readonly group: GroupConfig;
    readonly processor: Processor;
    readonly runtime: Runtime;
  }): HostedWorker;
}
