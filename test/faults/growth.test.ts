import type { Gauges } from '../../faults/gauges.js';
import { growthOf, type Sample } from '../../faults/growth.js';

const GAUGES: Gauges = {
  heapBytes: 20_000_000,
  rssBytes: 90_000_000,
  objects: 30_000,
  promises: 1_000,
  abortSignals: 3,
  emitters: 30,
  listeners: 100,
  maps: 40,
  mapEntries: 350,
  setEntries: 3_400,
  handles: 20,
  timers: 10,
  fileDescriptors: 39,
};

/** One look each second, ten restarts apart. */
function samples(count: number, at: (nth: number) => Partial<Gauges>): Sample[] {
  return Array.from({ length: count }, (_, nth) => ({ atMs: nth * 1_000, restarts: nth * 10, gauges: { ...GAUGES, ...at(nth) } }));
}

function grown(of: readonly Sample[]): string[] {
  return growthOf(of).flatMap(({ gauge, isTooMuch }) => (isTooMuch ? [gauge] : []));
}

test('what stays the same has not grown', () => {
  expect(grown(samples(60, () => ({})))).toEqual([]);
});

test.each([
  { name: 'a listener kept of each restart', at: (nth: number) => ({ listeners: 100 + nth * 10 }), want: ['listeners'] },
  { name: 'an entry of a map kept of each restart', at: (nth: number) => ({ mapEntries: 350 + nth * 10 }), want: ['mapEntries'] },
  { name: 'ten kilobytes kept of each restart', at: (nth: number) => ({ heapBytes: 20_000_000 + nth * 100_000 }), want: ['heapBytes'] },
  { name: 'four objects kept of each restart', at: (nth: number) => ({ objects: 30_000 + nth * 40 }), want: ['objects'] },
  { name: 'one look that is far off', at: (nth: number) => ({ handles: nth === 58 ? 500 : 20 }), want: [] },
  { name: 'what goes up and down again', at: (nth: number) => ({ timers: nth > 20 && nth < 40 ? 900 : 10 }), want: [] },
  { name: 'what becomes less', at: (nth: number) => ({ objects: 90_000 - nth * 1_000 }), want: [] },
])('growth: $name', ({ at, want }) => {
  expect(grown(samples(60, at))).toEqual(want);
});

test('a few looks cannot be compared', () => {
  expect(() => growthOf(samples(5, () => ({})))).toThrow('5 samples are too few to compare');
});
