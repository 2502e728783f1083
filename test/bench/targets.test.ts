import { judge, type TargetRow } from '../../bench/targets.js';

type Reported = Parameters<typeof judge>[0]['workloads'][number];

const figure = (median: number) => ({ median, min: median, max: median });

/** A workload of which only medians matter. */
function reported(id: string, headline: string, engines: Record<string, Record<string, number>>): Reported {
  const figures = Object.entries(engines).map(([name, values]) => [
    name,
    Object.fromEntries(Object.entries(values).map(([measure, value]) => [measure, figure(value)])),
  ]);
  return { id, title: id, headline, rounds: 1, engines: Object.fromEntries(figures), ratios: {} };
}

const rates = (id: string, engines: Record<string, number>) =>
  reported(id, 'jobsPerSecond', Object.fromEntries(Object.entries(engines).map(([name, jobsPerSecond]) => [name, { jobsPerSecond }])));

function verdicts(...workloads: Reported[]): Record<string, TargetRow['isReached']> {
  return Object.fromEntries(judge({ workloads }).map(({ workload, target, isReached }) => [`${workload} ${target}`, isReached]));
}

test('shares of the ceiling and multiples of bullmq are reached at their limit, not below', () => {
  expect(verdicts(rates('process-100', { drover: 850, bullmq: 340, ceiling: 1_000 }))).toEqual({
    'process-100 >= 85 % of the ceiling': true,
    'process-100 >= 2.5x bullmq': true,
  });
  expect(verdicts(rates('add-bulk', { drover: 799, bullmq: 320, ceiling: 1_000 }))).toEqual({
    'add-bulk >= 80 % of the ceiling': false,
    'add-bulk >= 2.5x bullmq': false,
  });
});

test('a workload is compared with another one of the same engine', () => {
  const both = [rates('process-500', { drover: 1_000 }), rates('process-10x500', { drover: 950, bullmq: 300 })];
  expect(verdicts(...both)).toMatchObject({
    'process-10x500 >= 95 % of its own 1 x 500': true,
    'process-10x500 >= 4.0x bullmq': false,
  });
});

test.each([
  { name: 'by the timer', drover: 45_000, ceiling: 60_000, isReached: true },
  { name: 'by the ceiling, where it is lower', drover: 36_000, ceiling: 40_000, isReached: true },
  { name: 'below nine tenths of the lower one', drover: 35_000, ceiling: 40_000, isReached: false },
])('jobs that wait for a timer are bounded $name', ({ drover, ceiling, isReached }) => {
  expect(Object.values(verdicts(rates('process-timer', { drover, ceiling })))).toEqual([isReached]);
});

test('latency may equal that of bullmq, and no more', () => {
  const workload = reported('latency-100', 'p50Ms', { drover: { p50Ms: 1, p99Ms: 3 }, bullmq: { p50Ms: 1, p99Ms: 2.9 } });
  expect(verdicts(workload)).toEqual({ "latency-100 p50 not above bullmq's": true, "latency-100 p99 not above bullmq's": false });
});

test('an idle worker has neither socket nor timer, whatever the process has', () => {
  const drover = { heapBytesPerWorker: 4_096, socketsPerWorker: 0.002, timersPerWorker: 1, startMs: 999 };
  expect(verdicts(reported('idle-1000', 'heapBytesPerWorker', { drover }))).toEqual({
    'idle-1000 < 4 kB of heap each': false,
    'idle-1000 no socket of their own': true,
    'idle-1000 no timer of their own': false,
    'idle-1000 started in < 1 s': true,
  });
});

test('the number of queues makes no difference to the connections', () => {
  const of = (id: string, connections: number) => reported(id, 'heapBytesPerWorker', { drover: { connections } });
  expect(Object.values(verdicts(of('idle-2-queues', 2), of('idle-2000-queues', 2)))).toEqual([true]);
  expect(Object.values(verdicts(of('idle-2-queues', 2), of('idle-2000-queues', 3)))).toEqual([false]);
});

test('what was not measured is neither reached nor missed, and has no row when its workload did not run', () => {
  const rows = judge({ workloads: [rates('process-100', { drover: 1, bullmq: 1 })] });
  expect(rows.map(({ target, figure, isReached }) => [target, figure, isReached])).toEqual([
    ['>= 85 % of the ceiling', undefined, undefined],
    ['>= 2.5x bullmq', '1.00x', false],
  ]);
});
