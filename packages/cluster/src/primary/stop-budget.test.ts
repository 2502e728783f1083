import { processDrain, sharperMode, stopBudget } from './stop-budget.js';

const drain = { deadlineMs: 25_000, abortLeadMs: 5_000, onTimeout: 'linger', maxReturns: 5, onMaxReturns: 'stall' } as const;

test.each([
  { mode: 'drain', drainMs: undefined, want: { drainMs: 25_000, abortLeadMs: 5_000 } },
  { mode: 'drain', drainMs: 2_000, want: { drainMs: 2_000, abortLeadMs: 2_000 } },
  { mode: 'fast', drainMs: undefined, want: { drainMs: 5_000, abortLeadMs: 5_000 } },
  { mode: 'fast', drainMs: 1_000, want: { drainMs: 1_000, abortLeadMs: 1_000 } },
  { mode: 'now', drainMs: 9_000, want: { drainMs: 0, abortLeadMs: 0 } },
] as const)('$mode with $drainMs', ({ mode, drainMs, want }) => {
  expect(stopBudget(mode, drain, drainMs)).toEqual({ mode, ...want });
});

test('a stop never becomes gentler', () => {
  expect([sharperMode('fast', 'drain'), sharperMode('drain', 'now'), sharperMode('now', 'fast')]).toEqual(['fast', 'now', 'now']);
});

test('a process drains as its most patient group does', () => {
  const other = { deadlineMs: 60_000, abortLeadMs: 1_000, onTimeout: 'linger', maxReturns: 5, onMaxReturns: 'stall' } as const;
  expect(processDrain([{ drain }, { drain: other }])).toEqual({ deadlineMs: 60_000, abortLeadMs: 5_000 });
});

test('what is left of a deadline has a fraction; the lead of the abort signals has none, as the engine wants it', () => {
  expect(stopBudget('fast', { deadlineMs: 25_000, abortLeadMs: 5_000 }, 4_999.87).abortLeadMs).toBe(4_999);
  expect(stopBudget('drain', { deadlineMs: 25_000, abortLeadMs: 5_000 }, 1_000.5)).toMatchObject({ drainMs: 1_000.5, abortLeadMs: 1_000 });
});
