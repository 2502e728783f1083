import type { Clock, Timer } from '@drover/core/kit';
import type { GroupConfig } from '../config/resolved.js';
import type { SlotView } from './observed-state.js';

const CHECK_MS = 1_000;
const DEFAULT_HANG_MS = 12_000;
/** Between the kill of a process that hangs and the moment at which another one could own its jobs. */
const MARGIN_MS = 2_000;

/**
 * How long a process may give no sign of life. A lock is renewed `renewMs` after the last time and runs out `lockMs` after it, so a
 * process that was last alive just before a renewal has `lockMs - renewMs` left.
 */
export function hangLimitMs(groups: readonly Pick<GroupConfig, 'lockMs' | 'renewMs'>[], heartbeatMs: number): number {
  const left = groups.map(({ lockMs, renewMs }) => lockMs - renewMs - MARGIN_MS);
  return Math.max(3 * heartbeatMs, Math.min(DEFAULT_HANG_MS, ...left));
}

/** `suspect` from a third of the limit on, `hung` at it. @param silentMs since the last heartbeat. */
export function judgeSilence(silentMs: number, limitMs: number): 'alive' | 'suspect' | 'hung' {
  if (silentMs >= limitMs) return 'hung';
  return silentMs >= limitMs / 3 ? 'suspect' : 'alive';
}

export interface MonitorDeps {
  readonly clock: Clock;
  readonly slots: () => readonly SlotView[];
  readonly kill: (slot: number, reason: string) => void;
}

/**
 * Kills processes whose heartbeats have stopped: stopped by a signal, swapped out, or blocked together with their own watchdog. When the
 * primary itself was held up, heartbeats wait unread, so silence is counted from its return. Owns one timer.
 */
export class HeartbeatMonitor {
  readonly #suspects = new Set<number>();
  #timer: Timer | undefined;
  #checkedAt: number;
  #resumedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly limitMs: number,
    private readonly deps: MonitorDeps,
  ) {
    this.#checkedAt = deps.clock.monotonic();
  }

  get suspects(): ReadonlySet<number> {
    return this.#suspects;
  }

  start(): void {
    this.#checkedAt = this.deps.clock.monotonic();
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer = this.deps.clock.setTimer(() => {
      this.#check(this.deps.clock.monotonic());
      this.#arm();
    }, CHECK_MS);
  }

  #check(now: number): void {
    if (now - this.#checkedAt > 2 * CHECK_MS) this.#resumedAt = now;
    this.#checkedAt = now;
    this.#suspects.clear();
    for (const { slot, state, seenAt } of this.deps.slots()) {
      if ((state !== 'ready' && state !== 'draining') || seenAt === undefined) continue;
      const silentMs = now - Math.max(seenAt, this.#resumedAt);
      const verdict = judgeSilence(silentMs, this.limitMs);
      if (verdict === 'alive') continue;
      this.#suspects.add(slot);
      if (verdict === 'hung') this.deps.kill(slot, `sent no heartbeat for ${Math.round(silentMs)} ms`);
    }
  }
}
