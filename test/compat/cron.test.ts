/** Cron patterns in time zones: the dates that Drover finds are those that BullMQ 6.7 finds, through changes to and from summer time. */
import { defaultRepeatStrategy } from '@drover/core';
import * as v6 from 'bullmq-v6';

const MINUTES = ['0', '30', '59', '*/15', '*/7', '5,10,50', '10-20/5'];
const HOURS = ['*', '0', '1', '2', '3', '23', '*/4', '1-4', '0,12'];
const DAYS = [
  '* * *',
  '* * 0',
  '* * 1-5',
  '1 * *',
  'L * *',
  '28-31 * *',
  '29 2 *',
  '* 3,4,10,11 *',
  '13 * 5',
  '* * SUN',
  '* JAN,MAR *',
  '25-31 3,10 0',
];
const OTHERS = [
  '@yearly',
  '@monthly',
  '@weekly',
  '@daily',
  '@hourly',
  '59 59 23 * * *',
  '*/20 * * * * *',
  '0 0 0 31 * *',
  '30 30 2 * * *',
  '0 0 2 * 3 0',
];
const COUNT = 200;
const DATES = 20;
/** Each pattern is compared in one of the places, and those that fall into the hours in question in all. `CRON_ALL=1`: all in all. */
const EVERY = process.env.CRON_ALL ? 1 : 10;
const CRITICAL = ['@daily', '@weekly', '30 30 2 * * *', '59 1 * * 0', '0 3 * * *', '*/15 2 * * 1-5'];
/** Each with where it begins: a few hours before clocks change there, or a day that never was. */
const PLACES = [
  { tz: 'UTC', from: '2026-02-27T22:00:00Z' },
  { tz: 'Europe/Berlin', from: '2026-03-28T20:00:00Z' },
  { tz: 'Europe/Berlin', from: '2026-10-24T20:00:00Z' },
  { tz: 'America/New_York', from: '2026-03-07T20:00:00Z' },
  { tz: 'America/New_York', from: '2026-10-31T20:00:00Z' },
  { tz: 'Australia/Lord_Howe', from: '2026-04-04T06:00:00Z' }, // by half an hour
  { tz: 'Australia/Lord_Howe', from: '2026-10-03T06:00:00Z' },
  { tz: 'America/Sao_Paulo', from: '2018-11-03T20:00:00Z' }, // at midnight
  { tz: 'Asia/Kolkata', from: '2027-12-31T10:00:00Z' },
  { tz: 'Pacific/Apia', from: '2011-12-29T04:00:00Z' }, // 30 December 2011 was left out
] as const;

const PATTERNS: readonly string[] = [
  ...OTHERS,
  ...MINUTES.flatMap((minute) => HOURS.flatMap((hour) => DAYS.map((days) => `${minute} ${hour} ${days}`))).filter((_, at) => at % 3 === 0),
].slice(0, COUNT);

type Strategy = (millis: number, options: { pattern: string; tz: string }) => number | undefined;

function dates(strategy: Strategy, pattern: string, tz: string, from: string): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  let at: number | undefined = Date.parse(from);
  for (let nth = 0; nth < DATES && at !== undefined; nth++) {
    at = strategy(at, { pattern, tz });
    found.push(at === undefined ? undefined : new Date(at).toISOString());
  }
  return found;
}

test(`${COUNT} different patterns are compared`, () => {
  expect(new Set(PATTERNS).size).toBe(COUNT);
});

test.each(PLACES)(
  '$tz from $from',
  (place) => {
    const { tz, from } = place;
    const chosen = PATTERNS.filter((_, at) => at % EVERY === PLACES.indexOf(place) % EVERY);
    const differing = [...new Set([...chosen, ...CRITICAL])].flatMap((pattern) => {
      const ours = dates(defaultRepeatStrategy, pattern, tz, from);
      const theirs = dates(v6.defaultRepeatStrategy as Strategy, pattern, tz, from);
      return JSON.stringify(ours) === JSON.stringify(theirs) ? [] : [{ pattern, ours, theirs }];
    });
    expect(differing).toEqual([]);
  },
  120_000,
);
