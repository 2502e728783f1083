import { queueRef } from '../keys/queue-keys.js';
import { locksDue, type RenewableLock, renewalBatches, renewalTickMs } from './locks-due.js';

const lock = (over: Partial<RenewableLock>): RenewableLock => ({
  phase: 'running',
  isRenewing: false,
  lockedAt: 0,
  lockRenewMs: 1_000,
  ...over,
});

describe('locksDue', () => {
  test.each([
    { name: 'a lock younger than half its renewal time waits', over: {}, now: 499, due: 0 },
    { name: 'one of half its renewal time is renewed', over: {}, now: 500, due: 1 },
    { name: 'an outcome that waits for a turn keeps its lock', over: { phase: 'settled' as const }, now: 700, due: 1 },
    { name: 'a lock about to be released is left alone', over: { phase: 'sent' as const }, now: 700, due: 0 },
    { name: 'one already being renewed, too', over: { isRenewing: true }, now: 700, due: 0 },
    { name: 'a consumer may renew its locks itself', over: { lockRenewMs: undefined }, now: 9_000, due: 0 },
  ])('$name', ({ over, now, due }) => {
    expect(locksDue([lock(over)], now)).toHaveLength(due);
  });

  test('passes are frequent enough that no lock gets older than its renewal time', () => {
    for (const renewMs of [3, 50, 999, 15_000]) {
      const tick = renewalTickMs(renewMs);
      let oldest = 0;
      for (let taken = 0; taken < tick; taken++) {
        let now = 0;
        while (locksDue([lock({ lockedAt: taken, lockRenewMs: renewMs })], now).length === 0) now += tick;
        oldest = Math.max(oldest, now - taken);
      }
      expect(oldest).toBeLessThanOrEqual(renewMs);
    }
  });
});

test('batches hold one queue and one lock time, and at most 500 locks', () => {
  const [a, b] = [queueRef('a'), queueRef('b')];
  const many = Array.from({ length: 501 }, () => ({ queue: a, lockMs: 30 }));
  const batches = renewalBatches([...many, { queue: b, lockMs: 30 }, { queue: a, lockMs: 60 }]);
  expect(batches.map((batch) => [batch.queue.name, batch.lockMs, batch.locks.length])).toEqual([
    ['a', 30, 500],
    ['a', 30, 1],
    ['b', 30, 1],
    ['a', 60, 1],
  ]);
});
