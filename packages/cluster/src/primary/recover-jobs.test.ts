import { ManualClock, silentLogger } from '@drover/core/kit';
import type { GroupConfig } from '../config/resolved.js';
import { RecoverJobs } from './recover-jobs.js';
import { groupConfig } from './testing/group-config.js';

class Store {
  readonly asked: string[] = [];
  recoverDead(group: GroupConfig, incarnation: string): Promise<readonly string[]> {
    this.asked.push(`${group.queue} ${incarnation}`);
    return group.queue === 'away' ? Promise.reject(new Error('offline')) : Promise.resolve(['7']);
  }
}

const foreign = { kind: 'worker', url: 'file:///w.js' } as const;
const setUp = (...groups: GroupConfig[]) => {
  const clock = new ManualClock();
  const store = new Store();
  return { clock, store, jobs: new RecoverJobs(store, groups, clock, silentLogger) };
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
