import { setImmediate as turn } from 'node:timers/promises';
import type { WorkerChange } from '../link/index.js';
import { WorkerChanges } from './worker-changes.js';

const change = (n: number, state: WorkerChange['state']): WorkerChange => ({ worker: `mail#${n}`, state, jobsInHand: 0, restarts: 0 });

test('changes of one turn are told together, the last of each worker, in the order of those', async () => {
  const told: WorkerChange[][] = [];
  const changes = new WorkerChanges((some) => told.push(some));
  changes.note(change(1, 'starting'));
  changes.note(change(2, 'starting'));
  changes.note(change(1, 'running'));
  expect(told).toEqual([]);
  await turn();
  expect(told).toEqual([[change(2, 'starting'), change(1, 'running')]]);
  changes.note(change(1, 'gone'));
  await turn();
  expect(told[1]).toEqual([change(1, 'gone')]);
});

test('a message carries 256 at most', async () => {
  const told: WorkerChange[][] = [];
  const changes = new WorkerChanges((some) => told.push(some));
  for (let n = 0; n < 600; n++) changes.note(change(n, 'running'));
  await turn();
  expect(told.map(({ length }) => length)).toEqual([256, 256, 88]);
});
