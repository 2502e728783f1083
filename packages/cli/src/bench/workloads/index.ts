import type { Workload } from '../workload.js';
import { addWorkloads } from './add.js';
import { idleWorkloads } from './idle.js';
import { fleetWorkloads } from './idle-fleet.js';
import { latencyWorkloads } from './latency.js';
import { processWorkloads } from './process.js';
import { startWorkloads } from './start.js';

/** All there are, in the order in which a round does them. */
export const WORKLOADS: readonly Workload[] = [
  ...processWorkloads,
  ...addWorkloads,
  ...latencyWorkloads,
  ...idleWorkloads,
  ...fleetWorkloads,
  ...startWorkloads,
];

/** Workloads by id or group, in the order of the catalogue. @throws RangeError that names the word nobody knows. */
export function selectWorkloads(words: readonly string[]): Workload[] {
  const unknown = words.find((word) => !WORKLOADS.some(({ id, group }) => word === id || word === group));
  if (unknown !== undefined) {
    throw new RangeError(`unknown workload "${unknown}"; there are ${WORKLOADS.map(({ id }) => id).join(', ')}`);
  }
  return WORKLOADS.filter(({ id, group }) => words.length === 0 || words.includes(id) || words.includes(group));
}
