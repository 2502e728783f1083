import { DelayedError, RateLimitError, UnrecoverableError, WaitingChildrenError, WaitingError } from '../errors/index.js';
import { decideOutcome, keepRule, type OutcomeRules, refusalToRun } from './decide-outcome.js';
import { decodeJob, type JobRecord, type StoredJobOptions } from './job-record.js';

const RULES: OutcomeRules = { random: 0.5 };

function record(opts: StoredJobOptions, more: Partial<JobRecord> = {}): JobRecord {
  return { ...decodeJob('1', {}).record, opts, attemptsStarted: 1, ...more };
}

test('a result completes the job; undefined is stored as null', () => {
  expect(decideOutcome(record({}), { returned: { a: 1 } }, RULES)).toEqual({ kind: 'complete', value: '{"a":1}', keep: { count: -1 } });
  expect(decideOutcome(record({}), { returned: undefined }, RULES)).toMatchObject({ value: 'null' });
});

test('a result that cannot be stored fails the job', () => {
  expect(decideOutcome(record({}), { returned: 1n }, RULES)).toMatchObject({ kind: 'fail', reason: expect.stringContaining('BigInt') });
});

test.each([
  { name: 'the only attempt', opts: {}, more: {}, want: { kind: 'fail', attempts: 0 } },
  { name: 'attempts left, no back-off', opts: { attempts: 2 }, more: {}, want: { kind: 'retry', lifo: false } },
  { name: 'attempts left and lifo', opts: { attempts: 2, lifo: true }, more: {}, want: { kind: 'retry', lifo: true } },
  { name: 'the last attempt', opts: { attempts: 2 }, more: { attemptsMade: 1 }, want: { kind: 'fail', attempts: 2 } },
  {
    name: 'fixed back-off',
    opts: { attempts: 2, backoff: { type: 'fixed', delay: 70 } },
    more: {},
    want: { kind: 'delay', delayMs: 70, countsAttempt: true },
  },
  { name: 'exponential, first', opts: { attempts: 9, backoff: { type: 'exponential', delay: 100 } }, more: {}, want: { delayMs: 100 } },
  {
    name: 'exponential, fourth',
    opts: { attempts: 9, backoff: { type: 'exponential', delay: 100 } },
    more: { attemptsMade: 3 },
    want: { delayMs: 800 },
  },
  { name: 'full jitter', opts: { attempts: 2, backoff: { type: 'fixed', delay: 100, jitter: 1 } }, more: {}, want: { delayMs: 50 } },
  { name: 'half jitter', opts: { attempts: 2, backoff: { type: 'fixed', delay: 100, jitter: 0.5 } }, more: {}, want: { delayMs: 75 } },
  {
    name: 'a strategy nobody knows',
    opts: { attempts: 2, backoff: { type: 'mine' } },
    more: {},
    want: { kind: 'fail', reason: expect.stringContaining('Unknown backoff strategy mine') },
  },
] as const)('a failure with $name', ({ opts, more, want }) => {
  expect(decideOutcome(record(opts, more), { threw: new Error('boom') }, RULES)).toMatchObject(want);
});

test.each([
  [25.7, { kind: 'delay', delayMs: 25 }],
  [0, { kind: 'retry' }],
  [-1, { kind: 'fail' }],
])("the worker's own strategy answers %p", (customDelayMs, want) => {
  const job = record({ attempts: 5, backoff: { type: 'mine' } });
  expect(decideOutcome(job, { threw: new Error('boom') }, { ...RULES, customDelayMs })).toMatchObject(want);
});

test.each([
  { name: 'an unrecoverable error', threw: new UnrecoverableError('no'), rules: {} },
  { name: 'a discarded job', threw: new Error('no'), rules: { isDiscarded: true } },
  { name: 'too many starts', threw: new Error('no'), rules: { maxStartedAttempts: 1 } },
])('$name is not tried again', ({ threw, rules }) => {
  expect(decideOutcome(record({ attempts: 9 }), { threw }, { ...RULES, ...rules })).toMatchObject({ kind: 'fail', reason: 'no' });
});

test('errors that steer: the job was moved already, or goes back to wait', () => {
  for (const threw of [new DelayedError(), new WaitingError(), new WaitingChildrenError()]) {
    expect(decideOutcome(record({}), { threw }, RULES)).toBeUndefined();
  }
  expect(decideOutcome(record({}), { threw: new RateLimitError() }, RULES)).toEqual({ kind: 'wait', isRateLimited: true });
});

test.each([
  [undefined, 10],
  [2, 2],
  [0, 0],
])('with stackTraceLimit %p the newest %i traces stay', (stackTraceLimit, want) => {
  const old = Array.from({ length: 12 }, (_, at) => `old ${at}`);
  const opts = stackTraceLimit === undefined ? {} : { stackTraceLimit };
  const outcome = decideOutcome(record(opts, { stacktrace: old }), { threw: new Error('newest') }, RULES);
  const traces = JSON.parse((outcome as { stacktrace: string }).stacktrace) as string[];
  expect(traces.length).toBe(want);
  if (want > 0) expect(traces.at(-1)).toContain('Error: newest');
});

test('what is thrown need not be an error', () => {
  expect(decideOutcome(record({}), { threw: 'just text' }, RULES)).toMatchObject({ reason: 'just text' });
});

test.each([
  [true, undefined, { count: 0 }],
  [false, { count: 5 }, { count: -1 }],
  [7, undefined, { count: 7 }],
  [{ age: 60 }, undefined, { count: -1, ageS: 60 }],
  [{ age: 60, count: 3, limit: 9 }, undefined, { count: 3, ageS: 60, limit: 9 }],
  [undefined, { count: 5 }, { count: 5 }],
  [undefined, undefined, { count: -1 }],
])("the job's rule %p, the worker's %p -> %p", (own, workers, want) => {
  expect(keepRule(own, workers)).toEqual(want);
});

test('a job is refused before its run when it has failed already or started too often', () => {
  expect(refusalToRun(record({}, { deferredFailure: 'child x failed' }), undefined)).toBe('child x failed');
  expect(refusalToRun(record({}, { attemptsStarted: 3 }), 2)).toBe('job started more than allowable limit');
  expect(refusalToRun(record({}, { attemptsStarted: 2 }), 2)).toBeUndefined();
});
