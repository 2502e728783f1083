import { entriesPerStream, MAX_WAITED, planRead, type StreamView } from './plan-read.js';

const stream = (more: Partial<StreamView> = {}): StreamView => ({ blockMs: 10_000, isApart: false, retryAt: 0, ...more });
const streams = (count: number): StreamView[] => Array.from({ length: count }, () => stream());

describe('planRead', () => {
  test('waits for all streams in one call, no longer than the most impatient wants', () => {
    const all = [stream(), stream({ blockMs: 700 }), stream()];
    expect(planRead(all, 0)).toEqual({ atOnce: [], waited: all, blockMs: 700, restMs: 0 });
  });

  test('without streams there is nothing to read', () => {
    expect(planRead([], 0)).toEqual({ atOnce: [], waited: [], blockMs: 10_000, restMs: 0 });
  });

  test('a stream that made a read fail is read alone when it is due, and does not shorten the wait', () => {
    const [good, bad] = [stream(), stream({ isApart: true, retryAt: 100, blockMs: 1 })];
    expect(planRead([good, bad], 100)).toEqual({ atOnce: [[bad]], waited: [good], blockMs: 10_000, restMs: 0 });
  });

  test('before that, the wait ends when it is due', () => {
    const [good, bad] = [stream(), stream({ isApart: true, retryAt: 100 })];
    expect(planRead([good, bad], 40)).toEqual({ atOnce: [], waited: [good], blockMs: 60, restMs: 0 });
  });

  test('the wait is never without end', () => {
    expect(planRead([stream({ isApart: true, retryAt: 100 })], 99.9999).blockMs).toBe(1);
  });

  test('the more streams, the longer the rest', () => {
    expect([99, 100, 1_000, 2_000].map((count) => planRead(streams(count), 0).restMs)).toEqual([0, 1, 10, 20]);
  });

  test('too many for one call are asked in turn, without waiting', () => {
    const all = streams(MAX_WAITED * 2 + 1);
    const plan = planRead(all, 0);
    expect(plan.waited).toEqual([]);
    expect(plan.atOnce.map(({ length }) => length)).toEqual([MAX_WAITED, MAX_WAITED, 1]);
    expect(plan.atOnce.flat()).toEqual(all);
    expect(plan.restMs).toBe(40);
  });
});

test('a read brings some 2,000 entries at most, but ten of each stream at least', () => {
  expect([1, 10, 20, 200, 2_000].map(entriesPerStream)).toEqual([200, 200, 100, 10, 10]);
});
