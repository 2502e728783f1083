import type { DrainConfig, GroupConfig } from '../config/resolved.js';
import type { StopMode } from '../protocol/index.js';

/** How long a stop may take, and when jobs are told: their abort signals go out `abortLeadMs` before `drainMs` has passed. */
export interface StopBudget {
  readonly mode: StopMode;
  readonly drainMs: number;
  readonly abortLeadMs: number;
}

/** `drain`: the configured deadline, or the one asked for; `fast`: abort signals at once; `now`: no time at all. */
export function stopBudget(mode: StopMode, drain: Pick<DrainConfig, 'deadlineMs' | 'abortLeadMs'>, drainMs = drain.deadlineMs): StopBudget {
  if (mode === 'now') return { mode, drainMs: 0, abortLeadMs: 0 };
  const abortLeadMs = Math.floor(Math.min(drain.abortLeadMs, drainMs)); // what is left of a deadline is no whole number; the engine wants one
  return mode === 'fast' ? { mode, drainMs: abortLeadMs, abortLeadMs } : { mode, drainMs, abortLeadMs };
}

/** How a process drains: it hosts workers of any group, so as the most patient group does. */
export function processDrain(groups: readonly Pick<GroupConfig, 'drain'>[]): Pick<DrainConfig, 'deadlineMs' | 'abortLeadMs'> {
  return {
    deadlineMs: Math.max(...groups.map(({ drain }) => drain.deadlineMs)),
    abortLeadMs: Math.max(...groups.map(({ drain }) => drain.abortLeadMs)),
  };
}

const SHARPNESS: Readonly<Record<StopMode, number>> = { drain: 0, fast: 1, now: 2 };

/** The sharper of two modes: a stop under way never becomes gentler. */
export function sharperMode(a: StopMode, b: StopMode): StopMode {
  return SHARPNESS[b] > SHARPNESS[a] ? b : a;
}
