import { duration, fitList, megabytes, plural } from './format.js';
import { renderTable } from './table.js';

const columns = [
  { title: 'SLOT', align: 'right' },
  { title: 'STATE' },
  { title: 'UPTIME', isOptional: true },
  { title: 'MEMORY', isOptional: true },
  { title: 'WORKERS' },
] as const;
const rows = [
  ['0', 'ready', '3m 20s', '85 MB', ['mail#1', 'mail#5', 'mail#9']],
  ['10', 'booting', '', '', []],
];

test('columns are aligned, and lines have no trailing blanks', () => {
  expect(renderTable(columns, rows, 100).split('\n')).toEqual([
    'SLOT  STATE    UPTIME  MEMORY  WORKERS',
    '   0  ready    3m 20s  85 MB   mail#1 mail#5 mail#9',
    '  10  booting',
  ]);
});

test('where it is narrow, optional columns go, the last one first', () => {
  expect(renderTable(columns, rows, 42).split('\n')[0]).toBe('SLOT  STATE    UPTIME  WORKERS');
  expect(renderTable(columns, rows, 30).split('\n')[0]).toBe('SLOT  STATE    WORKERS');
});

test.each([42, 60, 80, 120])('a list is shortened so that no line is wider than %d', (width) => {
  const many = Array.from({ length: 250 }, (_, i) => `mail#${i + 1}`);
  const lines = renderTable(columns, [['0', 'ready', '1s', '5 MB', many]], width).split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
  expect(lines[1]).toMatch(/mail#1.* \+\d+$/);
});

test.each([
  [['a', 'b'], 3, 'a b'],
  [['aa', 'bb', 'cc'], 8, 'aa bb cc'],
  [['aa', 'bb', 'cc'], 7, 'aa +2'],
  [['aaaaaaaaaa', 'b'], 5, '2 in all'],
  [[], 5, ''],
])('fitList(%j, %d)', (words, width, want) => {
  expect(fitList(words, width)).toBe(want);
});

test('quantities are short', () => {
  expect([0, 999, 45_000, 200_000, 3_600_000, 7_500_000, 360_000_000].map(duration)).toEqual([
    '0s',
    '0s',
    '45s',
    '3m 20s',
    '1h',
    '2h 5m',
    '4d 4h',
  ]);
  expect(megabytes(89_128_960)).toBe('85 MB');
  expect([plural(0, 'job'), plural(1, 'job'), plural(2, 'job')]).toEqual(['0 jobs', '1 job', '2 jobs']);
});
