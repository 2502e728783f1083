import { nextWorkerState, type WorkerMove, type WorkerState } from './worker-state.js';

test.each<[WorkerState, WorkerMove[], WorkerState]>([
  ['idle', ['run'], 'running'],
  ['idle', ['run', 'pause', 'resume'], 'running'],
  ['idle', ['pause', 'run'], 'paused'],
  ['idle', ['pause', 'resume', 'run'], 'running'],
  ['idle', ['close', 'end'], 'closed'],
  ['idle', ['run', 'pause', 'close', 'end'], 'closed'],
])('from %s by %j to %s', (from, moves, to) => {
  expect(moves.reduce<WorkerState | undefined>((state, move) => state && nextWorkerState(state, move), from)).toBe(to);
});

test.each<[WorkerState, WorkerMove]>([
  ['running', 'run'],
  ['running', 'resume'],
  ['paused', 'pause'],
  ['closing', 'resume'],
  ['closing', 'run'],
  ['closed', 'close'],
  ['running', 'end'],
])('%s cannot %s', (state, move) => {
  expect(nextWorkerState(state, move)).toBeUndefined();
});
