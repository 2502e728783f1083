// The main job, end to end: a producer adds one job per file, a cluster of processes works them and is scaled 2 -> 6 -> 3
// meanwhile, and every result is compared with a direct computation. Start it with `npm run demo`.
import { spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { checkResults } from './check.mjs';
import { Cluster } from './cluster.mjs';
import { Completions } from './completions.mjs';
import { hosts, Progress, summary } from './display.mjs';
import { listFiles } from './files.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const USAGE = `usage: npm run demo -- [--dir DIR] [--limit N] [--json]
  --dir    hash and compress the files below this directory (default: the project's node_modules)
  --limit  at most so many files (default: all)
  --json   print one JSON document instead of progress and tables`;
const FIRST = 2;
/** Sizes after the first, and the share of the jobs that is done when each is asked for. */
const STEPS = [
  { after: 1 / 3, workers: 6 },
  { after: 2 / 3, workers: 3 },
];
const STANDSTILL_MS = 90_000;

class UsageError extends Error {}

async function readOptions() {
  let values;
  try {
    const options = {
      dir: { type: 'string' },
      limit: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    };
    ({ values } = parseArgs({ options }));
  } catch (error) {
    throw new UsageError(error.message.split('. ')[0]);
  }
  if (values.help) return { help: true };
  if (values.limit !== undefined && !/^[1-9]\d*$/.test(values.limit))
    throw new UsageError(`--limit must be a whole number of at least 1, got ${values.limit}`);
  const root = resolve(values.dir ?? join(HERE, '..', '..', 'node_modules'));
  if (!(await stat(root).catch(() => undefined))?.isDirectory()) throw new UsageError(`--dir: there is no directory ${root}`);
  if (!process.env.REDIS_URL) throw new UsageError('REDIS_URL is not set; `npm run demo` starts a private server and sets it');
  const files = await listFiles(root, values.limit === undefined ? Number.POSITIVE_INFINITY : Number(values.limit));
  if (files.length === 0) throw new UsageError(`there is no file below ${root}`);
  return { root, files, json: values.json === true, redisUrl: process.env.REDIS_URL };
}

/** One run. Everything it starts is stopped when it returns or throws, also after Ctrl-C (`signal`). */
class Run {
  #options;
  #signal;
  #queue = `demo-${process.pid}`;
  #cluster = new Cluster(`demo-${process.pid}`);
  #progress;
  #redis;
  #completions;
  #producer;
  #sizes = [];

  constructor(options, signal) {
    this.#options = options;
    this.#signal = signal;
    this.#progress = new Progress(process.stdout.isTTY && process.stderr.isTTY && !options.json);
    this.#redis = new Redis(options.redisUrl);
    const blocking = this.#redis.duplicate();
    for (const redis of [this.#redis, blocking]) redis.on('error', () => {}); // what matters rejects the command that was waiting
    this.#completions = new Completions(blocking, this.#queue);
  }

  async run() {
    const { redisUrl, root, files } = this.#options;
    try {
      this.#progress.note(`${files.length} files below ${root}; starting ${FIRST} workers`);
      await this.#cluster.start({ queue: this.#queue, workers: FIRST, redisUrl, signal: this.#signal });
      await this.#noteSize(FIRST);
      const seconds = await this.#workAll();
      await this.#stopCluster();
      await this.#completions.finish(this.#redis);
      return this.#result(seconds, await this.#check());
    } finally {
      this.#progress.end();
      await this.#cleanUp().catch((error) => console.error(`clean-up: ${error.message}`)); // the first error is the one to throw
    }
  }

  /** Adds the jobs, scales while they are worked, and waits for the last one. @returns the seconds it took. */
  async #workAll() {
    const total = this.#options.files.length;
    const startedAt = performance.now();
    const elapsed = () => (performance.now() - startedAt) / 1000;
    const refresh = () => this.#progress.set(this.#completions.finished, { rate: Math.round(this.#completions.finished / elapsed()) });
    this.#progress.beginJobs(total, this.#sizeOf(this.#sizes[0].status));
    this.#completions.on('change', refresh);
    this.#completions.start();
    const work = new AbortController(); // ends the other waits when one of them fails
    const signal = AbortSignal.any([this.#signal, work.signal]);
    try {
      const done = this.#reached(total, signal).then(elapsed);
      const [seconds] = await Promise.all([
        done,
        this.#scaleMeanwhile(total, signal),
        this.#produce(),
        Promise.race([done, this.#primaryEnds()]),
      ]);
      return seconds;
    } finally {
      work.abort();
      this.#completions.off('change', refresh);
      this.#progress.finish();
    }
  }

  /** The producer is a program of its own, with the stock client; it reads the paths from its standard input. */
  async #produce() {
    const { redisUrl, root, files } = this.#options;
    const args = ['--queue', this.#queue, '--root', root, '--max-events', String(Math.max(10_000, files.length * 8))];
    const env = { ...process.env, REDIS_URL: redisUrl };
    this.#producer = spawn(process.execPath, [join(HERE, 'producer.mjs'), ...args], { stdio: ['pipe', 'ignore', 'pipe'], env });
    let stderr = '';
    this.#producer.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    this.#producer.stdin.on('error', () => {}); // it ended early; its exit code says so
    this.#producer.stdin.end(files.map((path) => `${path}\0`).join(''));
    const [code, by] = await once(this.#producer, 'close');
    if (code !== 0) throw new Error(`the producer ended with ${code ?? by}:\n${stderr.trimEnd()}`);
  }

  async #scaleMeanwhile(total, signal) {
    for (const { after, workers } of STEPS) {
      await this.#reached(Math.ceil(total * after), signal);
      await this.#cluster.scale(workers);
      await this.#noteSize(workers);
    }
  }

  /** Waits until so many jobs are finished. @throws when nothing finishes for a long time. */
  async #reached(count, signal) {
    if (this.#completions.finished >= count) return;
    const standstill = new AbortController();
    const alarm = setTimeout(() => standstill.abort(), STANDSTILL_MS);
    try {
      for await (const _ of on(this.#completions, 'change', { signal: AbortSignal.any([signal, standstill.signal]) })) {
        alarm.refresh();
        if (this.#completions.finished >= count) return;
      }
    } catch (error) {
      if (!standstill.signal.aborted) throw error;
      throw new Error(
        `no job finished for ${STANDSTILL_MS / 1000} s, at ${this.#completions.finished} of ${count}:\n${this.#cluster.output}`,
      );
    } finally {
      clearTimeout(alarm);
    }
  }

  async #primaryEnds() {
    const code = await this.#cluster.ended;
    throw new Error(`the primary ended with ${code} before the work was done:\n${this.#cluster.output}`);
  }

  async #noteSize(workers) {
    const status = await this.#cluster.status();
    this.#sizes.push({ workers, status });
    this.#progress.note(`${workers} workers · ${hosts(status)}`);
    this.#progress.set(this.#completions.finished, this.#sizeOf(status));
  }

  #sizeOf(status) {
    return { processes: status.processes.filter(({ state }) => state === 'ready').length, workers: status.groups[0].workers.running };
  }

  async #check() {
    const { root, files } = this.#options;
    const startedAt = performance.now();
    this.#progress.beginCheck(files.length);
    const onProgress = (done) => {
      this.#signal.throwIfAborted();
      this.#progress.set(done, { rate: Math.round((done / (performance.now() - startedAt)) * 1000) });
    };
    const jobIds = [...this.#completions.completed.keys()];
    const checked = await checkResults({ redis: this.#redis, queue: this.#queue, jobIds, root, files, onProgress });
    this.#progress.finish();
    return checked;
  }

  async #stopCluster() {
    const code = await this.#cluster.stop();
    if (code !== 0) throw new Error(`the primary ended with ${code}:\n${this.#cluster.output}`);
  }

  #result(seconds, { missing, repeated, different, byProcess }) {
    const jobs = this.#options.files.length;
    const failed = this.#completions.failed.size;
    const result = {
      jobs,
      completed: this.#completions.completed.size,
      failed,
      duplicates: this.#completions.duplicates + repeated.length,
      mismatches: different.length,
      missing: Math.max(0, missing.length - failed), // the file of a failed job has no result, too
      processes: byProcess.size,
      scaled: this.#sizes.map(({ status }) => status.groups[0].workers.running),
      seconds: Number(seconds.toFixed(2)),
      jobsPerSecond: Math.round(jobs / seconds),
    };
    const reasons = new Set(this.#completions.failed.values());
    return {
      result,
      text: summary(result, this.#sizes, byProcess, this.#options.root),
      reasons,
      paths: [...different, ...repeated, ...missing],
    };
  }

  async #cleanUp() {
    this.#completions.end();
    this.#producer?.kill();
    await this.#cluster.stop();
    for await (const keys of this.#redis.scanStream({ match: `bull:${this.#queue}:*`, count: 1000 }))
      if (keys.length > 0) await this.#redis.unlink(...keys);
    this.#redis.disconnect();
  }

  /** The second Ctrl-C: nothing is waited for. */
  kill() {
    this.#cluster.kill();
  }
}

/** Ctrl-C stops in good order. It may arrive more than once, from the terminal and from npm; again after a second, it means "now". */
function onInterrupt(interrupt, run) {
  let firstAt;
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ]) {
    process.on(signal, () => {
      firstAt ??= performance.now();
      process.exitCode = code;
      interrupt.abort();
      if (performance.now() - firstAt < 1_000) return;
      run.kill();
      process.exit(code);
    });
  }
}

async function main() {
  const options = await readOptions();
  if (options.help) return console.log(USAGE);
  const interrupt = new AbortController();
  const run = new Run(options, interrupt.signal);
  onInterrupt(interrupt, run);
  try {
    const { result, text, reasons, paths } = await run.run();
    console.log(options.json ? JSON.stringify(result) : text);
    if (result.failed + result.duplicates + result.mismatches + result.missing > 0) {
      console.error([...reasons, ...paths].slice(0, 10).join('\n'));
      process.exitCode = 1;
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    console.error('interrupted: the cluster is stopped');
  }
}

main().catch((error) => {
  console.error(error instanceof UsageError ? `${error.message}\n${USAGE}` : error.message);
  process.exitCode = error instanceof UsageError ? 64 : 1;
});
