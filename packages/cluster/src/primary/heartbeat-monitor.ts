import type { Clock, Timer } from '@drover/core/kit';
import type { HealthConfig } from '../config/resolved.js';
import type { SlotView } from './observed-state.js';

const CHECK_MS = 250;
/** Longest head start of the watchdog in the process: its margin leaves room for that, and for a check that comes late. */
const HEAD_START_MS = 1_000;

/**
 * How long the heartbeats of a process may be missing. The last one is up to a heartbeat older than the moment at which the loop stopped,
 * and the watchdog, which can say more of it, goes first. At most `hangAfter` + 1.25 s after that moment the process is killed from here.
 */
export function silenceLimitMs({ hangAfterMs, heartbeatMs }: Pick<HealthConfig, 'hangAfterMs' | 'heartbeatMs'>): number {
  return hangAfterMs + Math.min(heartbeatMs, HEAD_START_MS);
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
  /** Called once for each time that a process goes silent. */
  readonly onSuspect: (slot: number, silentMs: number) => void;
}

/**
 * Kills processes whose heartbeats have stopped: stopped by a signal, swapped out, or blocked together with their own watchdog. When the
 * primary itself was held up, heartbeats wait unread, so silence is counted from its return. Owns one timer.
 */
export class HeartbeatMonitor {
  /** Until the next heartbeat. */
  readonly #suspects = new Set<number>();
  /** What watchdogs said, by slot: when. */
  readonly #reported = new Map<number, number>();
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

  /** The watchdog of a process says that its loop stands still. */
  report(slot: number, silentMs: number): void {
    this.#reported.set(slot, this.deps.clock.monotonic());
    this.#suspect(slot, silentMs);
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
    const slots = this.deps.slots();
    const known = new Set(slots.map(({ slot }) => slot));
    for (const slot of this.#suspects) if (!known.has(slot)) this.#clear(slot);
    for (const slot of slots) this.#checkSlot(slot, now);
  }

  #checkSlot({ slot, state, seenAt }: SlotView, now: number): void {
    if ((state !== 'ready' && state !== 'draining') || seenAt === undefined) {
      this.#clear(slot);
      return;
    }
    const silentMs = now - Math.max(seenAt, this.#resumedAt);
    const verdict = judgeSilence(silentMs, this.limitMs);
    if (verdict === 'alive') {
      if (seenAt >= (this.#reported.get(slot) ?? Number.NEGATIVE_INFINITY)) this.#clear(slot);
      return;
    }
    this.#suspect(slot, silentMs);
    if (verdict === 'hung') this.deps.kill(slot, `sent no heartbeat for ${Math.round(silentMs)} ms`);
  }

  #suspect(slot: number, silentMs: number): void {
    if (this.#suspects.has(slot)) return;
    this.#suspects.add(slot);
    this.deps.onSuspect(slot, silentMs);
  }

  #clear(slot: number): void {
    this.#suspects.delete(slot);
    this.#reported.delete(slot);
  }
}
