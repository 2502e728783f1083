/** The soak as `npm run soak` starts it, for a short time. */
import { join } from 'node:path';
import { ROOT } from '../support/cli.js';
import { startNode } from '../support/process-harness.js';

const SOAK = join(ROOT, 'faults', 'dist', 'faults', 'soak.js');

test('acceptance 19: processes that are killed and replaced all the time leave nothing behind in the primary', async () => {
  const soak = startNode(SOAK, ['--minutes', '0.5', '--per-minute', '100', '--json']);
  const { code } = await soak.exit(200_000);
  if (code !== 0) throw new Error(`the soak ended with ${code}\n${soak.output}`);
  const { jobs, growth, objections, restarts } = JSON.parse(soak.stdout);
  expect(objections).toEqual([]);
  expect(restarts).toBeGreaterThan(80);
  expect(jobs.completed + jobs.poisoned + jobs.waiting).toBe(jobs.added);
  const kept = Object.fromEntries(
    growth.map(({ gauge, first, last }: { gauge: string; first: number; last: number }) => [gauge, last - first]),
  );
  expect(kept.listeners).toBeLessThan(20);
  expect(kept.handles).toBeLessThan(8);
}, 210_000);
