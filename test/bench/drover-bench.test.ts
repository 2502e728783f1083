/** `drover bench` against a Redis of the user's: what it prints, and that it leaves nothing there, also when it is interrupted. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.js';
import { drover, droverJson, ROOT, startDrover } from '../support/cli.js';
import { descendants } from '../support/process-harness.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';

/** A folder of an application that has the stock client or not, whatever the tests themselves could load. */
function application(hasBullmq = false) {
  const cwd = mkdtempSync(join(tmpdir(), 'bench-'));
  atEnd(() => rmSync(cwd, { recursive: true, force: true }));
  if (hasBullmq) {
    mkdirSync(join(cwd, 'node_modules'));
    symlinkSync(realpathSync(join(ROOT, 'node_modules', 'bullmq-v6')), join(cwd, 'node_modules', 'bullmq'));
  }
  return { cwd, env: { ...process.env, NODE_PATH: '' } };
}

function setUp() {
  const prefix = freshPrefix();
  const redis = new Redis(testRedisUrl());
  atEnd(() => redis.disconnect());
  return { prefix, keys: () => redis.keys(`${prefix}:*`), args: ['bench', '--redis', testRedisUrl(), '--prefix', prefix] };
}

test.each([
  { where: 'alone', hasBullmq: false, engines: ['drover'] },
  { where: 'beside the bullmq that is installed in the folder', hasBullmq: true, engines: ['drover', 'bullmq'] },
])('it measures the workloads that are named, $where, and removes its queues', async ({ hasBullmq, engines }) => {
  const { args, keys } = setUp();
  const report = await droverJson<{ workloads: { id: string; engines: Record<string, object> }[] }>(
    [...args, '--workloads', 'process-100,add-100', '--rounds', '1', '--jobs', '100'],
    application(hasBullmq),
  );
  expect(report.workloads.map((each) => [each.id, Object.keys(each.engines)])).toEqual([
    ['process-100', engines],
    ['add-100', engines],
  ]);
  expect(await keys()).toEqual([]);
});

test('a table says the same to a person', async () => {
  const { args } = setUp();
  const { code, stdout, stderr } = await drover([...args, '--workloads', 'add-bulk', '--rounds', '1', '--jobs', '100'], application());
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('addBulk of 1,000');
  expect(stdout).toMatch(/Redis us\/job/);
});

test('interrupted, it removes what it has begun', async () => {
  const { args, keys } = setUp();
  const program = startDrover([...args, '--workloads', 'latency-100', '--seconds', '3600', '--rounds', '1'], application());
  await until(async () => (await keys()).some((key) => /-\d+:completed$/.test(key) && !key.includes('-warm-')), {
    what: 'jobs to be completed',
    limitMs: 20_000,
  });
  program.child.kill('SIGINT');
  expect(await program.exit()).toEqual({ code: 1, signal: null });
  expect(program.stderr).toContain('drover: interrupted');
  expect(await keys()).toEqual([]);
});

test('a load process that dies ends the run with its name', async () => {
  const { args } = setUp();
  const program = startDrover([...args, '--workloads', 'latency-100', '--seconds', '3600', '--rounds', '1'], application());
  const load = await until(() => descendants(program.pid).at(0), { what: 'a load process to start' });
  process.kill(load, 'SIGKILL');
  expect(await program.exit()).toEqual({ code: 1, signal: null });
  expect(program.stderr).toMatch(/^drover: a load process \(drover, work\) ended by SIGKILL/m);
});

test.each([
  { args: ['--workloads', 'nothing'], says: '--workloads: unknown workload "nothing"; there are process-1,' },
  { args: ['--rounds', '0'], says: '--rounds: must be a whole number of at least 1, got "0"' },
])('$args is refused', async ({ args, says }) => {
  const { code, stderr } = await drover(['bench', ...args]);
  expect(code).toBe(64);
  expect(stderr).toContain(says);
});
