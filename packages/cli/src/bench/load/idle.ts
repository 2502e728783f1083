import { createHook } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, StartedWorkers } from '../engine.js';
import type { Performer } from './performer.js';
import { type LoadPlan, nowMs, type Role } from './protocol.js';

/**
 * Starts one worker, then all the others, and tells what each of the others costs. Heap and sockets are counted in one process, timers
 * in another: the hook that counts them makes promises larger.
 */
export async function idle(engine: Engine, plan: LoadPlan, role: Extract<Role, { role: 'idle' }>, performer: Performer): Promise<void> {
  const timers = role.track === 'timers' ? trackTimers() : new Set<number>();
  const first = await start(engine, plan, 1, performer);
  await performer.readyToGo();
  const before = await look(timers, role.settleMs);
  const cpu = process.cpuUsage();
  const startedAt = nowMs();
  const others = await start(engine, plan, role.workers - 1, performer);
  const lastAt = nowMs();
  const { user, system } = process.cpuUsage(cpu);
  const after = await look(timers, role.settleMs);
  performer.progress(1);
  await performer.stopped;
  const closesAt = nowMs();
  await Promise.all([first.close(), others.close()]);
  const each = (key: keyof Look) => (after[key] - before[key]) / (role.workers - 1);
  const figures = { startMs: lastAt - startedAt, stopMs: nowMs() - closesAt };
  await performer.done({
    startedAt,
    lastAt,
    cpuUs: user + system,
    figures:
      role.track === 'timers'
        ? { timersPerWorker: each('timers') }
        : { ...figures, heapBytesPerWorker: each('heapBytes'), socketsPerWorker: each('sockets') },
  });
}

async function start(engine: Engine, { target, queues }: LoadPlan, workers: number, { fail }: Performer): Promise<StartedWorkers> {
  const process = async () => 'ok';
  const started = await engine.startWorkers({ target, queues, workers, concurrency: 1, process, onCompleted: () => {}, onError: fail });
  started.run();
  return started;
}

interface Look {
  readonly heapBytes: number;
  readonly sockets: number;
  readonly timers: number;
}

async function look(timers: ReadonlySet<number>, settleMs: number): Promise<Look> {
  await sleep(settleMs); // handshakes, first turns
  for (let times = 0; times < 3; times++) globalThis.gc?.();
  const sockets = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  return { heapBytes: process.memoryUsage().heapUsed, sockets, timers: timers.size };
}

/** Ids of the timers that are set, also of those that do not keep the process alive. */
function trackTimers(): ReadonlySet<number> {
  const set = new Set<number>();
  createHook({
    init: (id, type) => {
      if (type === 'Timeout') set.add(id);
    },
    destroy: (id) => {
      set.delete(id);
    },
  }).enable();
  return set;
}
