import { checkRepeat, InvalidScheduleError, storedRepeat } from './check-repeat.js';
import type { RepeatOptions } from './job-options.js';

const NOW = Date.UTC(2026, 0, 1);

test.each([
  { name: 'an interval', rule: { every: 5 }, want: { every: 5, count: 1 } },
  { name: 'an interval on a grid', rule: { every: 5, offset: 2 }, want: { every: 5, offset: 2, count: 1 } },
  { name: 'no offset', rule: { every: 5, offset: 0 }, want: { every: 5, count: 1 } },
  { name: 'a pattern, which has no grid', rule: { pattern: '* * * * *', offset: 3 }, want: { pattern: '* * * * *', count: 1 } },
  { name: 'iterations that count as done', rule: { every: 5, count: 3, limit: 9 }, want: { every: 5, count: 4, limit: 9 } },
  {
    name: 'dates of any form',
    rule: { every: 5, startDate: new Date(NOW), endDate: '2027-01-01' },
    want: { every: 5, startDate: NOW, endDate: Date.UTC(2027, 0, 1), count: 1 },
  },
  { name: 'what is null or empty', rule: { every: 5, pattern: '', tz: null, limit: null, endDate: null }, want: { every: 5, count: 1 } },
  {
    name: 'what is of no effect',
    rule: { every: 5, key: 'k', jobId: 'j', prevMillis: 1, immediately: true },
    want: { every: 5, count: 1 },
  },
])('$name is stored', ({ rule, want }) => {
  expect(storedRepeat(checkRepeat(rule as RepeatOptions, NOW))).toEqual(want);
});

test.each([
  { rule: null, says: 'repeat options must be an object' },
  { rule: { evry: 5 }, says: 'did you mean "every"?' },
  { rule: { every: -5 }, says: 'repeat.every must be an integer' },
  { rule: { every: 1.5 }, says: 'repeat.every must be an integer' },
  { rule: { every: '5' }, says: 'repeat.every must be an integer' },
  { rule: { pattern: 5 }, says: 'repeat.pattern must be a text' },
  { rule: { every: 5, limit: -1 }, says: 'repeat.limit' },
  { rule: { every: 5, count: 0.5 }, says: 'repeat.count' },
  { rule: { every: 5, offset: -1 }, says: 'repeat.offset' },
  { rule: { every: 5, tz: 5 }, says: 'repeat.tz' },
  { rule: { every: 5, immediately: 'yes' }, says: 'repeat.immediately' },
  { rule: { every: 5, startDate: 'junk' }, says: 'repeat.startDate must be a date' },
  { rule: { every: 5, endDate: {} }, says: 'repeat.endDate must be a date' },
])('$rule is refused', ({ rule, says }) => {
  expect(() => checkRepeat(rule as RepeatOptions, NOW)).toThrow(says);
});

test.each([{}, { every: 5, pattern: '* * * * *' }, { every: 5, endDate: NOW - 1 }, { every: 5, startDate: NOW, immediately: true }])(
  '%j does not go together',
  (rule) => {
    expect(() => checkRepeat(rule, NOW)).toThrow(InvalidScheduleError);
  },
);
