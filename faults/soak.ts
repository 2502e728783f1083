/** `npm run soak`: processes are killed and replaced all the time; afterwards the primary must hold no more than at the beginning. */
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { readGauges } from './gauges.js';
import { type Growth, growthOf, type Sample } from './growth.js';
import { Random } from './random.js';
import { replaceBetween } from './report.js';
import { SoakedCluster, type SoakedJobs } from './soaked-cluster.js';

const USAGE = `npm run soak -- [options]

  --minutes 60      how long processes are killed
  --per-minute 50   how many of them a minute
  --rate 20         jobs added a second
  --seed n          repeats the choices of a run, not its timing
  --json            print one document
  --write           write the table into docs/guarantees.md`;

export interface SoakOptions {
  readonly minutes: number;
  readonly perMinute: number;
  readonly rate: number;
  readonly seed: number;
}

export interface SoakReport extends SoakOptions {
  readonly seconds: number;
  readonly restarts: number;
  readonly samples: number;
  readonly jobs: SoakedJobs;
  readonly growth: readonly Growth[];
  /** Empty: nothing grew, and no job was lost. */
  readonly objections: readonly string[];
}

/** Restarts before anything is compared: they fill the tables that are bounded, such as the last 20 exits of each slot. */
const WARM_UP = 70;
/** So many commands are remembered at most; and are given before anything is compared. */
const COMMANDS = 220;
const SAMPLES = 60;
const FASTEST_SAMPLES_MS = 2_000;

class Soak {
  readonly samples: Sample[] = [];
  restarts = 0;
  readonly #random: Random;

  constructor(
    private readonly cluster: SoakedCluster,
    private readonly options: SoakOptions,
  ) {
    this.#random = new Random(options.seed);
  }

  async warmUp(): Promise<void> {
    for (let nth = 0; nth < COMMANDS; nth++) await this.cluster.scaleTo(6, { wait: true });
    while (this.restarts < WARM_UP) {
      await this.#kill();
      await this.cluster.untilWhole();
    }
  }

  /** Kills at a steady rate. Now and then it waits until everything is replaced, and looks; the rate makes up for it. */
  async run(): Promise<void> {
    const { minutes, perMinute } = this.options;
    const startedAt = performance.now();
    const lengthMs = minutes * 60_000;
    const sampleEveryMs = Math.max(FASTEST_SAMPLES_MS, lengthMs / SAMPLES);
    const before = this.restarts;
    for (let sampleAt = 0; performance.now() - startedAt < lengthMs; ) {
      const atMs = performance.now() - startedAt;
      if (atMs >= sampleAt) {
        await this.#sample(Math.round(atMs));
        sampleAt += sampleEveryMs;
      }
      const dueMs = startedAt + ((this.restarts - before) * 60_000) / perMinute - performance.now();
      await delay(Math.max(0, Math.min(dueMs, startedAt + lengthMs - performance.now())));
      if (dueMs < lengthMs) await this.#kill();
    }
    await this.#sample(Math.round(performance.now() - startedAt));
  }

  async #sample(atMs: number): Promise<void> {
    if (this.cluster.unexpected !== undefined) throw new Error(this.cluster.unexpected);
    await this.cluster.untilWhole();
    const gauges = readGauges();
    this.samples.push({ atMs, restarts: this.restarts, gauges });
    process.stderr.write(`${JSON.stringify({ atMs, restarts: this.restarts, ...gauges })}\n`);
  }

  async #kill(): Promise<void> {
    await this.cluster.killOne(this.#random.next());
    this.restarts++;
    if (this.restarts % 5 === 0) await this.cluster.scaleTo(this.#random.between(3, 6), { wait: false });
  }
}

/** One soak. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  process.stderr.write(`seed ${options.seed}\n`);
  const cluster = await SoakedCluster.start(options.rate, options.seed);
  try {
    const startedAt = performance.now();
    const soak = new Soak(cluster, options);
    await soak.warmUp();
    await soak.run();
    const jobs = await cluster.finish();
    const growth = growthOf(soak.samples);
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    const { samples, restarts } = soak;
    return { ...options, seconds, restarts, samples: samples.length, jobs, growth, objections: objectionsTo(jobs, growth) };
  } finally {
    await cluster.end();
  }
}

function objectionsTo({ added, completed, poisoned, waiting, broken }: SoakedJobs, growth: readonly Growth[]): string[] {
  const grown = growth.filter(({ isTooMuch }) => isTooMuch);
  const lost = added - completed - poisoned - waiting;
  return [
    ...grown.map(({ gauge, first, last, allowed }) => `${gauge} grew from ${first} to ${last}, by more than ${allowed}`),
    ...(lost === 0 ? [] : [`${lost} jobs lost`]),
    ...broken.slice(0, 20),
  ];
}

export function renderSoak({ seconds, restarts, samples, jobs, growth, seed, objections }: SoakReport): string {
  const show = (gauge: string, value: number): string => (gauge.endsWith('Bytes') ? `${(value / 1e6).toFixed(1)} MB` : String(value));
  return [
    '| What the primary holds | First tenth | Last tenth | Growth allowed |',
    '|---|---:|---:|---:|',
    ...growth.map(({ gauge, ...of }) => `| ${gauge} | ${show(gauge, of.first)} | ${show(gauge, of.last)} | ${show(gauge, of.allowed)} |`),
    '',
    `${restarts} processes killed and replaced in ${seconds} s (seed ${seed}); medians of ${samples} looks, each after a garbage collection.`,
    `Of ${jobs.added} jobs ${jobs.completed} completed, ${jobs.poisoned} failed because processes ended with them in hand too often,`,
    `${jobs.waiting} wait for one of those.`,
    ...(objections.length > 0 ? ['', 'BROKEN:', ...objections] : []),
  ].join('\n');
}

/** Runs one, prints it, and writes it into the page if asked to. @returns the exit code. */
export async function soakAndPrint(options: SoakOptions, { json, write }: { json: boolean; write: boolean }): Promise<number> {
  const report = await runSoak(options);
  console.log(json ? JSON.stringify(report) : renderSoak(report));
  if (write) replaceBetween('soak', renderSoak(report));
  return report.objections.length > 0 ? 1 : 0;
}

async function main(argv: string[]): Promise<number> {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const flag = { type: 'boolean', default: false } as const;
  const seed = text(String(Date.now() % 1_000_000));
  const options = { minutes: text('60'), 'per-minute': text('50'), rate: text('20'), seed, json: flag, write: flag, help: flag };
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    ({ values } = parseArgs({ args: argv, options }));
  } catch (error) {
    console.error((error as Error).message);
    return 64;
  }
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { minutes, rate } = values;
  const numbers = { minutes: Number(minutes), perMinute: Number(values['per-minute']), rate: Number(rate), seed: Number(values.seed) };
  if (!Object.values(numbers).every((number) => number > 0)) {
    console.error('--minutes, --per-minute, --rate and --seed must be numbers above 0');
    return 64;
  }
  return soakAndPrint(numbers, values);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = await main(process.argv.slice(2));
