/**
 * How fast instant jobs are worked: Drover beside the stock bullmq client, interleaved in one run, on one Redis.
 *
 *     npm run bench -- [--jobs 20000] [--rounds 5] [--concurrency 1,100,500] [--json]
 *
 * Each round fills a fresh queue and starts one worker in a process of its own; the clock runs from the start of the worker to its last
 * job. Reported are medians with their range, and ratios; both engines emit all of BullMQ's events.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Queue } from 'bullmq-v6';
import Table from 'cli-table3';
import { Redis } from 'ioredis';

const ENGINES = ['drover', 'bullmq'];
const MEASURES = ['jobsPerSecond', 'nodeUs', 'redisUs'];
const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '5' },
    concurrency: { type: 'string', default: '1,100,500' },
    json: { type: 'boolean', default: false },
  },
});
const jobs = Number(values.jobs);
const rounds = Number(values.rounds);
const url = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const redis = new Redis(url);

/** One round of one engine: jobs/s, and CPU per job of its process and of Redis, in microseconds. */
async function round(engine, concurrency, count) {
  const name = `bench-${engine}-${process.hrtime.bigint()}`;
  const queue = new Queue(name, { connection: { url } });
  for (let at = 0; at < count; at += 1_000) {
    await queue.addBulk(Array.from({ length: Math.min(1_000, count - at) }, (_, i) => ({ name: 'instant', data: { n: at + i } })));
  }
  const child = fork(new URL('./worker-process.mjs', import.meta.url), [engine, name, String(concurrency), String(count), url]);
  await once(child, 'message'); // loaded and connected
  const redisBefore = await redisCpuUs();
  child.send('go');
  const [{ ms, cpuUs }] = await once(child, 'message');
  const redisUs = (await redisCpuUs()) - redisBefore;
  await once(child, 'exit');
  await queue.obliterate({ force: true });
  await queue.close();
  return { jobsPerSecond: (count / ms) * 1_000, nodeUs: cpuUs / count, redisUs: redisUs / count };
}

async function redisCpuUs() {
  const info = await redis.info('cpu');
  const seconds = (key) => Number(new RegExp(`^${key}:(.*)$`, 'm').exec(info)?.[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1_000_000;
}

function middle(rows, measure) {
  const sorted = rows.map((row) => row[measure]).sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)], min: sorted[0], max: sorted.at(-1) };
}

/** All engines at one concurrency, taking turns. */
async function compare(concurrency) {
  const count = concurrency === 1 ? Math.ceil(jobs / 4) : jobs;
  const rows = Object.fromEntries(ENGINES.map((engine) => [engine, []]));
  for (let n = 1; n <= rounds; n++) {
    for (const engine of ENGINES) {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[Kconcurrency ${concurrency}, round ${n} of ${rounds}, ${engine}`);
      rows[engine].push(await round(engine, concurrency, count));
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  const summary = (engine) => Object.fromEntries(MEASURES.map((measure) => [measure, middle(rows[engine], measure)]));
  const engines = Object.fromEntries(ENGINES.map((engine) => [engine, summary(engine)]));
  return { concurrency, jobs: count, engines, ratio: engines.drover.jobsPerSecond.median / engines.bullmq.jobsPerSecond.median };
}

function print({ machine, results }) {
  const table = new Table({ head: ['concurrency', 'engine', 'jobs/s (min-max)', 'Node us/job', 'Redis us/job', 'ratio'] });
  const whole = (value) => Math.round(value).toLocaleString('en');
  for (const { concurrency, engines, ratio } of results) {
    for (const engine of ENGINES) {
      const { jobsPerSecond: rate, nodeUs, redisUs } = engines[engine];
      const range = `${whole(rate.median)} (${whole(rate.min)}-${whole(rate.max)})`;
      const share = engine === 'drover' ? `${ratio.toFixed(2)}x` : '';
      table.push([concurrency, engine, range, nodeUs.median.toFixed(1), redisUs.median.toFixed(1), share]);
    }
  }
  console.log(table.toString());
  console.log(`${machine.cores} cores, ${machine.cpu}, Node ${machine.node}, Redis ${machine.redis}; medians of ${rounds} rounds`);
}

const results = [];
for (const concurrency of values.concurrency.split(',').map(Number)) results.push(await compare(concurrency));
const machine = {
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  node: process.version,
  redis: /^redis_version:(.*)\r$/m.exec(await redis.info('server'))?.[1],
};
redis.disconnect();
if (values.json) console.log(JSON.stringify({ machine, rounds, results }));
else print({ machine, results });
