import type { GroupConfig, HealthConfig } from './resolved.js';

/** Between the kill of a process that hangs and the moment at which another one could own its jobs. */
export const HANG_MARGIN_MS = 2_000;
const DEFAULT_HANG_MS = 12_000;
/** A shorter pause is not worth a process: garbage collection and a busy machine cause those. */
const MIN_HANG_MS = 1_000;
/** With fewer than three heartbeats in `hangAfter`, one that is late would cost a process. */
const HEARTBEATS = 3;
const DEFAULT_HEARTBEAT_MS = 1_000;
/** The shortest limit that leaves time for a stack: see `loop-watch.ts`. */
export const MIN_CAPTURE_HANG_MS = 3_000;

/** What the configuration says of hangs. */
export interface HangInput {
  readonly hangAfter?: number | false | undefined;
  readonly heartbeat?: number | undefined;
  readonly captureStack?: boolean | undefined;
}

export type HangLimit = Pick<HealthConfig, 'hangAfterMs' | 'heartbeatMs' | 'captureStack'>;
export type LockTimes = Pick<GroupConfig, 'group' | 'lockMs' | 'renewMs'>;

/**
 * How long an event loop may stand still. A lock is renewed `renewMs` after the last time and runs out `lockMs` after it, so a process
 * that stopped just before a renewal has `lockMs - renewMs` left, and has to be dead 2 s before that. Unset, it is 12 s or what the locks allow.
 * @returns what is wrong, by path of the bad key, when it cannot be kept.
 */
export function hangLimit(input: HangInput, groups: readonly LockTimes[]): HangLimit | { readonly path: string; readonly problem: string } {
  if (input.hangAfter === false) {
    const problem = 'is false, which only a group with processes of its own could have; all groups share processes here: set a duration';
    return { path: 'health.hangAfter', problem };
  }
  const tightest = groups.reduce((least, group) => (leftOf(group) < leftOf(least) ? group : least));
  const most = leftOf(tightest) - HANG_MARGIN_MS;
  const locks = `group ${tightest.group} has lockDuration ${tightest.lockMs} ms and lockRenewTime ${tightest.renewMs} ms`;
  if (most < MIN_HANG_MS) {
    const needed = HANG_MARGIN_MS + MIN_HANG_MS;
    const problem = `is ${tightest.lockMs} ms and lockRenewTime ${tightest.renewMs} ms: between them there must be ${needed} ms, so that a process that hangs is dead before its locks run out; set lockDuration to ${tightest.renewMs + needed} ms or more`;
    return { path: `groups.${tightest.group}.lockDuration`, problem };
  }
  const hangAfterMs = input.hangAfter ?? Math.min(DEFAULT_HANG_MS, most);
  if (hangAfterMs > most) {
    const problem = `is ${hangAfterMs} ms: ${locks}, so a process that hangs must be killed after ${most} ms at most (lockDuration - lockRenewTime - ${HANG_MARGIN_MS} ms); lower hangAfter or raise lockDuration`;
    return { path: 'health.hangAfter', problem };
  }
  if (hangAfterMs < MIN_HANG_MS)
    return { path: 'health.hangAfter', problem: `is ${hangAfterMs} ms: it must be at least ${MIN_HANG_MS} ms` };
  const longest = Math.floor(hangAfterMs / HEARTBEATS);
  const heartbeatMs = input.heartbeat ?? Math.min(DEFAULT_HEARTBEAT_MS, longest);
  if (heartbeatMs > longest)
    return {
      path: 'health.heartbeat',
      problem: `is ${heartbeatMs} ms: with a hangAfter of ${hangAfterMs} ms it must be at most ${longest} ms`,
    };
  const captureStack = input.captureStack ?? false;
  if (captureStack && hangAfterMs < MIN_CAPTURE_HANG_MS)
    return {
      path: 'health.captureStack',
      problem: `needs a hangAfter of at least ${MIN_CAPTURE_HANG_MS} ms, and that is ${hangAfterMs} ms`,
    };
  return { hangAfterMs, heartbeatMs, captureStack };
}

function leftOf({ lockMs, renewMs }: LockTimes): number {
  return lockMs - renewMs;
}
