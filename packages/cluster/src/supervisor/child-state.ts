/**
 * The states of a child, as its supervisor sees it:
 *
 *     waiting    has no run: its turn has not come, or its back-off runs
 *     starting   the adapter was asked to start it and has not answered
 *     running    ready for its work
 *     stopping   asked to end (while it ran, or while it started); what follows is `gone`, or `waiting` for a restart
 *     parked     given up until someone acts
 *     gone       no longer a child of this supervisor; final
 */
export type ChildState = 'waiting' | 'starting' | 'running' | 'stopping' | 'parked' | 'gone';

const MAY_BECOME: Readonly<Record<ChildState, readonly ChildState[]>> = {
  waiting: ['starting', 'gone'],
  starting: ['running', 'stopping', 'waiting', 'parked', 'gone'],
  running: ['stopping', 'waiting', 'parked', 'gone'],
  stopping: ['waiting', 'gone'],
  parked: ['waiting', 'gone'],
  gone: [],
};

/**
 * @returns `to`, if a child may go there.
 * @throws Error when it may not: a bug of the supervisor, never of its children.
 */
export function moveChild(from: ChildState, to: ChildState): ChildState {
  if (!MAY_BECOME[from].includes(to)) throw new Error(`a child that is ${from} cannot become ${to}`);
  return to;
}
