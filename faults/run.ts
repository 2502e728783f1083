/** `npm run faults`: a cluster under steady load and random faults; afterwards the books have to balance. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Queue } from '@drover/core';
import { deferred } from '@drover/core/kit';
import { until } from '../test/support/until.js';
import { EventBook } from './event-book.js';
import { QUEUE } from './job-data.js';
import { type FaultKind, KINDS, type Part } from './kinds.js';
import { judge, objections, POISONED } from './ledger.js';
import { Random } from './random.js';
import { type Recovery, renderReport, type SuiteReport, writePage } from './report.js';
import { soakAndPrint } from './soak.js';
import { PREFIX, System } from './system.js';

const USAGE = `npm run faults -- [options]

  --minutes 10   how long faults are struck; jobs that are left are then worked off
  --seed n       repeats the choices of a run, not its timing
  --rate 200     jobs added a second
  --faults n     goes on beyond the minutes until so many were struck
  --soak         three minutes of \`npm run soak\` instead: the primary must not grow (--minutes, --seed, --json)
  --json         print one document
  --write        write the table into docs/guarantees.md`;
/** So many at a time, as far as they do not touch the same part. */
const LANES = 2;
const STANDSTILL_MS = 60_000;

/** Strikes random faults until the time is over. Owns which parts are under a fault. */
class Storm {
  readonly recoveries: Recovery[] = [];
  readonly #busy = new Set<Part>();
  #turnstile: Promise<void> = Promise.resolve();

  constructor(
    private readonly system: System,
    private readonly random: Random,
    private readonly endsAt: number,
    private readonly fewest: number,
  ) {}

  async rage(): Promise<void> {
    await Promise.all(Array.from({ length: LANES }, () => this.#lane()));
  }

  async #lane(): Promise<void> {
    while (performance.now() < this.endsAt || this.recoveries.length < this.fewest) {
      if (this.system.unexpected !== undefined) throw new Error(this.system.unexpected);
      await this.#strike(await this.#choose());
      await delay(this.random.between(50, 800));
    }
  }

  /** One at a time comes to its choice, and waits there until its parts are free: a fault that needs many parts gets its turn. */
  async #choose(): Promise<FaultKind> {
    const before = this.#turnstile;
    const passed = deferred();
    this.#turnstile = passed.promise;
    await before;
    try {
      const kind = this.random.pick(KINDS.flatMap((each) => Array<FaultKind>(each.weight).fill(each)));
      const isFree = (): boolean => !kind.parts.some((part) => this.#busy.has(part));
      await until(isFree, { what: `the turn of "${kind.name}"`, limitMs: 120_000 });
      for (const part of kind.parts) this.#busy.add(part);
      return kind;
    } finally {
      passed.resolve();
    }
  }

  async #strike(kind: FaultKind): Promise<void> {
    try {
      this.recoveries.push({ kind: kind.name, ms: await kind.strike(this.system, this.random) });
    } catch (error) {
      throw new Error(`${kind.name}: ${(error as Error).message}`, { cause: error });
    } finally {
      for (const part of kind.parts) this.#busy.delete(part);
    }
  }
}

/** All jobs done, or no progress for a minute: the verdict says which. */
async function workOff(system: System, book: EventBook): Promise<void> {
  let seen = -1;
  let movedAt = performance.now();
  const look = (): boolean => {
    const done = book.completed.size + book.failed.size;
    if (done !== seen) movedAt = performance.now();
    seen = done;
    return seen >= system.added.size || performance.now() - movedAt > STANDSTILL_MS;
  };
  await until(look, { what: 'the jobs to be worked off', limitMs: 30 * 60_000, everyMs: 100 });
}

/**
 * A healthy job may have been in hand at three ends by chance: the rule against poison jobs has failed it then. An operator would retry it,
 * and so does the suite, for every job to complete. @returns how many there were
 */
async function retryPoisoned(system: System, book: EventBook): Promise<number> {
  const ids = [...book.failed].flatMap(([id, reason]) => (POISONED.test(reason) && !book.completed.has(id) ? [id] : []));
  const queue = new Queue(QUEUE, { connection: system.server.url, prefix: PREFIX });
  for (const id of ids) {
    book.poisoned.add(id);
    book.failed.delete(id);
    await (await queue.getJob(id))?.retry('failed');
  }
  await queue.close();
  return ids.length;
}

interface Asked {
  readonly minutes: number;
  /** Not fewer than so many faults, however slow the machine. */
  readonly faults: number;
  readonly seed: number;
  readonly rate: number;
}

async function runSuite({ minutes, faults, seed, rate }: Asked): Promise<SuiteReport> {
  const system = await System.start({ seed, rate });
  const reader = system.redis.duplicate();
  reader.on('error', () => undefined);
  try {
    const book = new EventBook(reader, `${PREFIX}:${QUEUE}:events`);
    book.start();
    const startedAt = performance.now();
    const storm = new Storm(system, new Random(seed), startedAt + minutes * 60_000, faults);
    await storm.rage();
    await system.endLoad();
    await workOff(system, book);
    while (await retryPoisoned(system, book)) await workOff(system, book);
    const exitCode = await system.stopCluster();
    const verdict = await judge(system, book);
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    const broken = objections(verdict);
    if (exitCode !== 0) broken.push(`the primary ended with ${exitCode}`);
    return { seed, seconds, recoveries: storm.recoveries, verdict, objections: broken };
  } catch (error) {
    process.stderr.write(`${system.log}\n`);
    throw error;
  } finally {
    reader.disconnect();
    await system.end();
  }
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new RangeError(`--${name}: must be a number above 0, got "${text}"`);
  return value;
}

async function main(argv: string[]): Promise<number> {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    minutes: { type: 'string' } as const,
    soak: flag,
    seed: text(String(Date.now() % 1_000_000)),
    rate: text('200'),
    faults: text('1'),
    json: flag,
    write: flag,
    help: flag,
  };
  let asked: Asked & { readonly soak: boolean; readonly json: boolean; readonly write: boolean };
  try {
    const { values } = parseArgs({ args: argv, options });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const { minutes = values.soak ? '3' : '10', seed, rate, faults } = values;
    asked = {
      ...values,
      minutes: numberOf('minutes', minutes),
      faults: numberOf('faults', faults),
      seed: numberOf('seed', seed),
      rate: numberOf('rate', rate),
    };
  } catch (error) {
    console.error((error as Error).message);
    return 64;
  }
  if (asked.soak)
    return soakAndPrint({ minutes: asked.minutes, perMinute: 50, rate: 20, seed: asked.seed }, { json: asked.json, write: false });
  process.stderr.write(`seed ${asked.seed}\n`);
  const report = await runSuite(asked);
  console.log(asked.json ? JSON.stringify(report) : renderReport(report));
  if (asked.write) writePage(report);
  return report.objections.length > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
