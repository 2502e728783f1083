import { ManualClock } from '../kit/index.js';
import { Outage } from './outage.js';

test('failures at once count once, and tries become rarer until one succeeds', () => {
  const clock = new ManualClock();
  const tries: number[] = [];
  const outage: Outage = new Outage(
    clock,
    () => {
      tries.push(clock.monotonic());
      outage.failed();
    },
    () => 0.999_999,
  );
  expect([outage.failed(), outage.failed()]).toEqual([true, false]);
  expect([outage.isOngoing, outage.mayTry]).toEqual([true, false]);
  clock.advance(500);
  expect(tries).toEqual([20, 70, 170, 370]);
  expect(outage.succeeded()).toBe(true);
  clock.advance(60_000);
  expect(tries).toHaveLength(4);
  expect([outage.isOngoing, outage.mayTry, outage.succeeded()]).toEqual([false, true, false]);
});

test('a connection that is back ends the wait', () => {
  const clock = new ManualClock();
  let tries = 0;
  const outage = new Outage(
    clock,
    () => tries++,
    () => 0.5,
  );
  outage.tryNow();
  expect(tries).toBe(0);
  outage.failed();
  outage.tryNow();
  expect([tries, outage.mayTry]).toEqual([1, true]);
});
