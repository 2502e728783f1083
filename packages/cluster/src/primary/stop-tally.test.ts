import type { JobRef } from '../protocol/index.js';
import { StopTally } from './stop-tally.js';

const job = (jobId: string): JobRef => ({ queue: 'mail', jobId, startedAt: 1 });
const clean = { finished: 2, aborted: 0, returned: [], lost: [], lingering: [] };

test.each([
  { name: 'all finished', reports: [clean, clean], code: 0 },
  { name: 'one aborted', reports: [clean, { ...clean, aborted: 1 }], code: 80 },
  { name: 'one returned', reports: [{ ...clean, returned: [job('1')] }], code: 80 },
  { name: 'one lost beside others returned', reports: [{ ...clean, returned: [job('1')], lost: [job('2')] }], code: 81 },
  { name: 'a worker that was abandoned, as nobody knows what it held,', reports: [{ ...clean, abandoned: ['mail#1'] }], code: 81 },
])('$name is $code', ({ reports, code }) => {
  const tally = new StopTally();
  for (const report of reports) tally.add(report);
  expect(tally.report(false).exitCode).toBe(code);
  expect(tally.report(true).exitCode).toBe(79);
});

test.each([
  { name: 'recovered from a killed process', inHand: [job('1')], recovered: [job('1'), job('2')], code: 80 },
  { name: 'of a foreign worker, in no list of ours', inHand: [job('1')], recovered: [], code: 81 },
  { name: 'unknown, as Redis cannot be asked', inHand: [], recovered: undefined, code: 81 },
  { name: 'a killed process that held nothing', inHand: [], recovered: [], code: 0 },
])('$name is $code', ({ inHand, recovered, code }) => {
  const tally = new StopTally();
  tally.addSilent(inHand, recovered);
  expect(tally.report(false).exitCode).toBe(code);
});

test('lists are cut at 100 over all processes', () => {
  const tally = new StopTally();
  for (let n = 0; n < 3; n++) tally.add({ ...clean, returned: Array.from({ length: 60 }, (_, i) => job(`${n}-${i}`)) });
  const { drained } = tally.report(false);
  expect([drained.finished, drained.returned.length]).toEqual([6, 100]);
});

test('abandoned workers are named', () => {
  const tally = new StopTally();
  tally.add({ ...clean, abandoned: ['mail#1'] });
  tally.add({ ...clean, abandoned: ['mail#2'] });
  expect(tally.report(false).drained.abandoned).toEqual(['mail#1', 'mail#2']);
});
