/** The read model: what is desired and observed, as replies. Pure functions of a `View`; nothing here changes anything. */
import type {
  CountReply,
  GroupStatus,
  ListReply,
  OperationStatus,
  ProcessStatus,
  StatusReply,
  WorkerCounts,
  WorkerState,
  WorkerStatus,
} from '../protocol/index.js';
import { type DesiredState, groupOf, numberOf } from './desired-state.js';
import type { ObservedState, SlotView } from './observed-state.js';

type PrimaryState = StatusReply['state'];

/** Everything that replies are made of. */
export interface View {
  readonly name: string;
  readonly state: Exclude<PrimaryState, 'degraded'>;
  /** Something was given up: read when it is shown, so that it is never behind the counters beside it. */
  readonly isDegraded: () => boolean;
  readonly desired: DesiredState;
  readonly observed: ObservedState;
  /** Workers that fit nowhere. */
  readonly unplaced: ReadonlySet<string>;
  /** Processes whose heartbeats are late. */
  readonly suspects: ReadonlySet<number>;
  /** Restarts of processes before the primary gives up. */
  readonly restartsLeft: number;
  readonly now: number;
}

export interface ListQuery {
  readonly what: 'processes' | 'workers';
  readonly group?: string;
  readonly slot?: number;
  /** The last slot number or worker name of the page before. */
  readonly after?: string;
  readonly limit?: number;
}

const STATUS_PROCESSES = 50;
/** Worker names in one `status`: a frame has 64 KiB. `list` pages through all of them. */
const STATUS_WORKERS = 1_000;
const PAGE = 50;

/** What a worker that is desired is doing. */
export function stateOfDesired(view: Pick<View, 'observed' | 'unplaced'>, worker: string): 'starting' | 'running' | 'parked' {
  if (view.unplaced.has(worker)) return 'parked';
  const state = view.observed.workers.get(worker)?.state;
  return state === 'running' || state === 'parked' ? state : 'starting';
}

/** Counters by group, those without workers included. */
export function countWorkers(view: Pick<View, 'desired' | 'observed' | 'unplaced'>): Readonly<Record<string, WorkerCounts>> {
  const counts: Record<string, WorkerCounts> = {};
  for (const { group } of view.desired.groups) counts[group] = { desired: 0, running: 0, starting: 0, draining: 0, parked: 0 };
  for (const { worker, group } of view.desired.workers()) {
    const count = counts[group] as WorkerCounts;
    count.desired++;
    count[stateOfDesired(view, worker)]++;
  }
  for (const worker of view.observed.workers.keys()) {
    const count = counts[groupOf(worker)];
    if (count && !view.desired.has(worker)) count.draining++;
  }
  return counts;
}

/** `count` is running + starting: of one group, or of all. */
export function countReply(view: Pick<View, 'desired' | 'observed' | 'unplaced'>, group?: string): CountReply {
  const all = countWorkers(view);
  const groups = group === undefined ? all : { [group]: all[group] as WorkerCounts };
  const workers: WorkerCounts = { desired: 0, running: 0, starting: 0, draining: 0, parked: 0 };
  for (const counts of Object.values(groups)) for (const key of Object.keys(workers) as (keyof WorkerCounts)[]) workers[key] += counts[key];
  return { count: workers.running + workers.starting, workers, groups };
}

export function statusReply(view: View, operations: readonly OperationStatus[]): StatusReply {
  const slots = view.observed.slots();
  const processes = slots.slice(0, STATUS_PROCESSES).map((slot) => processStatus(view, slot));
  return {
    name: view.name,
    state: view.state === 'running' && view.isDegraded() ? 'degraded' : view.state,
    generation: view.desired.generation,
    groups: groupStatuses(view),
    processes: withWorkerBudget(processes, STATUS_WORKERS),
    operations: [...operations],
  };
}

function groupStatuses(view: View): GroupStatus[] {
  const counts = countWorkers(view);
  return view.desired.groups.map(({ group, queue, concurrency, min, max }) => ({
    group,
    queue,
    concurrency,
    min,
    max,
    workers: counts[group] as WorkerCounts,
    paused: false,
    restartsLeft: view.restartsLeft,
  }));
}

