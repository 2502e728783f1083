import { parseByteSize } from './byte-size.js';

test.each([
  { given: 1_000, want: 1_000 },
  { given: '600mb', want: 600 * 1_024 ** 2 },
  { given: '1.5g', want: 1.5 * 1_024 ** 3 },
  { given: '64 KB', want: 65_536 },
  { given: '12b', want: 12 },
])('$given is $want bytes', ({ given, want }) => {
  expect(parseByteSize(given)).toBe(want);
});

test.each([0, -1, 1.5, Number.NaN, '', '600', '600tb', 'mb', '0mb', '-1mb'])('%p is no size', (given) => {
  expect(parseByteSize(given)).toBeUndefined();
});
