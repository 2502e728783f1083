import type { RecycleConfig } from '../config/resolved.js';
import { isBornOver, planRecycle, type RecycleCandidate } from './plan-recycle.js';

const limits: RecycleConfig = { softBytes: 100, hardBytes: 200, maxJobs: 1_000, maxAgeMs: 3_600_000, jitter: 0.1, minIntervalMs: 60_000 };
const candidate = (change: Partial<RecycleCandidate> = {}): RecycleCandidate => ({
  slot: 0,
  incarnation: 'a',
  ageMs: 60_000,
  rssBytes: 50,
  jobs: 10,
  spread: 1,
  ...change,
});

test.each([
  { name: 'nothing is due', of: [{}], want: undefined },
  { name: 'the soft limit', of: [{ rssBytes: 99 }, { slot: 1, rssBytes: 100 }], want: [1, 'memory', false] },
  { name: 'the largest first', of: [{ rssBytes: 101 }, { slot: 1, rssBytes: 102 }], want: [1, 'memory', false] },
  { name: 'the hard limit before all', of: [{ jobs: 9_999 }, { slot: 1, rssBytes: 200 }], want: [1, 'memory', true] },
  { name: 'memory before jobs', of: [{ jobs: 1_000 }, { slot: 1, rssBytes: 100 }], want: [1, 'memory', false] },
  { name: 'jobs', of: [{ jobs: 999 }, { slot: 1, jobs: 1_000 }], want: [1, 'max_jobs', false] },
  {
    name: 'jobs, as spread',
    of: [
      { jobs: 1_050, spread: 1.1 },
      { slot: 1, jobs: 950, spread: 0.9 },
    ],
    want: [1, 'max_jobs', false],
  },
  { name: 'age', of: [{ ageMs: 3_599_999 }, { slot: 1, ageMs: 3_600_000 }], want: [1, 'max_age', false] },
  { name: 'one that is too young', of: [{ ageMs: 59_999, jobs: 9_999, rssBytes: 999 }], want: undefined },
])('$name', ({ of, want }) => {
  const due = planRecycle(of.map(candidate), limits);
  expect(due && [due.candidate.slot, due.reason, due.isUrgent]).toEqual(want);
});

test('one that is over a limit of memory before the interval was born over it', () => {
  expect(isBornOver(candidate({ ageMs: 59_999, rssBytes: 100 }), limits)).toBe(true);
  expect(isBornOver(candidate({ ageMs: 60_000, rssBytes: 100 }), limits)).toBe(false);
  expect(isBornOver(candidate({ ageMs: 1, rssBytes: 99 }), limits)).toBe(false);
});
