import { coresOfQuota } from './cpu-quota.js';

test.each([
  { name: 'no limit in v2', files: { max: 'max 100000\n' }, want: undefined },
  { name: 'two and a half cores are two', files: { max: '250000 100000\n' }, want: 2 },
  { name: 'a fraction of a core is one', files: { max: '50000 100000' }, want: 1 },
  { name: 'v1 without a limit', files: { quotaUs: '-1\n', periodUs: '100000\n' }, want: undefined },
  { name: 'v1 with four cores', files: { quotaUs: '400000', periodUs: '100000' }, want: 4 },
  { name: 'no files', files: {}, want: undefined },
  { name: 'a text that is not understood', files: { max: 'what' }, want: undefined },
])('$name', ({ files, want }) => {
  expect(coresOfQuota(files)).toBe(want);
});
