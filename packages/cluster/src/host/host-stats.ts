import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { NewFact } from '../link/index.js';

export type HeartbeatFact = Extract<NewFact, { type: 'heartbeat' }>;
const NS_PER_MS = 1e6;
const US_PER_MS = 1e3;

/** Measures this process from one heartbeat to the next. Owns the delay histogram of the event loop. */
export class HostStats {
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });
  #utilization: EventLoopUtilization = performance.eventLoopUtilization();
  #seq = 0;

  start(): void {
    this.#delay.enable();
  }

  stop(): void {
    this.#delay.disable();
  }

  /** @param workers jobs in hand by worker. @param ended runs of jobs so far. */
  heartbeat(workers: Readonly<Record<string, number>>, ended: { readonly completed: number; readonly failed: number }): HeartbeatFact {
    const utilization = performance.eventLoopUtilization();
    const { rss, heapUsed } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const p99 = this.#delay.percentile(99) / NS_PER_MS;
    const fact: HeartbeatFact = {
      type: 'heartbeat',
      seq: ++this.#seq,
      loopDelayP99Ms: Number.isFinite(p99) ? p99 : 0,
      loopUtilization: performance.eventLoopUtilization(utilization, this.#utilization).utilization,
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      cpuMs: (user + system) / US_PER_MS,
      jobsInHand: Object.values(workers).reduce((sum, jobs) => sum + jobs, 0),
      jobsCompleted: ended.completed,
      jobsFailed: ended.failed,
      workers: { ...workers },
    };
    this.#delay.reset();
    this.#utilization = utilization;
    return fact;
  }
}
