import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Queue } from 'bullmq-v6';
import { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.js';
import { ROOT } from '../support/cli.js';
import { brokenInvariants, completedTwice } from '../support/invariants.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';

const QUEUE = 'pm2';

/** A pm2 daemon of its own, with a queue that its app works. */
async function pm2WithQueue() {
  const folder = await mkdtemp(join(tmpdir(), 'dp-')); // short: pm2 keeps unix sockets in its home
  const prefix = freshPrefix();
  const name = `pm2-${prefix}`;
  const config = join(folder, 'drover.config.mjs');
  const processor = join(ROOT, 'test/control/fixtures/timed-job.mjs');
  await writeFile(
    config,
    `export default ${JSON.stringify({ name, prefix, queue: QUEUE, processor, workers: 2, concurrency: 5, processes: { max: 2 } })};`,
  );
  const env = { ...process.env, PM2_HOME: join(folder, 'home'), DROVER_CONFIG: config, REDIS_URL: testRedisUrl() };
  const pm2 = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'node_modules/pm2/bin/pm2'), ...args], { env, cwd: ROOT });
    return stdout;
  };
  atEnd(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  atEnd(() => pm2('kill'));
  const redis = new Redis(testRedisUrl());
  atEnd(() => redis.disconnect());
  const queue = new Queue(QUEUE, { prefix, connection: { url: testRedisUrl() } });
  atEnd(() => queue.close());
  const app = async (): Promise<{ status: string; exitCode: number; logs: string }> => {
    const list: { pm2_env: { status: string; exit_code: number; pm_err_log_path: string; pm_out_log_path: string } }[] = JSON.parse(
      await pm2('jlist', '--silent'),
    );
    const found = list[0]?.pm2_env;
    if (!found) throw new Error('pm2 has no app');
    const logs = await Promise.all([found.pm_err_log_path, found.pm_out_log_path].map((path) => readFile(path, 'utf8')));
    return { status: found.status, exitCode: found.exit_code, logs: logs.join('') };
  };
  return { pm2, app, redis, queue, prefix, folder };
}

/** How often each job went back to wait: a fetch under way when a stop begins brings jobs that are given back unstarted. */
async function timesGivenBack(redis: Redis, prefix: string): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  for (const [, fields] of await redis.xrange(`${prefix}:${QUEUE}:events`, '-', '+')) {
    const [, jobId] = /^event waiting jobId (\S+) prev active$/.exec(fields.join(' ')) ?? [];
    if (jobId) times.set(jobId, (times.get(jobId) ?? 0) + 1);
  }
  return times;
}

test('acceptance 10: start, stop and restart under load: every job is completed once and none is charged an attempt', async () => {
  const { pm2, app, redis, queue, prefix } = await pm2WithQueue();
  const jobs = await queue.addBulk(Array.from({ length: 600 }, () => ({ name: 'timed', data: { ms: 40 } })));
  const completed = () => queue.getCompletedCount();

  await pm2('start', 'ecosystem.config.js');
  expect((await app()).status).toBe('online');
  await until(async () => (await completed()) >= 50, { what: '50 jobs', limitMs: 20_000 });

  await pm2('stop', 'drover');
  expect(await app()).toMatchObject({ status: 'stopped', exitCode: 0 });
  const stopped = await queue.getJobCounts('completed', 'waiting', 'active', 'failed');
  expect(stopped).toMatchObject({ active: 0, failed: 0 });
  expect((stopped.completed ?? 0) + (stopped.waiting ?? 0)).toBe(600);
  expect(stopped.waiting).toBeGreaterThan(0);
  expect(await brokenInvariants(redis, QUEUE, { prefix, isIdle: true })).toEqual([]);

  await pm2('restart', 'drover');
  await until(async () => (await completed()) >= (stopped.completed ?? 0) + 50, { what: '50 more jobs', limitMs: 20_000 });
  await pm2('restart', 'drover');
  await until(async () => (await completed()) === 600, { what: 'all jobs', limitMs: 30_000 });
  await pm2('stop', 'drover');

  expect(await completedTwice(redis, QUEUE, prefix)).toEqual([]);
  expect(await brokenInvariants(redis, QUEUE, { prefix, isIdle: true })).toEqual([]);
  const finished = await queue.getCompleted(0, -1);
  const returns = await timesGivenBack(redis, prefix);
  expect(finished.filter((job) => job.attemptsMade !== 1 || job.stalledCounter !== 0)).toEqual([]);
  expect(finished.filter((job) => job.attemptsStarted !== 1 + (returns.get(job.id as string) ?? 0))).toEqual([]);
  expect(new Set(finished.map((job) => job.returnvalue))).toEqual(new Set(jobs.map((job) => job.id)));
}, 120_000);

test('acceptance 11: launched in cluster mode it exits with 78 and says what to change', async () => {
  const { pm2, app, folder } = await pm2WithQueue();
  const ecosystem = join(folder, 'cluster.config.cjs');
  const script = join(ROOT, 'packages/cluster/bin/primary.js');
  await writeFile(
    ecosystem,
    `module.exports = { apps: [{ name: 'drover', script: ${JSON.stringify(script)}, args: [process.env.DROVER_CONFIG], exec_mode: 'cluster', stop_exit_codes: [78] }] };`,
  );
  await pm2('start', ecosystem);
  const { logs } = await until(
    async () => {
      const seen = await app();
      return seen.status === 'stopped' && seen.logs.includes('exec_mode') && seen;
    },
    { what: 'the app to end' },
  );
  expect(logs).toMatch(/^.*exec_mode: 'fork'.*$/m);
}, 60_000);
