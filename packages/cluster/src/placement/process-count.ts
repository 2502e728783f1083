/** What bounds the number of processes. */
export interface PlacementLimits {
  readonly workersPerProcess: number;
  readonly min: number;
  readonly max: number;
}

/**
 * How many processes that many workers want: spread first, one process each, then packed.
 * A parked slot counts against the maximum, and the maximum wins over the minimum.
 */
export function processCount(workers: number, limits: PlacementLimits, parkedSlots = 0): number {
  const wanted = Math.max(limits.min, Math.ceil(workers / limits.workersPerProcess));
  return Math.max(0, Math.min(wanted, limits.max - parkedSlots));
}
