import { ManualClock } from '@drover/core/kit';
import type { LastExit, SlotState } from '../protocol/index.js';
import { isSlotTransition, ObservedState } from './observed-state.js';

const STATES: readonly SlotState[] = ['booting', 'ready', 'draining', 'gone', 'parked'];
const exit: LastExit = {
  at: 0,
  code: 1,
  signal: null,
  class: 'abnormal',
  cause: 'crash',
  reason: 'boom',
  uptimeMs: 1,
  jobs: [],
  stderrTail: 'boom',
};

function ready(): ObservedState {
  const state = new ObservedState(new ManualClock());
  state.apply({ type: 'opened', slot: 0, generation: 1 });
  state.apply({ type: 'forked', slot: 0, incarnation: 'a', pid: 7, share: 1 });
  state.apply({ type: 'ready', slot: 0, incarnation: 'a' });
  return state;
}

test('a slot moves along the listed transitions and no others', () => {
  const allowed = STATES.flatMap((from) => STATES.filter((to) => isSlotTransition(from, to)).map((to) => `${from} ${to}`));
  expect(allowed).toEqual([
    'booting ready',
    'booting draining',
    'booting gone',
    'ready draining',
    'ready gone',
    'draining gone',
    'gone booting',
    'gone parked',
    'parked booting',
    'parked gone',
  ]);
});

test('facts of an incarnation that is not the current one change nothing', () => {
  const state = ready();
  state.apply({ type: 'exited', slot: 0, incarnation: 'a', exit });
  state.apply({ type: 'forked', slot: 0, incarnation: 'b', pid: 8, share: 1 });
  expect(state.apply({ type: 'ready', slot: 0, incarnation: 'a' })).toBe(false);
  expect(state.apply({ type: 'exited', slot: 0, incarnation: 'a', exit })).toBe(false);
  expect(state.slot(0)).toMatchObject({ state: 'booting', incarnation: 'b', pid: 8, restarts: 1 });
  expect(state.dropped).toBe(2);
});

test('a slot that was given up and is pardoned waits for its turn, without the error', () => {
  const state = ready();
  expect(state.apply({ type: 'pardoned', slot: 0 })).toBe(false);
  state.apply({ type: 'exited', slot: 0, incarnation: 'a', exit });
  state.apply({ type: 'parked', slot: 0, error: 'boom' });
  expect(state.slot(0)).toMatchObject({ state: 'parked', error: 'boom' });
  expect(state.apply({ type: 'pardoned', slot: 0 })).toBe(true);
  expect(state.slot(0)).toMatchObject({ state: 'gone', error: undefined });
});

test('a drain is never taken back', () => {
  const state = ready();
  state.apply({ type: 'draining', slot: 0, incarnation: 'a' });
  expect(state.apply({ type: 'ready', slot: 0, incarnation: 'a' })).toBe(false);
  expect(state.slot(0)?.state).toBe('draining');
});

test('the workers of a process that died are not observed any more', () => {
  const state = ready();
  const changes = [{ worker: 'mail#1', state: 'running', jobsInHand: 0, restarts: 0 }] as const;
  state.apply({ type: 'told', slot: 0, incarnation: 'a', changes });
  expect(state.workers.get('mail#1')).toMatchObject({ state: 'running', slot: 0 });
  state.apply({ type: 'exited', slot: 0, incarnation: 'a', exit });
  expect(state.workers.size).toBe(0);
  expect(state.crashes.last(0)).toBe(exit);
});

test('a process can tell only of workers that it was told to start', () => {
  const state = ready();
  state.apply({ type: 'opened', slot: 1, generation: 1 });
  state.apply({ type: 'forked', slot: 1, incarnation: 'b', pid: 8, share: 1 });
  const change = { worker: 'mail#1', state: 'starting', jobsInHand: 0, restarts: 0 } as const;
  state.apply({ type: 'told', slot: 0, incarnation: 'a', changes: [change] });
  state.apply({
    type: 'workers',
    slot: 1,
    incarnation: 'b',
    changes: [
      { ...change, state: 'gone' },
      { ...change, worker: 'mail#9' },
    ],
  });
  expect([...state.workers.keys()]).toEqual(['mail#1']);
  state.apply({ type: 'workers', slot: 0, incarnation: 'a', changes: [{ ...change, state: 'running' }] });
  expect(state.workers.get('mail#1')?.state).toBe('running');
});

test('a worker that left jobs behind drains on until they have settled', () => {
  const state = ready();
  const change = { worker: 'mail#1', state: 'gone', jobsInHand: 1, restarts: 0 } as const;
  const lingering = [{ queue: 'mail', jobId: '4', startedAt: 1 }];
  state.apply({ type: 'told', slot: 0, incarnation: 'a', changes: [{ ...change, state: 'draining' }] });
  state.apply({ type: 'workers', slot: 0, incarnation: 'a', changes: [{ ...change, lingering }] });
  expect(state.workers.get('mail#1')).toMatchObject({ state: 'draining', lingering });
  state.apply({ type: 'workers', slot: 0, incarnation: 'a', changes: [change] });
  expect(state.workers.size).toBe(0);
});

test('jobs in hand of a worker are those of the last heartbeat', () => {
  const state = ready();
  const changes = [{ worker: 'mail#1', state: 'running', jobsInHand: 0, restarts: 0 }] as const;
  state.apply({ type: 'told', slot: 0, incarnation: 'a', changes });
  const beat = {
    loopDelayP99Ms: 1,
    loopUtilization: 0.5,
    rssBytes: 1,
    heapUsedBytes: 1,
    cpuMs: 1,
    jobsInHand: 3,
    jobsCompleted: 0,
    jobsFailed: 0,
    workers: { 'mail#1': 3 },
  };
  state.apply({ type: 'heartbeat', slot: 0, incarnation: 'a', beat });
  expect(state.jobsInHand('mail#1')).toBe(3);
  expect(state.jobsInHand('mail#2')).toBe(0);
});

test('keeps the last 20 exits of a slot, and none of a number that was freed', () => {
  const state = new ObservedState(new ManualClock());
  state.apply({ type: 'opened', slot: 3, generation: 1 });
  for (let n = 0; n < 25; n++) {
    state.apply({ type: 'forked', slot: 3, incarnation: `i${n}`, pid: n, share: 1 });
    state.apply({ type: 'exited', slot: 3, incarnation: `i${n}`, exit: { ...exit, code: n } });
  }
  expect(state.crashes.of(3).map((past) => past.code)).toEqual(Array.from({ length: 20 }, (_, i) => i + 5));
  expect(state.slot(3)?.restarts).toBe(24);
  state.apply({ type: 'freed', slot: 3 });
  expect(state.crashes.of(3)).toEqual([]);
});
