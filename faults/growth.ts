import type { Gauges } from './gauges.js';

/** One look at the primary, and how many restarts it had seen by then. */
export interface Sample {
  readonly atMs: number;
  readonly restarts: number;
  readonly gauges: Gauges;
}

/** One gauge in the first and in the last tenth of the samples: medians. */
export interface Growth {
  readonly gauge: keyof Gauges;
  readonly first: number;
  readonly last: number;
  /** More than this, above `first`, is growth. */
  readonly allowed: number;
  readonly isTooMuch: boolean;
}

/**
 * What a gauge may rise by without a leak: timers and promises come and go, code is compiled, tables that are bounded fill up. The rest is
 * for each restart, and less than the smallest thing that could be kept of one.
 */
const ALLOWED: Readonly<Record<keyof Gauges, { readonly flat: number; readonly perRestart: number }>> = {
  heapBytes: { flat: 2_500_000, perRestart: 500 },
  rssBytes: { flat: 64_000_000, perRestart: 5_000 },
  objects: { flat: 800, perRestart: 0.5 },
  promises: { flat: 100, perRestart: 0 },
  abortSignals: { flat: 10, perRestart: 0 },
  emitters: { flat: 10, perRestart: 0 },
  listeners: { flat: 20, perRestart: 0 },
  maps: { flat: 20, perRestart: 0 },
  mapEntries: { flat: 25, perRestart: 0 },
  setEntries: { flat: 20, perRestart: 0 },
  handles: { flat: 8, perRestart: 0 },
  timers: { flat: 12, perRestart: 0 },
  fileDescriptors: { flat: 8, perRestart: 0 },
};

const FEWEST = 3;

/** Compares the first and the last tenth of the samples, at least 3 each. @throws RangeError for fewer than 6 samples. */
export function growthOf(samples: readonly Sample[]): readonly Growth[] {
  if (samples.length < 2 * FEWEST) throw new RangeError(`${samples.length} samples are too few to compare: there must be ${2 * FEWEST}`);
  const count = Math.max(FEWEST, Math.floor(samples.length / 10));
  const [first, last] = [samples.slice(0, count), samples.slice(-count)];
  const middle = (some: readonly Sample[], of: (sample: Sample) => number): number => median(some.map(of));
  const restarts = middle(last, (sample) => sample.restarts) - middle(first, (sample) => sample.restarts);
  return (Object.keys(ALLOWED) as (keyof Gauges)[]).map((gauge) => {
    const [before, after] = [middle(first, ({ gauges }) => gauges[gauge]), middle(last, ({ gauges }) => gauges[gauge])];
    const { flat, perRestart } = ALLOWED[gauge];
    const allowed = Math.round(flat + perRestart * restarts);
    return { gauge, first: before, last: after, allowed, isTooMuch: after - before > allowed };
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
