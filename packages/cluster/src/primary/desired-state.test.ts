import { DesiredState, type PickVictims } from './desired-state.js';
import { groupConfig } from './testing/group-config.js';

const oldest: PickVictims = (workers, count) => workers.slice(0, count).map((worker) => worker.worker);
const names = (state: DesiredState) => state.workers().map((worker) => worker.worker);

describe('DesiredState', () => {
  test('names rise and are never used twice', () => {
    const state = new DesiredState([groupConfig('mail')], { maxWorkersHard: 100 });
    state.grow('mail', 2);
    state.shrink('mail', 2, oldest);
    state.grow('mail', 1);
    expect(names(state)).toEqual(['mail#3']);
  });

  test.each([
    { name: 'grow within the maximum', does: 'grow', count: 2, want: { requested: 2, applied: 2, desired: 5 } },
    { name: 'grow beyond the maximum', does: 'grow', count: 9, want: { requested: 9, applied: 3, desired: 6, reason: 'at_max' } },
    { name: 'shrink beyond the minimum', does: 'shrink', count: 10, want: { requested: 10, applied: 2, desired: 1, reason: 'at_min' } },
    { name: 'resize beyond the maximum', does: 'resize', count: 50, want: { requested: 50, applied: 6, desired: 6, reason: 'at_max' } },
    { name: 'resize below the minimum', does: 'resize', count: 0, want: { requested: 0, applied: 1, desired: 1, reason: 'at_min' } },
    { name: 'resize to the present size', does: 'resize', count: 3, want: { requested: 3, applied: 3, desired: 3 } },
  ] as const)('$name', ({ does, count, want }) => {
    const state = new DesiredState([groupConfig('mail', { min: 1, max: 6 })], { maxWorkersHard: 100 });
    state.grow('mail', 3);
    const change = does === 'grow' ? state.grow('mail', count) : state[does]('mail', count, oldest);
    const { group: _group, workers: _workers, ...rest } = change;
    expect(rest).toEqual(want);
  });

  test('the hard ceiling holds over all groups, and the reply says so', () => {
    const state = new DesiredState([groupConfig('mail', { max: 10 }), groupConfig('pdf', { max: 10 })], { maxWorkersHard: 10 });
    state.grow('mail', 7);
    expect(state.grow('pdf', 5)).toMatchObject({ applied: 3, desired: 3, reason: 'hard_ceiling' });
    expect(state.total).toBe(10);
  });

  test('every change raises the version, a clamped one that changes nothing does not', () => {
    const state = new DesiredState([groupConfig('mail', { max: 1 })], { maxWorkersHard: 10 });
    const before = state.version;
    state.grow('mail', 1);
    expect(state.version).toBe(before + 1);
    state.grow('mail', 1);
    expect(state.version).toBe(before + 1);
  });

  test('a worker that is not started again is not desired any more', () => {
    const state = new DesiredState([groupConfig('mail', { min: 1 })], { maxWorkersHard: 10 });
    state.grow('mail', 1);
    state.forget('mail#1');
    state.forget('mail#1');
    expect(state.size('mail')).toBe(0);
    expect(state.total).toBe(0);
  });

  test('remembers how long a worker may drain until it is gone', () => {
    const state = new DesiredState([groupConfig('mail')], { maxWorkersHard: 10 });
    state.grow('mail', 2);
    state.shrink('mail', 1, oldest, 5);
    state.shrink('mail', 1, oldest);
    expect([state.drainMsOf('mail#1'), state.drainMsOf('mail#2')]).toEqual([5, 25_000]);
    state.sweep((worker) => worker === 'mail#2');
    expect([state.drainMsOf('mail#1'), state.drainMsOf('mail#2')]).toEqual([undefined, 25_000]);
  });
});
