import { setImmediate as nextTurn } from 'node:timers/promises';
import { newJob } from '../job/index.js';
import { queueRef } from '../keys/queue-keys.js';
import { ManualClock } from '../kit/index.js';
import { AddGatherer } from './add-gatherer.js';
import { type AddCall, chunkJobs } from './producer-store.js';

const job = (name: string, data: unknown = {}) => newJob(name, data, {}, {}, 1);

test('adds of one turn leave together, one call per queue, and each caller gets its own answer', async () => {
  const calls: (readonly AddCall[])[] = [];
  const gatherer = new AddGatherer(
    {
      addAll: async (adds) => {
        calls.push(adds);
        return adds.map(({ queue, jobs }) => jobs.map(({ name }) => (name === 'bad' ? new Error('refused') : `${queue.name}-${name}`)));
      },
    },
    new ManualClock(5),
  );
  const [a, b] = [queueRef('a'), queueRef('b')];
  const results = await Promise.allSettled([
    gatherer.add(a, job('1')),
    gatherer.add(b, job('1')),
    gatherer.add(a, job('bad')),
    gatherer.add(a, job('2')),
  ]);
  expect(results.map((result) => (result.status === 'fulfilled' ? result.value : String(result.reason)))).toEqual([
    'a-1',
    'b-1',
    'Error: refused',
    'a-2',
  ]);
  expect(calls.map((adds) => adds.map(({ queue, jobs, now }) => [queue.name, jobs.length, now]))).toEqual([
    [
      ['a', 3, 5],
      ['b', 1, 5],
    ],
  ]);
  await nextTurn();
  await gatherer.add(a, job('3'));
  expect(calls.length).toBe(2);
});

test('a call that is lost is the error of all its callers', async () => {
  const gatherer = new AddGatherer({ addAll: () => Promise.reject(new Error('gone')) }, new ManualClock());
  const results = await Promise.allSettled([gatherer.add(queueRef('a'), job('1')), gatherer.add(queueRef('b'), job('1'))]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

test('calls hold at most 500 jobs and about 1 MiB; a larger job goes alone', () => {
  expect(chunkJobs(Array.from({ length: 1_001 }, () => job('n'))).map(({ length }) => length)).toEqual([500, 500, 1]);
  const half = job('n', 'x'.repeat(500_000));
  const huge = job('n', 'x'.repeat(3_000_000));
  expect(chunkJobs([half, half, half, huge, half]).map(({ length }) => length)).toEqual([2, 1, 1, 1]);
  expect(chunkJobs([])).toEqual([]);
});
