import { join } from 'node:path';
import { ROOT } from '../support/cli.js';
import { startNode } from '../support/process-harness.js';
import { testRedisUrl } from '../support/redis.js';

test('the main job: 2,000 files, scaled 2 -> 6 -> 3 while they are worked, every one once and none different', async () => {
  const demo = startNode(join(ROOT, 'examples/demo/demo.mjs'), ['--json', '--limit', '2000'], {
    env: { ...process.env, REDIS_URL: testRedisUrl() },
  });
  const { code } = await demo.exit(90_000);
  if (code !== 0) throw new Error(`the demo ended with ${code}\n${demo.output}`);
  const report = JSON.parse(demo.stdout);
  expect(report).toMatchObject({ jobs: 2_000, completed: 2_000, failed: 0, missing: 0, duplicates: 0, mismatches: 0, scaled: [2, 6, 3] });
  expect(report.processes).toBeGreaterThan(1);
}, 100_000);
