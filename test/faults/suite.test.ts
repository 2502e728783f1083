/** The fault suite as `npm run faults` starts it, for a short time. */
import { join } from 'node:path';
import { ROOT } from '../support/cli.js';
import { startNode } from '../support/process-harness.js';

const SUITE = join(ROOT, 'faults', 'dist', 'faults', 'run.js');

test('random faults on a cluster under load: every job completes once, by the run that holds its lock', async () => {
  const suite = startNode(SUITE, ['--minutes', '0.4', '--faults', '8', '--rate', '150', '--json']);
  const { code } = await suite.exit(200_000);
  if (code !== 0) throw new Error(`the suite ended with ${code}\n${suite.output}`);
  const { verdict, recoveries, objections } = JSON.parse(suite.stdout);
  expect(objections).toEqual([]);
  expect(verdict).toMatchObject({ lost: 0, completedTwice: 0, failed: 0, withoutLock: 0, overlaps: 0, eventsMissed: 0, broken: [] });
  expect(verdict.completed).toBe(verdict.jobs);
  expect(recoveries.length).toBeGreaterThanOrEqual(8);
}, 210_000);
