import type { Sample } from './session.js';

/** One measure over the rounds. */
export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Measures of one engine, by name. */
export type Figures = Readonly<Record<string, Figure>>;

/** @param samples one per round, at least one, with equal measures. */
export function summarize(samples: readonly Sample[]): Figures {
  return Object.fromEntries(
    Object.keys(samples[0] ?? {}).map((measure) => [measure, figureOf(samples.map((each) => each[measure] ?? Number.NaN))]),
  );
}

/** @param values at least one. The median of an even number is the mean of the two in the middle. */
export function figureOf(values: readonly number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (nth: number) => sorted[nth] as number;
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}
