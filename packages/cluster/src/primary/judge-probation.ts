/** Runs of jobs that ended in a process since it was forked. */
export interface JobTally {
  readonly completed: number;
  /** Attempts that failed, retried or not. */
  readonly failed: number;
}

export type ProbationVerdict = { readonly is: 'open' | 'passed' } | { readonly is: 'failed'; readonly reason: string };

/** Fewer jobs than this say nothing about a release. */
const JUDGED_JOBS = 20;
/** By how much the share of failed jobs may be above that of the old processes. */
const MARGIN = 0.1;

/**
 * Whether a new process may stay. It is failed as soon as enough of its jobs have failed; it has passed once its time is over without that.
 * @param trial what it has done so far; `baseline`: what the old ones had done before.
 */
export function judgeProbation(trial: JobTally, baseline: JobTally, passedMs: number, probationMs: number): ProbationVerdict {
  const ratio = failureRatio(trial);
  const allowed = failureRatio(baseline) + MARGIN;
  if (probationMs > 0 && trial.completed + trial.failed >= JUDGED_JOBS && ratio > allowed) {
    return { is: 'failed', reason: `${percent(ratio)} of its jobs failed on probation; up to ${percent(allowed)} would do` };
  }
  return { is: passedMs >= probationMs ? 'passed' : 'open' };
}

/** Between 0 and 1; 0 when there were no jobs. */
export function failureRatio({ completed, failed }: JobTally): number {
  return completed + failed === 0 ? 0 : failed / (completed + failed);
}

function percent(ratio: number): string {
  return `${Math.round(100 * ratio)} %`;
}
