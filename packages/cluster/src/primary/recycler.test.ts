import { ManualClock, silentLogger } from '@drover/core/kit';
import type { RecycleConfig } from '../config/resolved.js';
import type { SlotView } from './observed-state.js';
import { Recycler } from './recycler.js';

const none = Number.POSITIVE_INFINITY;
const limits: RecycleConfig = { softBytes: 100, hardBytes: 200, maxJobs: none, maxAgeMs: none, jitter: 0, minIntervalMs: 10_000 };

function bench(change: Partial<RecycleConfig> = {}, count = 2) {
  const clock = new ManualClock();
  const rss = new Map<number, number>();
  const slots: SlotView[] = Array.from({ length: count }, (_, slot) => view(slot, `p${slot}`));
  const did: string[] = [];
  const events: unknown[] = [];
  const is = { running: true, idle: true };
  const recycler = new Recycler(
    { ...limits, ...change },
    {
      clock,
      random: () => 0.5,
      logger: silentLogger,
      slots: () => slots,
      trials: () => new Set(),
      isRunning: () => is.running,
      isIdle: () => is.idle,
      rssOf: (pid) => rss.get(pid),
      replace: (slot, reason) => void did.push(`replace ${slot} ${reason}`),
      drain: (slot) => void did.push(`drain ${slot}`),
      publish: ({ state, slot }) => void events.push(`${state} ${slot}`),
    },
  );
  recycler.start();
  const seconds = (n: number): void => {
    for (let i = 0; i < n; i++) clock.advance(1_000);
  };
  const renew = (slot: number): void => void slots.splice(slot, 1, view(slot, `${slots[slot]?.incarnation}'`));
  return { clock, rss, slots, did, events, is, seconds, renew, recycler };
}

function view(slot: number, incarnation: string, jobs = 0): SlotView {
  const beat = { jobsCompleted: jobs, jobsFailed: 0, rssBytes: 50 } as SlotView['beat'];
  return { slot, state: 'ready', incarnation, pid: slot, beat, retiring: false } as SlotView;
}

test('a process over its soft limit is replaced once, and not again while it drains', () => {
  const { rss, did, events, seconds, is } = bench();
  seconds(12);
  rss.set(1, 120);
  seconds(1);
  is.idle = false;
  rss.set(0, 130);
  seconds(5);
  expect(did).toEqual(['replace 1 memory']);
  is.idle = true;
  seconds(1);
  expect(did).toEqual(['replace 1 memory', 'replace 0 memory']);
  expect(events).toEqual(['begun 1', 'begun 0']);
});

test('one whose replacement failed is left alone for the interval', () => {
  const { rss, did, seconds } = bench({}, 1);
  seconds(12);
  rss.set(0, 120);
  seconds(10);
  expect(did).toHaveLength(1);
  seconds(1);
  expect(did).toHaveLength(2);
});

test('one over the hard limit drains at once, also during a replacement, and one at a time', () => {
  const { rss, did, seconds, is, renew } = bench();
  seconds(12);
  is.idle = false;
  rss.set(0, 200);
  rss.set(1, 300);
  seconds(3);
  expect(did).toEqual(['drain 1']);
  rss.set(1, 50);
  renew(1);
  seconds(1);
  expect(did).toEqual(['drain 1', 'drain 0']);
});

test('one born over its limit stops recycling by memory, said once, until it is gone', () => {
  const { rss, did, events, seconds, renew } = bench();
  rss.set(0, 500);
  seconds(20);
  rss.set(1, 150);
  seconds(20);
  expect(did).toEqual([]);
  expect(events).toEqual(['stopped 0']);
  rss.set(0, 50);
  renew(0);
  seconds(1);
  expect(did).toEqual(['replace 1 memory']);
});

test('jobs and age; where the system does not say, memory is that of the heartbeat', () => {
  const { slots, did, seconds } = bench({ softBytes: 60, maxJobs: 100, maxAgeMs: 60_000 });
  seconds(12);
  slots.splice(0, 1, view(0, 'p0', 100));
  seconds(1);
  expect(did).toEqual(['replace 0 recycle']);
  slots.splice(0, 1, view(0, 'q'));
  seconds(50);
  expect(did).toEqual(['replace 0 recycle', 'replace 1 recycle']);
  slots.splice(0, 1, { ...view(0, 'q'), beat: { ...view(0, 'q').beat, rssBytes: 70 } as SlotView['beat'] });
  seconds(1);
  expect(did.at(-1)).toBe('replace 0 memory');
});

test('without limits it does not tick, and neither does one that was stopped act', () => {
  const free = bench({ softBytes: none, hardBytes: none });
  free.seconds(12);
  free.rss.set(0, 1e12);
  free.seconds(5);
  const { rss, did, seconds, recycler } = bench();
  seconds(12);
  recycler.stop();
  rss.set(0, 150);
  seconds(5);
  expect([...free.did, ...did]).toEqual([]);
});
