import { ManualClock, silentLogger } from '@drover/core/kit';
import type { GroupConfig } from '../config/resolved.js';
import type { JobRef } from '../protocol/index.js';
import { type HeldAgainst, type RecoveredIds, RecoverJobs } from './recover-jobs.js';
import { groupConfig } from './testing/group-config.js';

class Store {
  readonly asked: string[] = [];
  held = 1;
  isAway = false;

  heldBy(): Promise<number> {
    return Promise.resolve(this.held);
  }

  recoverDead(group: GroupConfig, incarnation: string, end: HeldAgainst | undefined): Promise<RecoveredIds> {
    const against = end ? ` ${end.how}${end.wasAlone ? ' alone' : ''}` : '';
    this.asked.push(`${group.queue} ${incarnation}${against}`);
    if (group.queue === 'away' || this.isAway) return Promise.reject(new Error('offline'));
    return Promise.resolve({ ids: ['7'], poisoned: end ? ['7'] : [] });
  }
}

const foreign = { kind: 'worker', url: 'file:///w.js' } as const;
const setUp = (...groups: GroupConfig[]) => {
  const clock = new ManualClock();
  const store = new Store();
  const poison: string[] = [];
  const onPoison = (jobs: readonly JobRef[], how: string) =>
    void poison.push(...jobs.map(({ queue, jobId }) => `${queue}/${jobId} ${how}`));
  return { clock, store, poison, jobs: new RecoverJobs(groups, { store, clock, logger: silentLogger, onPoison }) };
};

test('looks at once and again five seconds later, once per queue, not at foreign workers', async () => {
  const { clock, store, jobs } = setUp(
    groupConfig('mail'),
    groupConfig('twin', { queue: 'mail' }),
    groupConfig('own', { module: foreign }),
  );
  expect(await jobs.recover('a')).toEqual([{ queue: 'mail', jobId: '7', startedAt: 0 }]);
  expect(store.asked).toEqual(['mail a']);
  clock.advance(5_000);
  await jobs.finish();
  expect(store.asked).toEqual(['mail a', 'mail a']);
  clock.advance(60_000);
  expect(store.asked).toHaveLength(2);
});

test('says when a queue could not be asked', async () => {
  const { jobs } = setUp(groupConfig('mail'), groupConfig('away'));
  expect(await jobs.recover('a')).toBeUndefined();
});

test('finish takes the second looks now', async () => {
  const { clock, store, jobs } = setUp(groupConfig('mail'));
  await jobs.recover('a');
  await jobs.finish();
  expect(store.asked).toHaveLength(2);
  clock.advance(10_000);
  expect(store.asked).toHaveLength(2);
});

test('an abnormal end counts against what was in hand at it, and says whether that was one job; the second look does not count', async () => {
  const { store, poison, jobs } = setUp(groupConfig('mail'));
  await jobs.recover('a', 'killed by SIGSEGV');
  await jobs.finish();
  store.held = 2;
  await jobs.recover('b', 'exited with 7');
  await jobs.finish();
  expect(store.asked).toEqual(['mail a killed by SIGSEGV alone', 'mail a', 'mail b exited with 7', 'mail b']);
  expect(poison).toEqual(['mail/7 killed by SIGSEGV', 'mail/7 exited with 7']);
});

test('with one job in each of two queues none was alone', async () => {
  const { store, jobs } = setUp(groupConfig('mail'), groupConfig('other'));
  await jobs.recover('a', 'exited with 7');
  expect(store.asked).toEqual(['mail a exited with 7', 'other a exited with 7']);
});

test('a first look that could not be taken is counted by the second', async () => {
  const { store, jobs } = setUp(groupConfig('mail'));
  store.isAway = true;
  await jobs.recover('a', 'exited with 7');
  store.isAway = false;
  await jobs.finish();
  expect(store.asked).toEqual(['mail a exited with 7 alone', 'mail a exited with 7']);
});
