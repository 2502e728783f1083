import type { SupervisorFlags } from './child-spec.js';
import type { ChildState } from './child-state.js';

/** What a plan needs to know of a child. */
export interface PlannedChild {
  readonly id: string;
  readonly state: ChildState;
}

/** Siblings to stop, last started first, and children to start again, in their order; the one that ended is among them. */
export interface RestartPlan {
  readonly stop: readonly string[];
  readonly start: readonly string[];
}

/**
 * Which siblings go down and come up again with a child that ended: none (`one_for_one`), those started after it (`rest_for_one`), or
 * all (`one_for_all`). A sibling that waits needs no stop, one that is parked, being stopped or gone is left alone.
 * @param inOrder all children of the supervisor in the order of their start.
 */
export function planRestart(strategy: SupervisorFlags['strategy'], endedId: string, inOrder: readonly PlannedChild[]): RestartPlan {
  const first = strategy === 'one_for_all' ? 0 : inOrder.findIndex((child) => child.id === endedId);
  const concerned = strategy === 'one_for_one' ? inOrder.slice(first, first + 1) : inOrder.slice(first);
  const restarted = concerned.filter(
    ({ id, state }) => id === endedId || state === 'running' || state === 'starting' || state === 'waiting',
  );
  const stop = restarted.filter(({ id, state }) => id !== endedId && state !== 'waiting');
  return { stop: stop.map(({ id }) => id).reverse(), start: restarted.map(({ id }) => id) };
}
