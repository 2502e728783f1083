import { setImmediate as turn } from 'node:timers/promises';
import { deferred, ManualClock } from '@drover/core/kit';
import type { DrainLimits } from './drain.js';
import { OrphanDrain } from './orphan-drain.js';

function setup() {
  const clock = new ManualClock();
  const drained = deferred();
  const limits: DrainLimits[] = [];
  const exits: number[] = [];
  const orphan = new OrphanDrain({
    clock,
    drain: (asked) => {
      limits.push(asked);
      return drained.promise;
    },
    exit: (code) => exits.push(code),
  });
  return { clock, drained, limits, exits, orphan };
}

test('it exits with 93 as soon as the drain is over', async () => {
  const { drained, limits, exits, orphan } = setup();
  orphan.begin(10_000);
  orphan.begin(10_000);
  expect(limits).toEqual([{ drainMs: 8_000, abortLeadMs: 4_000 }]);
  expect(exits).toEqual([]);
  drained.resolve();
  await turn();
  expect(exits).toEqual([93]);
});

test('a drain that fails ends it, too', async () => {
  const { drained, exits, orphan } = setup();
  orphan.begin(10_000);
  drained.reject(new Error('redis is gone'));
  await turn();
  expect(exits).toEqual([93]);
});

test('a drain that hangs is cut off at the deadline', () => {
  const { clock, exits, orphan } = setup();
  orphan.begin(10_000);
  clock.advance(9_999);
  expect(exits).toEqual([]);
  clock.advance(1);
  expect(exits).toEqual([93]);
});

test('signals do nothing before, then shorten to the abort lead, then to nothing', () => {
  const { limits, orphan } = setup();
  orphan.onSignal('SIGTERM');
  orphan.begin(4_000);
  orphan.onSignal('SIGHUP');
  orphan.onSignal('SIGTERM');
  orphan.onSignal('SIGINT');
  expect(limits.map(({ drainMs }) => drainMs)).toEqual([2_000, 1_000, 0]);
});
