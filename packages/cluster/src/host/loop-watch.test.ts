import { MIN_CAPTURE_HANG_MS } from '../config/hang-limit.js';
import { LoopWatch, type WatchLimits } from './loop-watch.js';

const limits: WatchLimits = { hangAfterMs: 12_000, orphanDeadlineMs: 10_000, captureStack: true };

/** Looks every 250 ms; what was said other than `nothing`, with the instant. */
function watched(
  seconds: number,
  of: Partial<WatchLimits>,
  state: (now: number) => { beats: number; isReady?: boolean; isOrphan?: boolean },
) {
  const watch = new LoopWatch({ ...limits, ...of }, 0);
  const said: [number, string][] = [];
  for (let now = 250; now <= seconds * 1_000; now += 250) {
    const verdict = watch.look({ now, isReady: true, isOrphan: false, ...state(now) });
    if (verdict.do !== 'nothing') said.push([now, verdict.do]);
    if (verdict.do === 'kill') break;
  }
  return said;
}

test('a loop that moves is left alone, however long it lives', () => {
  expect(watched(60, {}, (now) => ({ beats: now }))).toEqual([]);
});

test('a loop that stands still is suspected at a third, its stack taken two seconds before the kill, and killed at the limit', () => {
  const said = watched(60, {}, (now) => ({ beats: Math.min(now, 5_000) }));
  expect(said).toEqual([
    [9_000, 'suspect'],
    [15_000, 'capture'],
    [17_000, 'kill'],
  ]);
});

test('the stack is only taken where it is wanted', () => {
  expect(watched(60, { captureStack: false }, () => ({ beats: 1 })).map(([, what]) => what)).toEqual(['suspect', 'kill']);
});

test('a loop that comes back in time is suspected anew the next time', () => {
  const said = watched(16, {}, (now) => ({ beats: now < 8_000 ? 1 : now < 9_000 ? now : 2 }));
  expect(said.map(([, what]) => what)).toEqual(['suspect', 'suspect']);
});

test('the shortest limit that allows a capture has the suspicion first', () => {
  const said = watched(10, { hangAfterMs: MIN_CAPTURE_HANG_MS }, () => ({ beats: 1 }));
  expect(said.map(([, what]) => what)).toEqual(['suspect', 'capture', 'kill']);
});

test('while it boots, a loop may stand still', () => {
  expect(watched(60, {}, () => ({ beats: 1, isReady: false }))).toEqual([]);
});

test.each([true, false])('an orphan is killed at its deadline when it has not ended (ready: %s)', (isReady) => {
  expect(watched(60, {}, (now) => ({ beats: now, isReady, isOrphan: now >= 3_000 }))).toEqual([[13_000, 'kill']]);
});

test('a pause of the whole process that lasted longer than the limit ends it, even if its loop was quicker to move again', () => {
  const watch = new LoopWatch(limits, 0);
  watch.look({ now: 250, beats: 1, isReady: true, isOrphan: false });
  expect(watch.look({ now: 12_250, beats: 2, isReady: true, isOrphan: false })).toEqual({
    do: 'kill',
    reason: 'its event loop stood still for 12000 ms',
  });
});

test('a shorter pause is forgiven', () => {
  const watch = new LoopWatch(limits, 0);
  watch.look({ now: 250, beats: 1, isReady: true, isOrphan: false });
  expect(watch.look({ now: 12_000, beats: 2, isReady: true, isOrphan: false })).toEqual({ do: 'nothing' });
});
