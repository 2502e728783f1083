import { backoffMs } from '@drover/core/kit';
import type { RestartType } from '../config/resolved.js';
import type { ChildExit } from './child-adapter.js';
import type { SupervisorFlags } from './child-spec.js';

/** What is known when a child has ended without being asked to by its supervisor. */
export interface EndedChild {
  readonly restart: RestartType;
  /** A start that failed is `abnormal`. */
  readonly exit: ChildExit;
  /** Failures in a row, this one included; see `failuresAfter`. */
  readonly failuresInRow: number;
  /** Children of the supervisor, this one included, and how many of the others are parked. */
  readonly children: number;
  readonly parked: number;
}

export type RestartDecision =
  | { readonly do: 'forget' }
  /** `restarts` is the window from now on. */
  | { readonly do: 'restart'; readonly delayMs: number; readonly restarts: readonly number[] }
  | { readonly do: 'park' }
  | { readonly do: 'escalate'; readonly because: 'intensity' | 'parked' };

/** The restarts that still count: those not older than the period, its end included. Newest first, monotonic ms. */
export function restartWindow(restarts: readonly number[], periodMs: number, nowMs: number): readonly number[] {
  return restarts.filter((at) => nowMs - at <= periodMs);
}

/**
 * Failures in a row after an end. A life of `resetAfterMs` ends the row; a planned end neither adds to it nor ends it.
 * @param livedMs since it became ready; undefined: it never did.
 */
export function failuresAfter(
  failuresInRow: number,
  exit: ChildExit,
  livedMs: number | undefined,
  flags: Pick<SupervisorFlags, 'resetAfterMs'>,
): number {
  if (livedMs !== undefined && livedMs >= flags.resetAfterMs) return 0;
  return exit.kind === 'planned' ? failuresInRow : failuresInRow + 1;
}

/**
 * What becomes of a child that ended unasked. OTP's rules (supervisor(3)) with two additions: restarts back off, and failures in a row
 * park a child, because a back-off can outrun any window. One window is shared by all children of a supervisor.
 * @param random 0 <= random < 1, for the jitter of the back-off.
 */
export function decideRestart(
  child: EndedChild,
  flags: SupervisorFlags,
  restarts: readonly number[],
  nowMs: number,
  random: number,
): RestartDecision {
  if (isOver(child)) return { do: 'forget' };
  if (child.exit.kind === 'planned') return { do: 'restart', delayMs: 0, restarts: restartWindow(restarts, flags.periodMs, nowMs) };
  const recent = [nowMs, ...restartWindow(restarts, flags.periodMs, nowMs)];
  if (recent.length > flags.intensity) return flags.onGiveUp === 'park' ? { do: 'park' } : { do: 'escalate', because: 'intensity' };
  if (child.failuresInRow < flags.maxConsecutiveFailures) {
    return { do: 'restart', delayMs: backoffMs(child.failuresInRow, flags.backoff, random), restarts: recent };
  }
  const isHalfParked = (child.parked + 1) * 2 >= child.children;
  return isHalfParked && flags.onGiveUp === 'escalate' ? { do: 'escalate', because: 'parked' } : { do: 'park' };
}

/** A temporary child is never started again, a transient one only after an abnormal end or to replace it as planned. */
function isOver({ restart, exit }: EndedChild): boolean {
  if (restart === 'temporary') return true;
  return restart === 'transient' && (exit.kind === 'normal' || exit.kind === 'shutdown');
}
