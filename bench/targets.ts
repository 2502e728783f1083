import type { BenchReport } from '@drover/cli/bench';

/** One promise about speed, and what came of it. */
export interface TargetRow {
  readonly workload: string;
  readonly target: string;
  /** What was measured, in the words of the target; undefined: this run has not measured it. */
  readonly figure: string | undefined;
  readonly isReached: boolean | undefined;
}

/** Medians of a run; undefined where something was not measured. */
type Look = (workload: string, engine: string, measure?: string) => number | undefined;

interface Rule {
  readonly workload: string;
  readonly target: string;
  /** The value that is compared; undefined as soon as a part of it is. */
  readonly value: (look: Look) => number | undefined;
  readonly isReached: (value: number, look: Look) => boolean;
  readonly text: (value: number, look: Look) => string;
}

const percent = (value: number) => `${(100 * value).toFixed(0)} %`;
const times = (value: number) => `${value.toFixed(2)}x`;
const atLeast = (limit: number) => (value: number) => value >= limit;
const atMost = (limit: number) => (value: number) => value <= limit;
const below = (limit: number) => (value: number) => value < limit;

function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b;
}

function ofCeiling(workload: string, limit: number): Rule {
  const value = (look: Look) => ratio(look(workload, 'drover'), look(workload, 'ceiling'));
  return { workload, target: `>= ${percent(limit)} of the ceiling`, value, isReached: atLeast(limit), text: percent };
}

function ofBullmq(workload: string, limit: number): Rule {
  const value = (look: Look) => ratio(look(workload, 'drover'), look(workload, 'bullmq'));
  return { workload, target: `>= ${limit.toFixed(1)}x bullmq`, value, isReached: atLeast(limit), text: times };
}

function ofItself(workload: string, other: string, limit: number, words: string): Rule {
  const value = (look: Look) => ratio(look(workload, 'drover'), look(other, 'drover'));
  return { workload, target: `>= ${percent(limit)} of ${words}`, value, isReached: atLeast(limit), text: percent };
}

/** @param measure lower is better */
function notAboveBullmq(workload: string, measure: string, words: string, unit: string): Rule {
  const theirs = (look: Look) => look(workload, 'bullmq', measure);
  return {
    workload,
    target: `${words} not above bullmq's`,
    value: (look) => (theirs(look) === undefined ? undefined : look(workload, 'drover', measure)),
    isReached: (value, look) => value <= (theirs(look) ?? Number.NaN),
    text: (value, look) => `${value.toFixed(2)} ${unit} against ${(theirs(look) ?? Number.NaN).toFixed(2)} ${unit}`,
  };
}

function own(
  workload: string,
  measure: string,
  target: string,
  isReached: (value: number) => boolean,
  text: (value: number) => string,
): Rule {
  return { workload, target, value: (look) => look(workload, 'drover', measure), isReached, text };
}

/** Per worker, of a thousand or more: a socket or a timer that the process has anyway may have come or gone meanwhile. */
const NONE = 0.01;

const TIMER_LIMIT = 500 / 0.01;
const timerBound = (look: Look) => {
  const ceiling = look('process-timer', 'ceiling');
  return ceiling === undefined ? undefined : Math.min(TIMER_LIMIT, ceiling);
};

function idleWorkers(workload: string, startMs: number): Rule[] {
  return [
    own(workload, 'heapBytesPerWorker', '< 4 kB of heap each', below(4_096), (value) => `${Math.round(value)} bytes`),
    own(workload, 'socketsPerWorker', 'no socket of their own', below(NONE), (value) => `${value.toFixed(3)} each`),
    own(workload, 'timersPerWorker', 'no timer of their own', below(NONE), (value) => `${value.toFixed(3)} each`),
    own(workload, 'startMs', `started in < ${startMs / 1_000} s`, below(startMs), (value) => `${Math.round(value)} ms`),
  ];
}

/** All of them, in the order of the report. */
const RULES: readonly Rule[] = [
  ...['process-100', 'process-500'].flatMap((id) => [ofCeiling(id, 0.85), ofBullmq(id, 2.5)]),
  ofItself('process-10x500', 'process-500', 0.95, 'its own 1 x 500'),
  ofBullmq('process-10x500', 4),
  ofBullmq('process-4p', 3),
  ofBullmq('process-1', 1),
  notAboveBullmq('process-1', 'nodeUs', 'Node CPU per job', 'us'),
  notAboveBullmq('process-1', 'redisUs', 'Redis CPU per job', 'us'),
  {
    workload: 'process-timer',
    target: '>= 90 % of concurrency / duration, or of the ceiling if that is lower',
    value: (look) => ratio(look('process-timer', 'drover'), timerBound(look)),
    isReached: atLeast(0.9),
    text: (value, look) => `${percent(value)} of ${Math.round(timerBound(look) ?? Number.NaN).toLocaleString('en')} jobs/s`,
  },
  ofItself('random-5000', 'random-500', 0.7, 'the same with 500 active'),
  ...['add-100', 'add-bulk'].flatMap((id) => [ofCeiling(id, 0.8), ofBullmq(id, 2.5)]),
  ...['latency-100', 'latency-half'].flatMap((id) => [notAboveBullmq(id, 'p50Ms', 'p50', 'ms'), notAboveBullmq(id, 'p99Ms', 'p99', 'ms')]),
  ...idleWorkers('idle-1000', 1_000),
  ...idleWorkers('idle-10000', 5_000),
  {
    workload: 'idle-2000-queues',
    target: 'as many connections as with 2 queues',
    value: (look) =>
      look('idle-2-queues', 'drover', 'connections') === undefined ? undefined : look('idle-2000-queues', 'drover', 'connections'),
    isReached: (value, look) => value === look('idle-2-queues', 'drover', 'connections'),
    text: (value, look) => `${value}, with 2 queues ${look('idle-2-queues', 'drover', 'connections')}`,
  },
  own('idle-burst', 'roundTrips', 'all busy within 3 round trips', atMost(3), (value) => value.toFixed(2)),
  own('idle-empty', 'emptyPercent', 'empty fetches < 1 % of jobs', below(1), (value) => `${value.toFixed(2)} %`),
];

/** Every target with its figure. Pure: a report in, rows out. */
export function judge(report: Pick<BenchReport, 'workloads'>): TargetRow[] {
  const byId = new Map(report.workloads.map((each) => [each.id, each]));
  const look: Look = (workload, engine, measure) => {
    const found = byId.get(workload);
    return found?.engines[engine]?.[measure ?? found.headline]?.median;
  };
  return RULES.filter(({ workload }) => byId.has(workload)).map(({ workload, target, value, isReached, text }) => {
    const measured = value(look);
    if (measured === undefined) return { workload, target, figure: undefined, isReached: undefined };
    return { workload, target, figure: text(measured, look), isReached: isReached(measured, look) };
  });
}
