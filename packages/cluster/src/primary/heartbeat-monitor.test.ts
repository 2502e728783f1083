import { ManualClock } from '@drover/core/kit';
import { HeartbeatMonitor, hangLimitMs, judgeSilence } from './heartbeat-monitor.js';
import type { SlotView } from './observed-state.js';

test.each([
  { name: '30 s locks renewed at 15 s', groups: [{ lockMs: 30_000, renewMs: 15_000 }], want: 12_000 },
  {
    name: 'the group with the least time left counts',
    groups: [
      { lockMs: 30_000, renewMs: 15_000 },
      { lockMs: 12_000, renewMs: 6_000 },
    ],
    want: 4_000,
  },
  { name: 'never less than three heartbeats', groups: [{ lockMs: 4_000, renewMs: 2_000 }], want: 3_000 },
])('$name', ({ groups, want }) => {
  expect(hangLimitMs(groups, 1_000)).toBe(want);
});

test('suspect from a third of the limit on', () => {
  expect([3_999, 4_000, 11_999, 12_000].map((silent) => judgeSilence(silent, 12_000))).toEqual(['alive', 'suspect', 'suspect', 'hung']);
});

function monitor(slots: readonly Partial<SlotView>[]) {
  const clock = new ManualClock();
  const killed: number[] = [];
  const deps = { clock, slots: () => slots as readonly SlotView[], kill: (slot: number) => void killed.push(slot) };
  const made = new HeartbeatMonitor(12_000, deps);
  made.start();
  return { clock, killed, monitor: made };
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
  const deps = { clock: frozen, slots: () => slots, kill: (slot: number) => void killed.push(slot) };
  new HeartbeatMonitor(12_000, deps).start();
  skew = 60_000;
  clock.advance(1_000);
  expect(killed).toEqual([]);
  for (let s = 0; s < 12; s++) clock.advance(1_000);
  expect(killed).toEqual([0]);
});
