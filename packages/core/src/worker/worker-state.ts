/**
 * What a worker does.
 *
 *     idle -run-> running <-pause/resume-> paused
 *       |pause ^-resume- (idle: nothing to resume)
 *       '-> held -resume-> idle, -run-> paused        held: paused before it ran
 *     idle | held | running | paused -close-> closing -end-> closed
 */
export type WorkerState = 'idle' | 'held' | 'running' | 'paused' | 'closing' | 'closed';
export type WorkerMove = 'run' | 'pause' | 'resume' | 'close' | 'end';

const MOVES: Readonly<Record<WorkerState, Partial<Readonly<Record<WorkerMove, WorkerState>>>>> = {
  idle: { run: 'running', pause: 'held', close: 'closing' },
  held: { run: 'paused', resume: 'idle', close: 'closing' },
  running: { pause: 'paused', close: 'closing' },
  paused: { resume: 'running', close: 'closing' },
  closing: { end: 'closed' },
  closed: {},
};

/** The state that follows; undefined when the move means nothing in this state. */
export function nextWorkerState(state: WorkerState, move: WorkerMove): WorkerState | undefined {
  return MOVES[state][move];
}
