/** The table of faults, for people and for docs/guarantees.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KINDS } from './kinds.js';
import type { Verdict } from './ledger.js';
import { ROOT } from './system.js';

export interface Recovery {
  readonly kind: string;
  readonly ms: number;
}

export interface SuiteReport {
  readonly seed: number;
  readonly seconds: number;
  readonly recoveries: readonly Recovery[];
  readonly verdict: Verdict;
  /** Empty: everything that was promised held. */
  readonly objections: readonly string[];
}

export function renderReport({ seed, seconds, recoveries, verdict, objections }: SuiteReport): string {
  const rows = KINDS.map(({ name, measures }) => {
    const times = recoveries
      .filter(({ kind }) => kind === name)
      .map(({ ms }) => ms)
      .sort((a, b) => a - b);
    const at = (ms: number | undefined): string => (ms === undefined ? '-' : `${(ms / 1_000).toFixed(2)} s`);
    return `| ${name} | ${times.length} | ${measures} | ${at(times[Math.floor(times.length / 2)])} | ${at(times.at(-1))} |`;
  });
  const { jobs, completed, lost, completedTwice, withoutLock, overlaps, permittedOverlaps, startedAgain, poisoned } = verdict;
  return [
    '| Fault | Times | Recovery is counted | Median | Longest |',
    '|---|---:|---|---:|---:|',
    ...rows,
    '',
    `${recoveries.length} faults in ${seconds} s (seed ${seed}). Of ${jobs} jobs ${completed} completed; ${lost} lost, ${completedTwice} completed twice,`,
    `${withoutLock} outcomes without their lock, ${overlaps} overlapping runs (${permittedOverlaps} more where a lock may have run out), ${startedAgain} started again, ${poisoned} failed as poison jobs and retried.`,
    ...(objections.length > 0 ? ['', 'BROKEN:', ...objections] : []),
  ].join('\n');
}

/** Puts the table between its markers. */
export function writePage(report: SuiteReport): void {
  replaceBetween('faults', renderReport(report));
}

/** Puts a text between the markers of that name in docs/guarantees.md. */
export function replaceBetween(name: string, text: string): void {
  const file = join(ROOT, 'docs', 'guarantees.md');
  const page = readFileSync(file, 'utf8');
  const [beginMark, endMark] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [begin, end] = [page.indexOf(beginMark), page.indexOf(endMark)];
  if (begin < 0 || end < begin) throw new Error(`${file} has no markers ${beginMark} and ${endMark}`);
  writeFileSync(file, `${page.slice(0, begin + beginMark.length)}\n${text}\n${page.slice(end)}`);
}
