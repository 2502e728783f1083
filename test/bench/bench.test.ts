/** The whole bench with very few jobs: what it prints and writes, and that no queue is left broken or behind. Its speed is not judged. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.js';
import { ROOT } from '../support/cli.js';
import { startNode } from '../support/process-harness.js';
import { testRedisUrl } from '../support/redis.js';

interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}
interface Report {
  readonly machine: Record<string, string | number | boolean>;
  readonly engines: Record<string, string>;
  readonly workloads: readonly {
    readonly id: string;
    readonly headline: string;
    readonly rounds: number;
    readonly engines: Record<string, Record<string, Figure>>;
    readonly ratios: Record<string, number>;
  }[];
  readonly targets: readonly { readonly workload: string; readonly figure?: string; readonly isReached?: boolean }[];
  readonly broken: readonly string[];
}

const PROGRAM = join(ROOT, 'bench', 'dist', 'bench', 'run.js');
const SMALL = '--rounds 1 --jobs 150 --seconds 0.3 --idle-scale 0.002 --round-trip 20 --settle 20 --fleet 2'.split(' ');
const WITH_CEILING = ['process-100', 'process-500', 'process-timer', 'add-100', 'add-bulk'];
const DROVER_ALONE = ['idle-10000', 'idle-2-queues', 'idle-2000-queues'];

async function runBench(args: readonly string[], limitMs: number) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const program = startNode(PROGRAM, args, { cwd: folder, env: { ...process.env, REDIS_URL: testRedisUrl() } });
  const { code } = await program.exit(limitMs);
  return { code, folder, stdout: program.stdout, stderr: program.stderr };
}

test('all workloads run with all engines, judge every target, and leave whole queues and nothing behind', async () => {
  const { code, folder, stdout, stderr } = await runBench([...SMALL, '--json', '--write'], 220_000);
  expect(stderr).toBe(''); // progress is for terminals
  expect(code).toBe(0);
  const report = JSON.parse(stdout) as Report;

  expect(report.broken).toEqual([]);
  expect(report.machine).toMatchObject({
    cpu: expect.any(String),
    cores: expect.any(Number),
    node: process.version,
    isAppendOnly: expect.any(Boolean),
  });
  expect(report.engines).toMatchObject({ drover: expect.any(String), bullmq: '6.7.0', ceiling: expect.any(String) });
  expect(report.workloads).toHaveLength(19);
  for (const { id, headline, rounds, engines, ratios } of report.workloads) {
    const expected = DROVER_ALONE.includes(id) ? ['drover'] : ['drover', 'bullmq', ...(WITH_CEILING.includes(id) ? ['ceiling'] : [])];
    expect({ id, rounds, engines: Object.keys(engines).sort() }).toEqual({ id, rounds: 1, engines: expected.sort() });
    expect(Object.keys(ratios)).toHaveLength(expected.length - 1);
    for (const figures of Object.values(engines)) {
      expect(figures[headline]?.median).toEqual(expect.any(Number)); // not a NaN, which JSON has no word for
      for (const { median, min, max } of Object.values(figures)) expect(min <= median && median <= max).toBe(true);
    }
  }
  expect(report.targets.length).toBeGreaterThan(25);
  expect(report.targets.filter(({ figure, isReached }) => figure === undefined || isReached === undefined)).toEqual([]);

  const page = readFileSync(join(folder, 'docs', 'benchmarks.md'), 'utf8');
  const charts = readdirSync(join(folder, 'docs', 'benchmarks'));
  expect(charts.length).toBeGreaterThan(3);
  for (const chart of charts) {
    expect(page).toContain(`(benchmarks/${chart})`);
    expect(readFileSync(join(folder, 'docs', 'benchmarks', chart), 'utf8')).toMatch(/^<svg [\s\S]*drover[\s\S]*<\/svg>\n$/);
  }
  for (const { id } of report.workloads) expect(page).toContain(`### ${id}`);

  const redis = new Redis(testRedisUrl());
  atEnd(() => redis.disconnect());
  expect(await redis.keys('bench:*')).toEqual([]);
}, 230_000);

test('figures come from all rounds, tables name what was not measured', async () => {
  const { code, stdout } = await runBench(['--rounds', '2', '--jobs', '50', '--workloads', 'add-bulk,start-up'], 60_000);
  expect(code).toBe(0);
  expect(stdout).toContain('addBulk of 1,000');
  expect(stdout).toContain('medians of 2 rounds');
  expect(stdout).toMatch(/add-bulk +│ >= 2\.5x bullmq/);
  expect(stdout).not.toContain('process-100');
}, 70_000);

test.each([
  { args: ['--workloads', 'proces'], says: 'unknown workload "proces"' },
  { args: ['--rounds', '0'], says: '--rounds: must be a number above 0, got "0"' },
  { args: ['--jobs', '1.5'], says: '--jobs: must be a whole number, got "1.5"' },
  { args: ['--fast'], says: "Unknown option '--fast'" },
])('$args is refused with one line', async ({ args, says }) => {
  const { code, stderr, stdout } = await runBench(args, 20_000);
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
  expect(stderr).toContain(says);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});
