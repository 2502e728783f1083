/** The parts of the demo that judge the work, with a stock BullMQ worker that does it: they must see what is wrong. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Worker } from 'bullmq-v6';
import { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.js';
import { ROOT } from '../support/cli.js';
import { startNode } from '../support/process-harness.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';

const DEMO = join(ROOT, 'examples', 'demo');
const { listFiles } = await import(join(DEMO, 'files.mjs'));
const { Completions } = await import(join(DEMO, 'completions.mjs'));
const { checkResults } = await import(join(DEMO, 'check.mjs'));
const { default: processor } = await import(join(DEMO, 'processor.mjs'));

function client(): Redis {
  const redis = new Redis(testRedisUrl());
  atEnd(() => redis.status === 'end' || redis.disconnect());
  return redis;
}

/** A tree of `count` files in two levels of folders, with a link to a folder and one to a file, which are none. */
function tree(count: number): string {
  const root = mkdtempSync(join(tmpdir(), 'demo-test-'));
  atEnd(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'a', 'b'), { recursive: true });
  for (let i = 0; i < count; i++) writeFileSync(join(root, i % 2 ? 'a' : 'a/b', `file ${i}\n.txt`), `content ${i} `.repeat(i));
  symlinkSync(join(root, 'a'), join(root, 'folder-link'));
  symlinkSync(join(root, 'a', 'b', 'file 0\n.txt'), join(root, 'file-link'));
  return root;
}

/** One queue whose jobs were added by the demo's producer and finished by a stock worker. */
async function workedQueue(root: string, files: readonly string[]) {
  const queue = freshPrefix(); // a queue of its own: the demo keeps to the prefix `bull`
  const redis = client();
  atEnd(async () => redis.unlink(...(await redis.keys(`bull:${queue}:*`))));
  const args = ['--queue', queue, '--root', root, '--max-events', '50000'];
  const producer = startNode(join(DEMO, 'producer.mjs'), args, { env: { ...process.env, REDIS_URL: testRedisUrl() } });
  producer.child.stdin!.end(files.map((path) => `${path}\0`).join(''));
  expect(await producer.exit()).toEqual({ code: 0, signal: null });
  const worker = new Worker(queue, processor, { connection: { url: testRedisUrl() }, concurrency: 4 });
  atEnd(() => worker.close());
  const completions = new Completions(client(), queue);
  completions.start();
  await until(() => completions.finished === files.length, { what: `${files.length} jobs to finish` });
  await worker.close();
  const check = () => checkResults({ redis, queue, jobIds: [...completions.completed.keys()], root, files, onProgress: () => {} });
  return { queue, redis, completions, check };
}

test('every file is listed once, links are not followed, and a limit takes evenly spaced ones', async () => {
  const root = tree(10);
  const all = await listFiles(root, Number.POSITIVE_INFINITY);
  expect(all).toHaveLength(10);
  expect(new Set(all).size).toBe(10);
  expect(await listFiles(root, 5)).toEqual([all[0], all[2], all[4], all[6], all[8]]);
});

test('a run without fault is found without fault', async () => {
  const root = tree(600);
  const files: string[] = await listFiles(root, Number.POSITIVE_INFINITY);
  const { queue, redis, completions, check } = await workedQueue(root, files);
  await completions.finish(redis);
  expect([completions.completed.size, completions.failed.size, completions.duplicates]).toEqual([600, 0, 0]);
  expect(await check()).toEqual({ missing: [], repeated: [], different: [], byProcess: new Map([[process.pid, 600]]) });
  expect(await redis.hget(`bull:${queue}:meta`, 'opts.maxLenEvents')).toBe('50000');

  const content = Buffer.from('content 7 '.repeat(7));
  const returned = JSON.parse((await redis.hget(`bull:${queue}:${1 + files.indexOf('a/file 7\n.txt')}`, 'returnvalue'))!);
  expect(returned).toEqual({
    sha256: createHash('sha256').update(content).digest('hex'),
    gzipBytes: gzipSync(content, { level: 9 }).length,
    pid: process.pid,
  });
});

test('a wrong result, a job done twice, a file with two jobs and one with none are seen', async () => {
  const root = tree(20);
  const files: string[] = await listFiles(root, Number.POSITIVE_INFINITY);
  const { queue, redis, completions, check } = await workedQueue(root, files);
  const job = (id: number) => `bull:${queue}:${id}`;
  const spoil = async (id: number, change: object) => {
    const returned = JSON.parse((await redis.hget(job(id), 'returnvalue'))!);
    await redis.hset(job(id), 'returnvalue', JSON.stringify({ ...returned, ...change }));
  };
  await spoil(1, { sha256: '00' });
  await spoil(2, { gzipBytes: 1 });
  await redis.hset(job(4), 'data', (await redis.hget(job(5), 'data'))!);
  await redis.hset(job(4), 'returnvalue', (await redis.hget(job(5), 'returnvalue'))!);
  await redis.xadd(`bull:${queue}:events`, '*', 'event', 'completed', 'jobId', '7', 'returnvalue', '{}', 'prev', 'active');
  await redis.xadd(`bull:${queue}:events`, '*', 'event', 'failed', 'jobId', '99', 'failedReason', 'no such file', 'prev', 'active');
  await completions.finish(redis);
  expect(completions.duplicates).toBe(1);
  expect([...completions.failed]).toEqual([['99', 'no such file']]);
  const { missing, repeated, different } = await check();
  expect({ missing, repeated, different }).toEqual({ missing: [files[3]], repeated: [files[4]], different: [files[0], files[1]] });
});

test.each([
  { args: ['--limit', '0'], want: '--limit must be a whole number of at least 1, got 0' },
  { args: ['--dir', '/no/such/folder'], want: '--dir: there is no directory /no/such/folder' },
  { args: ['--fast'], want: "Unknown option '--fast'" },
])('bad input is one clear line and the usage: $args', async ({ args, want }) => {
  const program = startNode(join(DEMO, 'demo.mjs'), args, { env: { ...process.env, REDIS_URL: testRedisUrl() } });
  expect(await program.exit()).toEqual({ code: 64, signal: null });
  expect(program.stderr.split('\n').slice(0, 2)).toEqual([want, expect.stringMatching(/^usage: npm run demo/)]);
  expect(program.stdout).toBe('');
});
