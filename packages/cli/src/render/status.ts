import type { GroupStatus, OperationStatus, ProcessStatus, StatusReply } from '@drover/cluster/protocol';
import type { createColors } from 'picocolors';
import { duration, megabytes, plural } from './format.js';
import { type Column, renderTable } from './table.js';

export interface StatusView {
  /** Epoch ms. */
  readonly now: number;
  readonly width: number;
  readonly colors: ReturnType<typeof createColors>;
}

const OPERATIONS_SHOWN = 5;

/** The status as a page of text: a headline, then tables of groups, processes and operations, then what went wrong. */
export function renderStatus(status: StatusReply, view: StatusView): string {
  const parts = [headline(status, view), groups(status.groups, view), processes(status.processes, view)];
  if (status.operations.length > 0) parts.push(operations(status.operations, view));
  const exits = status.processes.flatMap((process) => lastExit(process, view));
  if (exits.length > 0) parts.push(exits.join('\n'));
  return parts.join('\n\n');
}

function headline({ name, state, generation, processes: all, groups: each }: StatusReply, { colors }: StatusView): string {
  const paint = { running: colors.green, starting: colors.cyan, draining: colors.yellow, degraded: colors.yellow, gave_up: colors.red }[
    state
  ];
  const running = each.reduce((sum, { workers }) => sum + workers.running, 0);
  const ready = all.filter((process) => process.state === 'ready').length;
  return `${colors.bold(name)}: ${paint(state.replace('_', ' '))}, ${plural(running, 'worker')} running in ${ready} ready ${ready === 1 ? 'process' : 'processes'}, generation ${generation}`;
}

const GROUP_COLUMNS: readonly Column[] = [
  { title: 'GROUP' },
  { title: 'DESIRED', align: 'right' },
  { title: 'RUNNING', align: 'right' },
  { title: 'STARTING', align: 'right' },
  { title: 'DRAINING', align: 'right' },
  { title: 'PARKED', align: 'right' },
  { title: 'CONCURRENCY', align: 'right', isOptional: true },
  { title: 'MIN', align: 'right', isOptional: true },
  { title: 'MAX', align: 'right', isOptional: true },
  { title: 'QUEUE', isOptional: true },
];

function groups(all: readonly GroupStatus[], { width, colors }: StatusView): string {
  const rows = all.map(({ group, queue, workers, concurrency, min, max, paused }) => [
    paused ? `${group} (paused)` : group,
    ...[workers.desired, workers.running, workers.starting, workers.draining, workers.parked, concurrency, min, max].map(String),
    queue,
  ]);
  return renderTable(GROUP_COLUMNS, rows, width, colors.dim);
}

const PROCESS_COLUMNS: readonly Column[] = [
  { title: 'SLOT', align: 'right' },
  { title: 'PID', align: 'right' },
  { title: 'STATE' },
  { title: 'UPTIME', align: 'right', isOptional: true },
  { title: 'MEMORY', align: 'right', isOptional: true },
  { title: 'JOBS', align: 'right' },
  { title: 'RESTARTS', align: 'right', isOptional: true },
  { title: 'WORKERS' },
];

function processes(all: readonly ProcessStatus[], { width, colors }: StatusView): string {
  if (all.length === 0) return 'no processes';
  const rows = all.map((process) => [
    String(process.slot),
    process.pid > 0 ? String(process.pid) : '-',
    [process.state, process.quiet && 'quiet', process.suspect && 'suspect'].filter(Boolean).join(', '),
    duration(process.uptimeMs),
    process.rssBytes > 0 ? megabytes(process.rssBytes) : '-',
    jobs(process),
    String(process.restarts),
    Object.keys(process.workers),
  ]);
  return renderTable(PROCESS_COLUMNS, rows, width, colors.dim);
}

/** `?` stands for workers that do not tell: alone when none does. */
function jobs({ jobsInHand, untold = 0, workers }: ProcessStatus): string {
  if (untold === 0) return String(jobsInHand);
  return untold >= Object.keys(workers).length ? '?' : `${jobsInHand}+?`;
}

const OPERATION_COLUMNS: readonly Column[] = [
  { title: 'OPERATION' },
  { title: 'VERB' },
  { title: 'STATE' },
  { title: 'DONE', align: 'right' },
  { title: 'AGE', align: 'right', isOptional: true },
];

/** Those under way, and the latest of the others. */
function operations(all: readonly OperationStatus[], { now, width, colors }: StatusView): string {
  const latest = [...all].sort((a, b) => b.acceptedAt - a.acceptedAt);
  const shown = latest.filter(({ endedAt }, i) => endedAt === undefined || i < OPERATIONS_SHOWN);
  const rows = shown.map(({ opId, verb, state, done, total, acceptedAt }) => [
    opId,
    verb,
    state,
    `${done}/${total}`,
    duration(now - acceptedAt),
  ]);
  return renderTable(OPERATION_COLUMNS, rows, width, colors.dim);
}

/** A process that did not end as asked: how, and the last line that it wrote. */
function lastExit({ slot, lastExit: exit }: ProcessStatus, { now, colors }: StatusView): string[] {
  if (exit?.class !== 'abnormal') return [];
  const line = exit.stderrTail.trim().split('\n').at(-1);
  return [colors.yellow(`slot ${slot}: ${exit.cause}: ${exit.reason}, ${duration(now - exit.at)} ago${line ? `: ${line}` : ''}`)];
}
