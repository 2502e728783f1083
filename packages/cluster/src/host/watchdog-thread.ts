/**
 * The thread that looks at the event loop of its process (see `watchdog.ts`). The main thread's console, channel and timers do nothing
 * while the loop stands still, so this file uses none of them: it writes with `fs.writeSync` and kills with a signal.
 */
import { writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { workerData } from 'node:worker_threads';
import type { WatchdogReport } from '../link/index.js';
import { CAPTURE_MS, LoopWatch } from './loop-watch.js';
import { StackProbe } from './stack-probe.js';
import type { WatchdogThreadData } from './watchdog.js';
import { WatchdogMemory } from './watchdog-memory.js';

const LOOK_MS = 100;
const STDERR = 2;

const { memory: buffer, limits, parentPid, incarnation, reportFd } = workerData as WatchdogThreadData;
const memory = new WatchdogMemory(buffer);
const watch = new LoopWatch(limits, performance.now());
const probe = limits.captureStack ? new StackProbe() : undefined;

setInterval(look, LOOK_MS);

function look(): void {
  const isOrphan = process.ppid !== parentPid;
  const verdict = watch.look({ now: performance.now(), beats: memory.beats, isReady: memory.isReady, isOrphan });
  if (verdict.do === 'suspect') report({ inc: incarnation, type: 'suspect', silentMs: Math.round(verdict.silentMs) });
  if (verdict.do === 'capture') void capture(verdict.silentMs);
  if (verdict.do === 'kill') {
    report({ inc: incarnation, type: 'killed', reason: verdict.reason });
    process.kill(process.pid, 'SIGKILL');
  }
}

async function capture(silentMs: number): Promise<void> {
  const stack = await probe?.capture(CAPTURE_MS);
  write(STDERR, `the event loop has been standing still for ${Math.round(silentMs)} ms${stack ? `, in\n${stack}` : '; no stack came'}\n`);
}

function report(what: WatchdogReport): void {
  if (reportFd !== undefined) write(reportFd, `${JSON.stringify(what)}\n`);
}

/** What cannot be written must not keep the process alive: its pipe is full or broken, and the primary counts heartbeats, too. */
function write(fd: number, text: string): void {
  try {
    writeSync(fd, text);
  } catch (error) {
    if (!['EPIPE', 'EAGAIN', 'EBADF'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
