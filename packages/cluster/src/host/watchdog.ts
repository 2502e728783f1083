/**
 * The loop's side of the watchdog: it moves a counter, and a thread kills the process when the counter stands still for `hangAfter`. That
 * is early enough that no lock of the process has run out. Should the loop come back after the limit before the thread has acted (the
 * whole process was stopped, or the thread is dead), it ends the process itself: its locks may be lost.
 */
import { Worker } from 'node:worker_threads';
import { type Clock, messageOf } from '@drover/core/kit';
import type { HealthConfig } from '../config/resolved.js';
import { ExitCode } from '../errors/errors.js';
import type { WatchLimits } from './loop-watch.js';
import { WatchdogMemory } from './watchdog-memory.js';

/** How often the loop moves its counter. */
export const BEAT_MS = 250;
/** What a thread that looks and, at most, formats one stack needs. */
const THREAD_MEMORY = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };

/** What the thread is started with. */
export interface WatchdogThreadData {
  readonly memory: SharedArrayBuffer;
  readonly limits: WatchLimits;
  readonly parentPid: number;
  readonly incarnation: string;
  /** The pipe on which the thread speaks to the primary; undefined: nobody listens. */
  readonly reportFd: number | undefined;
}

/** What a process knows of its watchdog. */
export interface HostWatchdog {
  /** From now on the process is killed when its primary has been gone for longer than the deadline of orphans. */
  start(health: HealthConfig): void;
  /** It has booted: from now on it is killed when its loop stands still. */
  arm(): void;
}

export interface WatchdogDeps {
  readonly clock: Clock;
  readonly parentPid: number;
  readonly incarnation: string;
  readonly reportFd: number | undefined;
  readonly writeError: (text: string) => void;
  readonly exit: (code: ExitCode) => void;
}

/** Owns the counter, the timer that moves it, and the thread that reads it. */
export class Watchdog implements HostWatchdog {
  readonly #memory = new WatchdogMemory();
  #hangAfterMs = Number.POSITIVE_INFINITY;
  #beatAt = 0;

  constructor(private readonly deps: WatchdogDeps) {}

  start({ hangAfterMs, orphanDeadlineMs, captureStack }: HealthConfig): void {
    this.#hangAfterMs = hangAfterMs;
    this.#beatAt = this.deps.clock.monotonic();
    const { parentPid, incarnation, reportFd } = this.deps;
    const limits = { hangAfterMs, orphanDeadlineMs, captureStack };
    const workerData: WatchdogThreadData = { memory: this.#memory.buffer, limits, parentPid, incarnation, reportFd };
    const entry = new URL('./watchdog-thread.js', import.meta.url);
    const thread = new Worker(entry, { workerData, execArgv: [], env: {}, resourceLimits: THREAD_MEMORY, name: 'watchdog' });
    thread.unref();
    thread.on('error', (error) => this.#onThreadLost(messageOf(error)));
    this.#beat();
  }

  arm(): void {
    this.#beatAt = this.deps.clock.monotonic();
    this.#memory.beat();
    this.#memory.setReady();
  }

  #beat(): void {
    const now = this.deps.clock.monotonic();
    const silentMs = now - this.#beatAt;
    if (this.#memory.isReady && silentMs >= this.#hangAfterMs) {
      this.deps.writeError(`the event loop stood still for ${Math.round(silentMs)} ms: its locks may be lost, so the process ends\n`);
      this.deps.exit(ExitCode.watchdog);
      return;
    }
    this.#beatAt = now;
    this.#memory.beat();
    this.deps.clock.setTimer(() => this.#beat(), BEAT_MS);
  }

  /** The primary still counts missed heartbeats. */
  #onThreadLost(reason: string): void {
    this.deps.writeError(`the watchdog thread has ended: ${reason}; a blocked event loop is left to the primary\n`);
  }
}
