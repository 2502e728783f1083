import type { BenchReport, WorkloadReport } from '@drover/cli/bench';
import * as echarts from 'echarts';

const COLORS: Readonly<Record<string, string>> = { drover: '#1f6feb', bullmq: '#d1742f', ceiling: '#8b949e' };
const WIDTH = 860;
const ROW = 62;

/** One chart: the workloads of one kind, a bar per engine. */
export interface ChartSpec {
  readonly file: string;
  readonly title: string;
  readonly unit: string;
  readonly measure: string;
  readonly workloads: readonly string[];
}

export const CHARTS: readonly ChartSpec[] = [
  {
    file: 'process.svg',
    title: 'Jobs worked per second',
    unit: 'jobs/s',
    measure: 'jobsPerSecond',
    workloads: ['process-1', 'process-100', 'process-500', 'process-10x500', 'process-4p', 'process-timer', 'random-500', 'random-5000'],
  },
  { file: 'add.svg', title: 'Jobs added per second', unit: 'jobs/s', measure: 'jobsPerSecond', workloads: ['add-100', 'add-bulk'] },
  {
    file: 'cpu-node.svg',
    title: 'CPU of Node per job',
    unit: 'us',
    measure: 'nodeUs',
    workloads: ['process-1', 'process-100', 'process-500', 'process-4p'],
  },
  {
    file: 'cpu-redis.svg',
    title: 'CPU of Redis per job',
    unit: 'us',
    measure: 'redisUs',
    workloads: ['process-1', 'process-100', 'process-500', 'process-4p'],
  },
  {
    file: 'latency-p50.svg',
    title: 'Latency from add to completed, p50',
    unit: 'ms',
    measure: 'p50Ms',
    workloads: ['latency-100', 'latency-half'],
  },
  {
    file: 'latency-p99.svg',
    title: 'Latency from add to completed, p99',
    unit: 'ms',
    measure: 'p99Ms',
    workloads: ['latency-100', 'latency-half'],
  },
];

/** @returns the SVG document, or undefined when the report has nothing for it. */
export function renderChart(spec: ChartSpec, report: BenchReport): string | undefined {
  const rows = spec.workloads.flatMap((id) => report.workloads.find((each) => each.id === id) ?? []);
  if (rows.length === 0) return undefined;
  const names = Object.keys(report.engines).filter((name) => rows.some((row) => row.engines[name]?.[spec.measure]));
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: 110 + ROW * rows.length });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      title: { text: spec.title, left: 'center' },
      legend: { top: 30, data: names },
      grid: { left: 20, right: 90, top: 64, bottom: 40, containLabel: true },
      xAxis: { type: 'value', name: spec.unit, nameLocation: 'end' },
      yAxis: { type: 'category', inverse: true, data: rows.map(({ id }) => id) },
      series: names.map((name) => series(name, rows, spec.measure)),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose(); // its clock would keep the process alive
  }
}

function series(name: string, rows: readonly WorkloadReport[], measure: string): echarts.BarSeriesOption {
  const label = { show: true, position: 'right', formatter: ({ value }: { value: unknown }) => short(Number(value)) } as const;
  const data = rows.map((row) => row.engines[name]?.[measure]?.median ?? null);
  return { type: 'bar', name, data: data as number[], label, itemStyle: { color: COLORS[name] ?? '#57606a' } };
}

function short(value: number): string {
  if (!Number.isFinite(value)) return '';
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });
}
