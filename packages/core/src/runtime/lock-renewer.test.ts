import { queueRef } from '../keys/queue-keys.js';
import { ManualClock, silentLogger } from '../kit/index.js';
import type { HeldLockRef } from '../store/index.js';
import { HeldJob, type JobOwner, type Pool } from './consumer.js';
import { LockRenewer } from './lock-renewer.js';
import { Outage } from './outage.js';

const queue = queueRef('mail');
const pool = { profile: { lockMs: 1_000 }, queue: { inHand: 0 } } as unknown as Pool;
const owner: JobOwner = { committed: () => undefined, refused: () => undefined, lost: () => undefined };

function rig() {
  const clock = new ManualClock();
  const renewed: string[][] = [];
  const lost: string[] = [];
  const redis = { missing: [] as string[], isAway: false };
  const store = {
    async extendLocks(_queue: unknown, locks: readonly HeldLockRef[]) {
      if (redis.isAway) throw new Error('connection lost');
      renewed.push(locks.map(({ jobId }) => jobId));
      return redis.missing;
    },
  };
  const outage = new Outage(
    clock,
    () => undefined,
    () => 0.5,
  );
  const renewer = new LockRenewer(
    store,
    clock,
    outage,
    silentLogger,
    (job) => void lost.push(job.jobId),
    (error) => {
      throw error;
    },
  );
  const hold = (id: string): HeldJob => {
    const job = new HeldJob({ record: { id } as never, token: 'inc:1' }, queue, pool, owner, 600, clock.now(), clock.monotonic());
    renewer.hold(job);
    return job;
  };
  return { clock, renewer, renewed, lost, redis, hold };
}

/** Lets what a timer started come to its end. */
const settle = () => new Promise(setImmediate);

test('one timer renews every lock when half of its renewal time is over, and again after as much', async () => {
  const { clock, renewer, renewed, hold } = rig();
  renewer.pace(600);
  hold('1');
  const ages: number[] = [];
  for (let last = 0; clock.monotonic() < 2_000; ) {
    const before = renewed.length;
    clock.advance(100);
    await settle();
    if (renewed.length === before) continue;
    ages.push(clock.monotonic() - last);
    last = clock.monotonic();
  }
  expect(ages).toEqual([400, 400, 400, 400, 400]);
  renewer.stop();
  clock.advance(5_000);
  expect(renewed).toHaveLength(5);
});

test('a shorter renewal time makes passes more frequent, a longer one does not slow them down', async () => {
  const { clock, renewer, renewed, hold } = rig();
  renewer.pace(60_000);
  renewer.pace(300);
  renewer.pace(60_000);
  hold('1');
  clock.advance(300);
  await settle();
  expect(renewed).toEqual([['1']]);
  renewer.stop();
});

test('a running job whose lock is missing is lost once; one about to be committed is not', async () => {
  const { clock, renewer, lost, redis, hold } = rig();
  hold('1');
  const settled = hold('2');
  settled.phase = 'settled';
  redis.missing = ['1', '2'];
  clock.advance(400);
  await renewer.renewDue();
  clock.advance(400);
  await renewer.renewDue();
  expect(lost).toEqual(['1']);
  expect([...renewer.held]).toEqual([settled]);
});

test('while Redis is away a lock is given up only when its time has run out', async () => {
  const { clock, renewer, lost, redis, hold } = rig();
  hold('1');
  redis.isAway = true;
  clock.advance(900);
  await renewer.renewDue();
  expect(lost).toEqual([]);
  clock.advance(100);
  await renewer.renewDue();
  expect(lost).toEqual(['1']);
});

test('a lock older than its time is renewed if Redis answers: it decides whose it is', async () => {
  const { clock, renewer, lost, renewed, hold } = rig();
  hold('1');
  clock.advance(5_000);
  await renewer.renewDue();
  expect([lost, renewed]).toEqual([[], [['1']]]);
});
