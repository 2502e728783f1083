import { setImmediate as turn } from 'node:timers/promises';
import { type Deadline, deferred, ManualClock } from '@drover/core/kit';
import type { DrainReport, JobRef } from '../protocol/index.js';
import { type DrainTarget, drainLimits, ProcessDrain } from './drain.js';
import { addReports, cutReport, emptyReport } from './drain-report.js';

const job = (jobId: string): JobRef => ({ queue: 'mail', jobId, startedAt: 1 });

class Target implements DrainTarget {
  readonly report = deferred<DrainReport>();
  readonly ends: { remainingMs: number; abortLeadMs: number }[] = [];
  quiesced = 0;

  async quiesce(): Promise<void> {
    this.quiesced++;
  }

  hand(): readonly JobRef[] {
    return [job('1')];
  }

  endWorkers(deadline: Deadline, abortLeadMs: number): Promise<DrainReport> {
    this.ends.push({ remainingMs: deadline.remainingMs(), abortLeadMs });
    return this.report.promise;
  }
}

test.each([
  { mode: 'drain', want: { drainMs: 25_000, abortLeadMs: 5_000 } },
  { mode: 'fast', want: { drainMs: 5_000, abortLeadMs: 5_000 } },
  { mode: 'now', want: { drainMs: 0, abortLeadMs: 5_000 } },
] as const)('limits of $mode', ({ mode, want }) => {
  expect(drainLimits(mode, { drainMs: 25_000, abortLeadMs: 5_000 })).toEqual(want);
});

test('a drain stops fetching, ends the workers, and tells the hand each second until it is over', async () => {
  const clock = new ManualClock();
  const target = new Target();
  const told: (readonly JobRef[])[] = [];
  const drain = new ProcessDrain(target, clock, (hand) => told.push(hand));
  const done = drain.run({ drainMs: 25_000, abortLeadMs: 5_000 });
  expect(target).toMatchObject({ quiesced: 1, ends: [{ remainingMs: 25_000, abortLeadMs: 5_000 }] });
  clock.advance(2_500);
  expect(told).toEqual([[job('1')], [job('1')]]);
  target.report.resolve({ ...emptyReport(), finished: 1 });
  await expect(done).resolves.toMatchObject({ finished: 1 });
  clock.advance(10_000);
  expect(told).toHaveLength(2);
});

test('a second drain joins the first; it may shorten it, not lengthen it', async () => {
  const clock = new ManualClock();
  const target = new Target();
  const drain = new ProcessDrain(target, clock, () => undefined);
  const first = drain.run({ drainMs: 10_000, abortLeadMs: 5_000 });
  const second = drain.run({ drainMs: 60_000, abortLeadMs: 5_000 });
  void drain.run({ drainMs: 1_000, abortLeadMs: 200 });
  expect(target.ends.map(({ remainingMs }) => remainingMs)).toEqual([10_000, 10_000, 1_000]);
  expect(target.quiesced).toBe(1);
  target.report.resolve({ ...emptyReport(), finished: 2 });
  await turn();
  expect(await first).toBe(await second);
});

test('reports add up, and are cut to what a message carries', () => {
  const many = Array.from({ length: 150 }, (_, n) => job(String(n)));
  const one: DrainReport = { finished: 1, aborted: 2, returned: many, lost: [job('a')], lingering: [] };
  const sum = addReports([one, one]);
  expect(sum).toMatchObject({ finished: 2, aborted: 4, lost: [job('a'), job('a')], lingering: [] });
  expect(sum.returned).toHaveLength(300);
  expect(cutReport(sum)).toMatchObject({ finished: 2, aborted: 4, returned: many.slice(0, 100) });
});