/** With more worker names than fit, idle workers are left out. */
function withWorkerBudget(processes: readonly ProcessStatus[], budget: number): ProcessStatus[] {
  const total = processes.reduce((sum, process) => sum + Object.keys(process.workers).length, 0);
  if (total <= budget) return [...processes];
  const each = Math.floor(budget / processes.length);
  return processes.map((process) => {
    const busy = Object.entries(process.workers).filter(([, jobs]) => jobs > 0);
    return { ...process, workers: Object.fromEntries(busy.sort(([, a], [, b]) => b - a).slice(0, each)) };
  });
}

/** One page; `next` is the `after` of the following one. */
export function listReply(view: View, query: ListQuery): ListReply {
  const limit = query.limit ?? PAGE;
  if (query.what === 'processes') {
    const slots = view.observed.slots().filter(({ slot }) => query.slot === undefined || slot === query.slot);
    const rest = slots.filter(({ slot }) => query.after === undefined || slot > Number(query.after));
    const items = rest.slice(0, limit).map((slot) => processStatus(view, slot));
    return page(items, rest.length > limit, String(items.at(-1)?.slot));
  }
  const all = workerNames(view).filter((worker) => query.group === undefined || groupOf(worker) === query.group);
  const inSlot = query.slot === undefined ? all : all.filter((worker) => slotOfWorker(view, worker) === query.slot);
  const rest = query.after === undefined ? inSlot : inSlot.filter((worker) => compareWorkers(worker, query.after as string) > 0);
  const items = rest.slice(0, limit).map((worker) => workerStatus(view, worker));
  return page(items, rest.length > limit, items.at(-1)?.worker);
}

function page(items: ListReply['items'], hasMore: boolean, last: string | undefined): ListReply {
  return hasMore && last !== undefined ? { items, next: last } : { items };
}

/** Desired ones and those on their way out, by group and age. */
function workerNames(view: View): readonly string[] {
  const names = new Set(view.desired.workers().map(({ worker }) => worker));
  for (const worker of view.observed.workers.keys()) names.add(worker);
  return [...names].sort(compareWorkers);
}

function compareWorkers(a: string, b: string): number {
  const [first, second] = [groupOf(a), groupOf(b)];
  if (first !== second) return first < second ? -1 : 1;
  return numberOf(a) - numberOf(b);
}

function slotOfWorker(view: View, worker: string): number | undefined {
  return view.observed.workers.get(worker)?.slot ?? view.desired.slotOf(worker);
}

function workerStatus(view: View, worker: string): WorkerStatus {
  const seen = view.observed.workers.get(worker);
  const slot = slotOfWorker(view, worker);
  const state: WorkerState = view.desired.has(worker) ? stateOfDesired(view, worker) : 'draining';
  return {
    worker,
    ...(slot !== undefined && { slot }),
    state,
    ...(tellsJobs(view, worker) && { jobsInHand: view.observed.jobsInHand(worker) }),
    ...(seen && seen.lingering.length > 0 && { lingering: [...seen.lingering] }),
    restarts: seen?.restarts ?? 0,
    ...(seen?.error !== undefined && { error: seen.error }),
  };
}

/** What a worker of the user's own has in hand is its own secret: no number is better than a wrong one. */
function tellsJobs({ desired }: View, worker: string): boolean {
  return desired.config(groupOf(worker))?.module.kind !== 'worker';
}

export function processStatus(view: View, slot: SlotView): ProcessStatus {
  const untold = view.observed.workersIn(slot.slot).filter((worker) => !tellsJobs(view, worker)).length;
  const lastExit = view.observed.crashes.last(slot.slot);
  return {
    slot: slot.slot,
    pid: slot.pid ?? 0,
    state: slot.state,
    quiet: false,
    suspect: view.suspects.has(slot.slot),
    generation: slot.generation,
    incarnation: slot.incarnation ?? '',
    uptimeMs: slot.forkedAt !== undefined && slot.incarnation !== undefined ? view.now - slot.forkedAt : 0,
    rssBytes: slot.beat?.rssBytes ?? 0,
    loopUtilization: slot.beat?.loopUtilization ?? 0,
    loopDelayP99Ms: slot.beat?.loopDelayP99Ms ?? 0,
    jobsInHand: slot.beat?.jobsInHand ?? 0,
    ...(untold > 0 && { untold }),
    workers: Object.fromEntries(view.observed.workersIn(slot.slot).map((worker) => [worker, slot.beat?.workers[worker] ?? 0])),
    restarts: slot.restarts,
    ...(lastExit && { lastExit }),
  };
}
