import { parseStats } from './redis-stats.js';
import { quantile } from './report/quantile.js';
import { figureOf, summarize } from './summary.js';

test.each([
  { values: [3, 1, 2], want: { median: 2, min: 1, max: 3 } },
  { values: [4, 1, 2, 3], want: { median: 2.5, min: 1, max: 4 } },
  { values: [7], want: { median: 7, min: 7, max: 7 } },
])('the median of $values is $want.median', ({ values, want }) => {
  expect(figureOf(values)).toEqual(want);
});

test('each measure is summed up over the rounds', () => {
  expect(
    summarize([
      { a: 1, b: 9 },
      { a: 3, b: 9 },
    ]),
  ).toEqual({ a: { median: 2, min: 1, max: 3 }, b: { median: 9, min: 9, max: 9 } });
});

test.each([
  { q: 0.5, want: 50 },
  { q: 0.99, want: 99 },
  { q: 1, want: 100 },
  { q: 0, want: 1 },
])('the $q quantile of 1 to 100 is $want', ({ q, want }) => {
  expect(
    quantile(
      Array.from({ length: 100 }, (_, at) => at + 1),
      q,
    ),
  ).toBe(want);
});

test('there is no quantile of nothing', () => {
  expect(quantile([], 0.5)).toBeNaN();
});

test('statistics of a server: CPU of user and system, commands but our own, script calls apart', () => {
  const info = [
    '# CPU\r\nused_cpu_sys:1.5\r\nused_cpu_user:2.25\r\nused_cpu_sys_children:7\r\n',
    '# Clients\r\nconnected_clients:12\r\n',
    '# Commandstats\r\ncmdstat_evalsha:calls=10,usec=1\r\ncmdstat_eval:calls=1,usec=1\r\ncmdstat_info:calls=99,usec=1\r\n',
    'cmdstat_client|setname:calls=2,usec=1\r\n',
  ].join('\r\n');
  expect(parseStats(info)).toEqual({ cpuUs: 3_750_000, commands: 13, scriptCalls: 11, connections: 12 });
});
