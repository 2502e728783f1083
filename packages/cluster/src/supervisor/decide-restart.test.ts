import type { ChildExit } from './child-adapter.js';
import type { SupervisorFlags } from './child-spec.js';
import { decideRestart, failuresAfter, restartWindow } from './decide-restart.js';

const flags: SupervisorFlags = {
  intensity: 2,
  periodMs: 1_000,
  strategy: 'one_for_one',
  maxConsecutiveFailures: 3,
  resetAfterMs: 30_000,
  backoff: { firstMs: 0, baseMs: 250, factor: 2, capMs: 15_000, jitter: 'none' },
  onGiveUp: 'escalate',
};
const normal: ChildExit = { kind: 'normal' };
const shutdown: ChildExit = { kind: 'shutdown' };
const planned: ChildExit = { kind: 'planned' };
const crash: ChildExit = { kind: 'abnormal', error: new Error('boom') };

describe('decideRestart', () => {
  test.each([
    { name: 'a permanent child is restarted after a crash', restart: 'permanent', exit: crash, want: 'restart' },
    { name: 'a permanent child is restarted after a normal end', restart: 'permanent', exit: normal, want: 'restart' },
    { name: 'a permanent supervisor that gave up is restarted', restart: 'permanent', exit: shutdown, want: 'restart' },
    { name: 'a transient child is restarted after a crash', restart: 'transient', exit: crash, want: 'restart' },
    { name: 'a transient child that ended normally is forgotten', restart: 'transient', exit: normal, want: 'forget' },
    { name: 'a transient supervisor that gave up is forgotten', restart: 'transient', exit: shutdown, want: 'forget' },
    { name: 'a transient child is replaced after a planned end', restart: 'transient', exit: planned, want: 'restart' },
    { name: 'a temporary child is forgotten after a crash', restart: 'temporary', exit: crash, want: 'forget' },
    { name: 'a temporary child is not replaced after a planned end', restart: 'temporary', exit: planned, want: 'forget' },
  ] as const)('$name', ({ restart, exit, want }) => {
    expect(decideRestart({ restart, exit, failuresInRow: 1, children: 9, parked: 0 }, flags, [], 1_000, 0).do).toBe(want);
  });

  test.each([
    { name: 'a restart that reaches the intensity is allowed', restarts: [900], want: 'restart' },
    { name: 'one that exceeds it escalates', restarts: [900, 500], want: 'escalate' },
    { name: 'the end of the period still counts', restarts: [900, 0], want: 'escalate' },
    { name: 'a restart older than the period has aged out', restarts: [900, -1], want: 'restart' },
  ] as const)('$name', ({ restarts, want }) => {
    const decision = decideRestart(
      { restart: 'permanent', exit: crash, failuresInRow: 1, children: 9, parked: 0 },
      flags,
      restarts,
      1_000,
      0,
    );
    expect(decision.do).toBe(want);
  });

  test.each([
    { name: 'too many failures in a row park', failuresInRow: 3, children: 9, parked: 0, onGiveUp: 'escalate', want: 'park' },
    { name: 'one failure less does not', failuresInRow: 2, children: 9, parked: 0, onGiveUp: 'escalate', want: 'restart' },
    {
      name: 'less than half of the children parked is borne',
      failuresInRow: 3,
      children: 5,
      parked: 1,
      onGiveUp: 'escalate',
      want: 'park',
    },
    { name: 'half of them parked escalates', failuresInRow: 3, children: 4, parked: 1, onGiveUp: 'escalate', want: 'escalate' },
    {
      name: 'an only child that would be parked escalates',
      failuresInRow: 3,
      children: 1,
      parked: 0,
      onGiveUp: 'escalate',
      want: 'escalate',
    },
    { name: 'half of them parked is borne when told to park', failuresInRow: 3, children: 4, parked: 1, onGiveUp: 'park', want: 'park' },
  ] as const)('$name', ({ onGiveUp, want, ...child }) => {
    const decision = decideRestart({ restart: 'permanent', exit: crash, ...child }, { ...flags, onGiveUp }, [], 1_000, 0);
    expect(decision.do).toBe(want);
  });

  test('told to park, the child that exceeds the intensity is parked', () => {
    const child = { restart: 'permanent', exit: crash, failuresInRow: 1, children: 9, parked: 0 } as const;
    expect(decideRestart(child, { ...flags, onGiveUp: 'park' }, [900, 500], 1_000, 0)).toEqual({ do: 'park' });
  });

  test('a planned end is replaced at once and does not enter the window', () => {
    const child = { restart: 'permanent', exit: planned, failuresInRow: 2, children: 9, parked: 0 } as const;
    expect(decideRestart(child, flags, [900, 500, -1], 1_000, 0)).toEqual({ do: 'restart', delayMs: 0, restarts: [900, 500] });
  });

  test.each([
    { failuresInRow: 0, random: 0.5, want: 0 },
    { failuresInRow: 1, random: 0.5, want: 0 },
    { failuresInRow: 2, random: 0.5, want: 125 },
    { failuresInRow: 3, random: 0.5, want: 250 },
    { failuresInRow: 8, random: 0.5, want: 7_500 },
    { failuresInRow: 50, random: 0.5, want: 7_500 },
  ])('after $failuresInRow failures in a row the wait is $want ms at a jitter of $random', ({ failuresInRow, random, want }) => {
    const patient: SupervisorFlags = { ...flags, maxConsecutiveFailures: 100, backoff: { ...flags.backoff, jitter: 'full' } };
    const child = { restart: 'permanent', exit: crash, failuresInRow, children: 9, parked: 0 } as const;
    expect(decideRestart(child, patient, [], 1_000, random)).toEqual({ do: 'restart', delayMs: want, restarts: [1_000] });
  });
});

describe('failuresAfter', () => {
  test.each([
    { name: 'an end before it was ready is a failure', exit: crash, livedMs: undefined, want: 3 },
    { name: 'an end before resetAfter is a failure', exit: crash, livedMs: 29_999, want: 3 },
    { name: 'a normal end before resetAfter is one, too', exit: normal, livedMs: 10, want: 3 },
    { name: 'an end after resetAfter of life ends the row', exit: crash, livedMs: 30_000, want: 0 },
    { name: 'a planned end changes nothing', exit: planned, livedMs: 10, want: 2 },
    { name: 'a planned end after resetAfter of life ends the row', exit: planned, livedMs: 30_000, want: 0 },
  ])('$name', ({ exit, livedMs, want }) => {
    expect(failuresAfter(2, exit, livedMs, flags)).toBe(want);
  });
});

test('restartWindow keeps what is not older than the period', () => {
  expect(restartWindow([1_000, 1, 0, -1], 1_000, 1_000)).toEqual([1_000, 1, 0]);
});
