/** Which process is to be replaced because of its memory, its jobs or its age (control-plane section 10). */
import type { RecycleConfig } from '../config/resolved.js';

/** A process that works, and what it has used up. */
export interface RecycleCandidate {
  readonly slot: number;
  readonly incarnation: string;
  readonly ageMs: number;
  readonly rssBytes: number;
  /** Runs that have ended. */
  readonly jobs: number;
  /** What its limits of jobs and age are multiplied by, so that processes started together do not end together. */
  readonly spread: number;
}

export interface DueProcess {
  readonly candidate: RecycleCandidate;
  readonly reason: 'memory' | 'max_jobs' | 'max_age';
  /** It is beyond the hard limit: it drains at once, and shortly. */
  readonly isUrgent: boolean;
}

/** It is over a limit of memory before it is as old as the interval: replacing it would bring the same again. */
export function isBornOver({ ageMs, rssBytes }: RecycleCandidate, limits: RecycleConfig): boolean {
  return ageMs < limits.minIntervalMs && rssBytes >= Math.min(limits.softBytes, limits.hardBytes);
}

/**
 * The process that is most in need of it: the largest beyond the hard limit, the largest beyond the soft one, the one with most jobs beyond
 * its limit, the oldest beyond its age. One younger than the interval is left alone.
 */
export function planRecycle(candidates: readonly RecycleCandidate[], limits: RecycleConfig): DueProcess | undefined {
  const grown = candidates.filter(({ ageMs }) => ageMs >= limits.minIntervalMs);
  const most = (of: (each: RecycleCandidate) => number, limit: number): RecycleCandidate | undefined =>
    grown.filter((each) => of(each) >= limit).sort((a, b) => of(b) - of(a))[0];
  const rss = ({ rssBytes }: RecycleCandidate): number => rssBytes;
  const rules = [
    { candidate: most(rss, limits.hardBytes), reason: 'memory', isUrgent: true },
    { candidate: most(rss, limits.softBytes), reason: 'memory', isUrgent: false },
    { candidate: most(({ jobs, spread }) => jobs / spread, limits.maxJobs), reason: 'max_jobs', isUrgent: false },
    { candidate: most(({ ageMs, spread }) => ageMs / spread, limits.maxAgeMs), reason: 'max_age', isUrgent: false },
  ] as const;
  for (const { candidate, reason, isUrgent } of rules) if (candidate) return { candidate, reason, isUrgent };
  return undefined;
}
