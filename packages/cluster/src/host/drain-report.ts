import type { DrainReport, JobRef } from '../protocol/index.js';
import type { WorkerDrainReport } from './hosted-worker.js';

/** A report carries this many jobs of a kind at most; the log has all. */
export const REPORTED_JOBS = 100;

export function emptyReport(): DrainReport {
  return { finished: 0, aborted: 0, returned: [], lost: [], lingering: [] };
}

/** What several drains did together. */
export function addReports(reports: Iterable<WorkerDrainReport>): DrainReport {
  const sum = emptyReport();
  for (const { finished, aborted, returned, lost, lingering, abandoned } of reports) {
    sum.finished += finished;
    sum.aborted += aborted;
    sum.returned.push(...returned);
    sum.lost.push(...lost);
    sum.lingering.push(...lingering);
    if (abandoned) sum.abandoned = [...(sum.abandoned ?? []), ...abandoned];
  }
  return sum;
}

/** The same report with its lists cut to what a message carries. */
export function cutReport(report: DrainReport): DrainReport {
  const { returned, lost, lingering, abandoned } = report;
  const cut = <T>(jobs: readonly T[]): T[] => jobs.slice(0, REPORTED_JOBS);
  const jobs = { returned: cut(returned), lost: cut(lost), lingering: cut(lingering) };
  return { ...report, ...jobs, ...(abandoned && { abandoned: cut(abandoned) }) };
}

/** What a message carries of a job; the engine knows more. */
export function refOf({ queue, jobId, startedAt }: JobRef): JobRef {
  return { queue, jobId, startedAt };
}
