/** Finished jobs since the metrics of the queue began; 0 when no worker keeps metrics. */
export interface FinishedTotals {
  readonly completed: number;
  readonly failed: number;
}

/** Counts of a queue in the text format of Prometheus, with BullMQ's metric names and labels. */
export function formatPrometheus(
  queue: string,
  counts: Readonly<Record<string, number>>,
  totals: FinishedTotals,
  labels: Readonly<Record<string, string>>,
): string {
  const line = (metric: string, own: Readonly<Record<string, string>>, value: number): string => {
    const pairs = Object.entries({ ...own, ...labels }).map(([name, text]) => `${name}="${escapeLabel(text)}"`);
    return `${metric}{${pairs.join(', ')}} ${value}`;
  };
  return [
    '# HELP bullmq_job_count Number of jobs in the queue by state',
    '# TYPE bullmq_job_count gauge',
    ...Object.entries(counts).map(([state, count]) => line('bullmq_job_count', { queue, state }, count)),
    '# HELP bullmq_job_completed_total Total number of completed jobs',
    '# TYPE bullmq_job_completed_total counter',
    line('bullmq_job_completed_total', { queue }, totals.completed),
    '# HELP bullmq_job_failed_total Total number of failed jobs',
    '# TYPE bullmq_job_failed_total counter',
    line('bullmq_job_failed_total', { queue }, totals.failed),
  ].join('\n');
}

function escapeLabel(text: string): string {
  return String(text).replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}
