/** The smallest value that at least the share `q` of all values does not exceed. @param sorted ascending @returns NaN for none. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? Number.NaN;
}
