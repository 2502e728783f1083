import { ManualClock } from '@drover/core/kit';
import type { WorkerChange } from '../link/index.js';
import { WorkerChanges } from './worker-changes.js';

const change = (n: number, state: WorkerChange['state']): WorkerChange => ({ worker: `mail#${n}`, state, jobsInHand: 0, restarts: 0 });

test('changes of one turn are told together, the last of each worker, in the order of those', () => {
  const clock = new ManualClock();
  const told: WorkerChange[][] = [];
  const changes = new WorkerChanges(clock, (some) => told.push(some));
  changes.note(change(1, 'starting'));
  changes.note(change(2, 'starting'));
  changes.note(change(1, 'running'));
  expect(told).toEqual([]);
  clock.advance(0);
  expect(told).toEqual([[change(2, 'starting'), change(1, 'running')]]);
  changes.note(change(1, 'gone'));
  clock.advance(0);
  expect(told[1]).toEqual([change(1, 'gone')]);
});

test('a message carries 256 at most', () => {
  const clock = new ManualClock();
  const told: WorkerChange[][] = [];
  const changes = new WorkerChanges(clock, (some) => told.push(some));
  for (let n = 0; n < 600; n++) changes.note(change(n, 'running'));
  clock.advance(0);
  expect(told.map(({ length }) => length)).toEqual([256, 256, 88]);
});
