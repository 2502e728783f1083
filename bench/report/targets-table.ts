import Table from 'cli-table3';
import type { TargetRow } from '../targets.js';

/** The targets for a terminal. */
export function renderTargets(rows: readonly TargetRow[]): string {
  const table = new Table({ head: ['workload', 'target', 'measured', ''], style: { head: [], border: [] } });
  for (const { workload, target, figure, isReached } of rows) table.push([workload, target, figure ?? '-', verdict(isReached)]);
  return table.toString();
}

export function verdict(isReached: boolean | undefined): string {
  if (isReached === undefined) return 'not measured';
  return isReached ? 'reached' : 'not reached';
}
