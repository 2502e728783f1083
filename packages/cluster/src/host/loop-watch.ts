/** When a process is suspected and when it is killed. Durations in ms. */
export interface WatchLimits {
  /** An event loop that stands still this long is killed. */
  readonly hangAfterMs: number;
  /** A process whose primary has gone is killed this long after, unless it has ended by itself. */
  readonly orphanDeadlineMs: number;
  /** Whether the stack of a loop that stands still is wanted. */
  readonly captureStack: boolean;
}

/** What the watchdog sees at one look. */
export interface Look {
  /** Monotonic ms. */
  readonly now: number;
  /** The counter of the loop. */
  readonly beats: number;
  /** It has booted: from then on it may hold locks. Before, its boot limit is the primary's business. */
  readonly isReady: boolean;
  /** Its parent is another one than at its start. */
  readonly isOrphan: boolean;
}

/** The loop moves again or still; it is late; it is late and its stack is wanted now; the process has to end. */
export type Verdict =
  | { readonly do: 'nothing' }
  | { readonly do: 'suspect' | 'capture'; readonly silentMs: number }
  | { readonly do: 'kill'; readonly reason: string };

/** What a capture may take, and what is left between its end and the kill: a suspended inspector can block for good. */
export const CAPTURE_MS = 1_000;
const AFTER_CAPTURE_MS = 1_000;

/**
 * The rules of the watchdog; its clock and its counter are the caller's. Silence is counted from the look at which the counter was last
 * seen to move, so a pause of the whole process (SIGSTOP) counts, too, also when the loop was quicker to move again than the watchdog to look.
 */
export class LoopWatch {
  #beats: number | undefined;
  #movedAt: number;
  #orphanAt: number | undefined;
  #wasSuspected = false;
  #wasCaptured = false;

  /** @param startedAt monotonic ms. */
  constructor(
    private readonly limits: WatchLimits,
    startedAt: number,
  ) {
    this.#movedAt = startedAt;
  }

  look({ now, beats, isReady, isOrphan }: Look): Verdict {
    const { hangAfterMs, orphanDeadlineMs, captureStack } = this.limits;
    const silentMs = now - this.#movedAt;
    if (isOrphan) this.#orphanAt ??= now;
    if (isReady && silentMs >= hangAfterMs) return { do: 'kill', reason: `its event loop stood still for ${Math.round(silentMs)} ms` };
    if (this.#orphanAt !== undefined && now - this.#orphanAt >= orphanDeadlineMs)
      return { do: 'kill', reason: `its primary was gone for ${Math.round(now - this.#orphanAt)} ms and it had not ended` };
    if (beats !== this.#beats || !isReady) return this.#moved(now, beats);
    if (silentMs >= hangAfterMs / 3 && !this.#wasSuspected) {
      this.#wasSuspected = true;
      return { do: 'suspect', silentMs };
    }
    if (captureStack && !this.#wasCaptured && silentMs >= hangAfterMs - CAPTURE_MS - AFTER_CAPTURE_MS) {
      this.#wasCaptured = true;
      return { do: 'capture', silentMs };
    }
    return { do: 'nothing' };
  }

  #moved(now: number, beats: number): Verdict {
    this.#beats = beats;
    this.#movedAt = now;
    this.#wasSuspected = false;
    this.#wasCaptured = false;
    return { do: 'nothing' };
  }
}
