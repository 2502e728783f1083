import Table from 'cli-table3';
import type { Machine } from '../machine.js';
import type { BenchReport, WorkloadReport } from '../run-bench.js';
import type { Figure } from '../summary.js';

/** Measures in the words of a report: heading, unit, digits after the point. */
const MEASURES: Readonly<Record<string, readonly [heading: string, digits: number]>> = {
  jobsPerSecond: ['jobs/s', 0],
  p50Ms: ['p50 ms', 2],
  p99Ms: ['p99 ms', 2],
  ratePerSecond: ['rate/s', 0],
  addedPerSecond: ['added/s', 0],
  heapBytesPerWorker: ['heap B/worker', 0],
  socketsPerWorker: ['sockets/worker', 3],
  timersPerWorker: ['timers/worker', 3],
  startMs: ['start ms', 0],
  stopMs: ['stop ms', 0],
  roundTrips: ['round trips', 2],
  emptyPercent: ['empty fetches %', 2],
  nodeUs: ['Node us/job', 1],
  redisUs: ['Redis us/job', 1],
  commandsPerJob: ['commands/job', 1],
  scriptCallsPerJob: ['script calls/job', 2],
  rssMb: ['RSS MB', 0],
  connections: ['connections', 0],
};

/** `[heading, text of a value]` of a measure. */
export function measureWords(measure: string): { readonly heading: string; readonly digits: number } {
  const [heading, digits] = MEASURES[measure] ?? [measure, 2];
  return { heading, digits };
}

/** Tables for a terminal: one per workload, a line per engine, medians with their range. */
export function renderTables(report: BenchReport): string {
  const { machine, engines, rounds, broken } = report;
  const versions = Object.entries(engines).map(([name, version]) => (name === version ? name : `${name} ${version}`));
  const parts = report.workloads.map((each) => `${each.title}\n${tableOf(each)}`);
  return [
    ...parts,
    machineText(machine),
    `${versions.join(', ')}; medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'} (lowest-highest)`,
    ...broken.map((line) => `broken: ${line}`),
  ].join('\n');
}

/** The machine in one line. */
export function machineText({ cores, cpu, memoryGb, platform, node, redis, isAppendOnly }: Machine): string {
  return `${cores} cores, ${cpu}, ${memoryGb} GB, ${platform}, Node ${node}, Redis ${redis} ${isAppendOnly ? 'with' : 'without'} append-only file`;
}

function tableOf({ engines, ratios }: WorkloadReport): string {
  const shown = Object.keys(MEASURES).filter((measure) => Object.values(engines).some((figures) => measure in figures));
  const table = new Table({
    head: ['engine', ...shown.map((measure) => measureWords(measure).heading), 'ratio'],
    style: { head: [], border: [] },
  });
  for (const [name, figures] of Object.entries(engines)) {
    const cells = shown.map((measure) => (figures[measure] ? figureText(figures[measure], measureWords(measure).digits) : ''));
    const ratio = ratios[name];
    table.push([name, ...cells, ratio === undefined ? '' : `drover ${ratio.toFixed(2)}x`]);
  }
  return table.toString();
}

export function figureText({ median, min, max }: Figure, digits: number): string {
  const text = (value: number) => value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return text(min) === text(max) ? text(median) : `${text(median)} (${text(min)}-${text(max)})`;
}
