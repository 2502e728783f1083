import { decodeJob } from './job-record.js';
import { defaultRepeatStrategy, isOver, nextRunAt, type RepeatRule, repeatRule, slotFrom } from './next-run.js';

const at = (text: string) => Date.parse(text);
const NOON = at('2026-03-28T12:00:00Z');
const RULE: RepeatRule = {
  pattern: '0 9 * * *',
  tz: 'UTC',
  startAt: undefined,
  endAt: undefined,
  limit: undefined,
  count: 1,
  previousAt: 0,
};

test.each([
  { name: 'daily', rule: {}, want: '2026-03-29T09:00:00Z' },
  { name: 'a match later today', rule: { pattern: '30 12 * * *' }, want: '2026-03-28T12:30:00Z' },
  { name: 'an instant that is now is not next', rule: { pattern: '0 12 * * *' }, want: '2026-03-29T12:00:00Z' },
  { name: 'seconds', rule: { pattern: '*/10 * * * * *' }, want: '2026-03-28T12:00:10Z' },
  { name: 'weekdays', rule: { pattern: '0 9 * * 1-5' }, want: '2026-03-30T09:00:00Z' },
  { name: 'the last day of a month', rule: { pattern: '0 0 L * *' }, want: '2026-03-31T00:00:00Z' },
  { name: 'a leap day', rule: { pattern: '0 0 29 2 *' }, want: '2028-02-29T00:00:00Z' },
  { name: 'a name for a pattern', rule: { pattern: '@weekly' }, want: '2026-03-29T00:00:00Z' },
  { name: 'after the slot before, if that is ahead', rule: { previousAt: at('2026-04-10T09:00:00Z') }, want: '2026-04-11T09:00:00Z' },
  { name: 'from its start on', rule: { startAt: at('2026-05-01T00:00:00Z') }, want: '2026-05-01T09:00:00Z' },
  { name: 'a zone', rule: { tz: 'America/New_York' }, want: '2026-03-28T13:00:00Z' },
  { name: 'summer time: another offset', rule: { tz: 'Europe/Berlin' }, want: '2026-03-29T07:00:00Z' },
  { name: 'spring: 02:30 does not exist and is 03:30', rule: { pattern: '30 2 * * *', tz: 'Europe/Berlin' }, want: '2026-03-29T01:30:00Z' },
  { name: 'no match within its end', rule: { endAt: at('2026-03-28T20:00:00Z') }, want: undefined },
  { name: 'past its end', rule: { endAt: NOON - 1 }, want: undefined },
  { name: 'at its limit', rule: { limit: 1 }, want: undefined },
  { name: 'below its limit', rule: { limit: 2 }, want: '2026-03-29T09:00:00Z' },
  { name: 'an interval is not for this function', rule: { pattern: undefined }, want: undefined },
] as const)('$name', ({ rule, want }) => {
  const next = nextRunAt({ ...RULE, ...rule }, NOON);
  expect(next === undefined ? undefined : new Date(next).toISOString().replace('.000', '')).toBe(want);
});

test('autumn: an hour that comes twice is run through once', () => {
  const rule = { ...RULE, pattern: '30 2 * * *', tz: 'Europe/Berlin' };
  const first = nextRunAt(rule, at('2026-10-25T00:00:00Z')) as number;
  expect(nextRunAt({ ...rule, previousAt: first }, first)).toBe(at('2026-10-26T01:30:00Z'));
});

test.each(['61 * * * *', 'never', '* * * * * * *'])('pattern %p is refused', (pattern) => {
  expect(() => nextRunAt({ ...RULE, pattern }, NOON)).toThrow();
});

test('a zone nobody knows is refused', () => {
  expect(() => nextRunAt({ ...RULE, tz: 'Mars/Olympus' }, NOON)).toThrow();
});

test('the rule is read from the options of an iteration, in whatever form its dates have', () => {
  const repeat = { pattern: '* * * * *', tz: 'UTC', count: 3, limit: 9, startDate: '2026-01-01T00:00:00.000Z', endDate: 1_800_000_000_000 };
  const { record } = decodeJob('repeat:x:1', { opts: JSON.stringify({ repeat, prevMillis: 1_700_000_000_000 }) });
  expect(repeatRule(record)).toEqual({
    pattern: '* * * * *',
    tz: 'UTC',
    startAt: at('2026-01-01'),
    endAt: 1_800_000_000_000,
    limit: 9,
    count: 3,
    previousAt: 1_700_000_000_000,
  });
  expect(repeatRule(decodeJob('1', {}).record)).toMatchObject({ pattern: undefined, count: 0, previousAt: 0 });
});

test('a schedule is over beyond its limit or past its end', () => {
  expect(isOver(RULE, NOON)).toBe(false);
  expect(isOver({ ...RULE, limit: 1 }, NOON)).toBe(true);
  expect(isOver({ ...RULE, endAt: NOON }, NOON)).toBe(false);
  expect(isOver({ ...RULE, endAt: NOON - 1 }, NOON)).toBe(true);
});

test.each([
  { name: 'the next match', options: {}, want: '2026-03-29T09:00:00.000Z' },
  { name: 'at once', options: { immediately: true }, want: '2026-03-28T12:00:00.000Z' },
  { name: 'from the start on', options: { startDate: '2026-05-01' }, want: '2026-05-01T09:00:00.000Z' },
  { name: 'not past the end', options: { endDate: NOON + 1 }, want: undefined },
  { name: 'not at once past the end', options: { endDate: NOON - 1, immediately: true }, want: undefined },
  { name: 'no start after the end', options: { startDate: '2026-05-01', endDate: '2026-04-01' }, want: undefined },
  { name: 'nothing without a pattern', options: { pattern: '' }, want: undefined },
])('the default strategy: $name', ({ options, want }) => {
  const next = defaultRepeatStrategy(NOON, { pattern: '0 9 * * *', tz: 'UTC', ...options });
  expect(next === undefined ? undefined : new Date(next).toISOString()).toBe(want);
});

test.each([
  [5, 3, 5],
  [2, 3, 3],
  [5.7, 3, 5],
  [undefined, 3, undefined],
  [null, 3, undefined],
  [Number.NaN, 3, undefined],
])('what a strategy answered, %p at %p, is %p', (answer, now, want) => {
  expect(slotFrom(answer, now)).toBe(want);
});
