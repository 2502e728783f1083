import { type ConnectionInput, type ProcessorFunction, Worker } from '@drover/core';
import { Runtime } from '@drover/core/runtime';
import type { HostedEngine } from './hosted-worker.js';

/**
 * The engine of `@drover/core`. Workers have no name of their own there: those with one do not share calls to Redis, and all workers of a
 * group in a process are to be one batch.
 */
export const coreEngine: HostedEngine<Runtime> = {
  createRuntime: ({ connection, incarnation, logger }) => new Runtime({ connection: connection as ConnectionInput, incarnation, logger }),

  createWorker: ({ group, processor, runtime }) =>
    new Worker(group.queue, processor as ProcessorFunction<unknown, unknown, string>, {
      runtime,
      prefix: group.prefix,
      concurrency: group.concurrency,
      lockDuration: group.lockMs,
      lockRenewTime: group.renewMs,
      stalledInterval: group.stalledIntervalMs,
      maxStalledCount: group.maxStalledCount,
      maxReturns: group.drain.maxReturns,
      onMaxReturns: group.drain.onMaxReturns,
      autorun: true,
    }),
};
