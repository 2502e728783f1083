import { resolveWorkerOptions, type WorkerOptions } from './worker-options.js';

test('defaults are those of BullMQ', () => {
  expect(resolveWorkerOptions({})).toMatchObject({
    prefix: 'bull',
    isAutorun: true,
    concurrency: 1,
    profile: { lockMs: 30_000 },
    upkeep: { lockRenewMs: 15_000, stalled: { intervalMs: 30_000, maxCount: 1 }, pollMs: 5_000, maxLimitDelayMs: 30_000 },
    removeOnComplete: undefined,
    removeOnFail: undefined,
    maxStartedAttempts: undefined,
  });
});

test('options of a fetch end up in the profile, so that equal workers share calls', () => {
  const { profile } = resolveWorkerOptions({
    name: 'a',
    lockDuration: 9,
    limiter: { max: 3, duration: 1_000 },
    metrics: { maxDataPoints: 60 },
  });
  expect(profile).toEqual({ name: 'a', lockMs: 9, limiter: { max: 3, durationMs: 1_000 }, maxMetricsSize: 60 });
});

test('renewal and stalled check can be switched off, and retention be given', () => {
  const resolved = resolveWorkerOptions({
    skipLockRenewal: true,
    skipStalledCheck: true,
    removeOnComplete: { count: 0 },
    removeOnFail: { age: 60 },
  });
  expect(resolved.upkeep).toMatchObject({ lockRenewMs: undefined, stalled: undefined });
  expect([resolved.removeOnComplete, resolved.removeOnFail]).toEqual([{ count: 0 }, { age: 60 }]);
});

test.each<[string, WorkerOptions, string]>([
  ['concurrency of 0', { concurrency: 0 }, 'concurrency must be an integer of at least 1, got 0'],
  ['a fraction', { lockDuration: 1.5 }, 'lockDuration must be an integer from 1 to 2147483647, got 1.5'],
  [
    'renewal after the lock has run out',
    { lockDuration: 100, lockRenewTime: 200 },
    'lockRenewTime must be an integer from 1 to 100, got 200',
  ],
  ['a text for a flag', { autorun: 'no' } as never, 'autorun must be true or false, got "no"'],
  ['an incomplete limiter', { limiter: { max: 1 } } as never, 'limiter.duration must be an integer of at least 1, got undefined'],
  ['a number for retention', { removeOnComplete: 5 } as never, 'removeOnComplete must be an object, got 5'],
  ['a mistyped name', { concurency: 5 } as never, 'concurency must be absent: did you mean "concurrency"?, got 5'],
  ['a mistyped name inside', { removeOnFail: { cont: 5 } } as never, 'removeOnFail.cont must be absent: did you mean "count"?, got 5'],
  ['an empty name', { name: '' }, 'name must be a text that is not empty, got ""'],
  ['a drain delay of 0', { drainDelay: 0 }, 'drainDelay must be a number of seconds above 0, 2147483 at most, got 0'],
])('%s is refused', (_, options, message) => {
  expect(() => resolveWorkerOptions(options)).toThrow(message);
});
