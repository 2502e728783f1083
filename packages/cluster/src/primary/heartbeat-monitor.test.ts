import { ManualClock } from '@drover/core/kit';
import { HeartbeatMonitor, judgeSilence, silenceLimitMs } from './heartbeat-monitor.js';
import type { SlotView } from './observed-state.js';

test.each([
  { name: 'the watchdog has a second of head start', health: { hangAfterMs: 12_000, heartbeatMs: 4_000 }, want: 13_000 },
  { name: 'and a heartbeat where that is shorter', health: { hangAfterMs: 1_000, heartbeatMs: 333 }, want: 1_333 },
])('$name', ({ health, want }) => {
  expect(silenceLimitMs(health)).toBe(want);
});

test('suspect from a third of the limit on', () => {
  expect([3_999, 4_000, 11_999, 12_000].map((silent) => judgeSilence(silent, 12_000))).toEqual(['alive', 'suspect', 'suspect', 'hung']);
});

function monitor(slots: readonly Partial<SlotView>[]) {
  const clock = new ManualClock();
  const killed: number[] = [];
  const suspected: number[] = [];
  const deps = {
    clock,
    slots: () => slots as readonly SlotView[],
    kill: (slot: number) => void killed.push(slot),
    onSuspect: (slot: number) => void suspected.push(slot),
  };
  const made = new HeartbeatMonitor(12_000, deps);
  made.start();
  return { clock, killed, suspected, monitor: made };
}

test('a silent process is suspected, then killed; one that boots has its own limit', () => {
  const {
    clock,
    killed,
    monitor: watched,
  } = monitor([
    { slot: 0, state: 'ready', seenAt: 0 },
    { slot: 1, state: 'booting', seenAt: 0 },
  ]);
  for (let s = 0; s < 11; s++) clock.advance(1_000);
  expect([...watched.suspects]).toEqual([0]);
  expect(killed).toEqual([]);
  clock.advance(1_000);
  expect(killed).toEqual([0]);
});

test('time in which the primary itself stood still is not held against a process', () => {
  const clock = new ManualClock();
  let skew = 0;
  const frozen = { now: () => clock.now() + skew, monotonic: () => clock.monotonic() + skew, setTimer: clock.setTimer.bind(clock) };
  const killed: number[] = [];
  const slots = [{ slot: 0, state: 'ready', seenAt: 0 }] as unknown as readonly SlotView[];
  const deps = { clock: frozen, slots: () => slots, kill: (slot: number) => void killed.push(slot), onSuspect: () => undefined };
  new HeartbeatMonitor(12_000, deps).start();
  skew = 60_000;
  clock.advance(1_000);
  expect(killed).toEqual([]);
  for (let s = 0; s < 12; s++) clock.advance(1_000);
  expect(killed).toContain(0);
});

test('a process is suspected once for each silence, and no longer when its heartbeats are back', () => {
  const slot = { slot: 0, state: 'ready', seenAt: 0 };
  const { clock, suspected, monitor: watched } = monitor([slot as SlotView]);
  for (let s = 0; s < 6; s++) clock.advance(1_000);
  expect([suspected, [...watched.suspects]]).toEqual([[0], [0]]);
  slot.seenAt = clock.monotonic();
  clock.advance(1_000);
  expect([...watched.suspects]).toEqual([]);
  for (let s = 0; s < 6; s++) clock.advance(1_000);
  expect(suspected).toEqual([0, 0]);
});

test('what a watchdog says counts until the next heartbeat', () => {
  const slot = { slot: 0, state: 'ready', seenAt: 0 };
  const { clock, suspected, monitor: watched } = monitor([slot as SlotView]);
  clock.advance(1_000);
  watched.report(0, 900);
  clock.advance(1_000);
  expect([suspected, [...watched.suspects]]).toEqual([[0], [0]]);
  slot.seenAt = clock.monotonic();
  clock.advance(1_000);
  expect([...watched.suspects]).toEqual([]);
});
