import { setImmediate as nextTurn } from 'node:timers/promises';
import { makeProcessor } from './processors.js';

/** Starts `count` jobs and notes in which order they end. */
function start(process: () => Promise<string>, first: number, count: number, ended: number[]): void {
  for (let n = first; n < first + count; n++) process().then(() => ended.push(n));
}

test('jobs in random order keep the places full less a batch, and the last of them end too', async () => {
  const { process } = makeProcessor({ kind: 'random-order', active: 1_000, jobs: 1_500 }, () => 0.5);
  const ended: number[] = [];
  start(process, 0, 1_000, ended);
  await nextTurn();
  expect(ended).toHaveLength(200);
  expect(ended).not.toEqual([...ended].sort((a, b) => a - b));
  start(process, 1_000, 200, ended);
  await nextTurn();
  expect(ended).toHaveLength(400);
  start(process, 1_200, 300, ended);
  await nextTurn();
  expect([...ended].sort((a, b) => a - b)).toEqual(Array.from({ length: 1_500 }, (_, n) => n));
});

test('held jobs end when they are released, and those that come later at once', async () => {
  const { process, release } = makeProcessor({ kind: 'held' });
  const ended: number[] = [];
  start(process, 0, 3, ended);
  await nextTurn();
  expect(ended).toEqual([]);
  release();
  start(process, 3, 1, ended);
  await nextTurn();
  expect(ended).toEqual([0, 1, 2, 3]);
});
