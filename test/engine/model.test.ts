/**
 * Random sequences of operations, done to a model in memory, to Drover and to BullMQ 6.7, at the same times: states, order, times,
 * counters, replies and events agree. `MODEL_SEED=<n> MODEL_SEQUENCES=1` repeats a failure, `MODEL_SEQUENCES=<n>` runs more, and
 * `MODEL_EACH_STEP=1` compares after each operation instead of each sequence, which ends at the first that differs.
 */
import { isDeepStrictEqual } from 'node:util';
import { Queue } from '@drover/core';
import * as v6 from 'bullmq-v6';
import { Redis } from 'ioredis';
import { queueRef } from '../../packages/core/src/keys/queue-keys.js';
import { Connections } from '../../packages/core/src/redis/index.js';
import { ConsumerStore } from '../../packages/core/src/store/index.js';
import { atEnd } from '../support/at-end.js';
import { QueueModel } from '../support/model.js';
import { randomOperation, SeededRandom } from '../support/model-operations.js';
import { exchangeTurn, manualTurn, observe, perform, type Subject, type SubjectQueue } from '../support/model-subjects.js';
import type { Operation } from '../support/model-terms.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';

const SEQUENCES = Number(process.env.MODEL_SEQUENCES ?? 1_000);
const SEED = Number(process.env.MODEL_SEED ?? Math.floor(Math.random() * 2 ** 31));
const STEPS = 24;
const STEP_MS = 10;
const LANES = Math.min(16, SEQUENCES);
const LOCK_MS = 600_000;
const START = 1_700_000_000_000;

const realNow = Date.now;
let now = START;

beforeAll(() => {
  Date.now = () => now; // one clock for both libraries, which take their time from here
  atEnd(() => {
    Date.now = realNow;
  });
});

/** One queue of each library, used for one sequence after another. */
class Lane {
  readonly #redis: Redis;
  readonly #subjects: readonly (Subject & { readonly base: string })[];
  #random = new SeededRandom(0);
  #model = new QueueModel();
  #done: Operation[] = [];
  #replies: string[][] = [];

  constructor(name: string, redis: Redis, consumer: ConsumerStore) {
    this.#redis = redis;
    const connection = { url: testRedisUrl(), maxRetriesPerRequest: null };
    const [ours, theirs] = [freshPrefix(), freshPrefix()];
    const queue = new Queue(name, { connection: testRedisUrl(), prefix: ours });
    const their = new v6.Queue(name, { connection, prefix: theirs });
    let worker: v6.Worker | undefined;
    const makeWorker = () => {
      worker = new v6.Worker(name, null, { connection, prefix: theirs, autorun: false, lockDuration: LOCK_MS });
      return worker;
    };
    atEnd(() => Promise.all([queue.close(), their.close(), worker?.close()]));
    const ref = queueRef(name, ours);
    const exchange = async (outcomes: Parameters<Parameters<typeof exchangeTurn>[0]>[0], want: number, token: string) => {
      const call = { queue: ref, profile: { lockMs: LOCK_MS }, now: Date.now(), outcomes, want, share: 1, token };
      const [reply] = await consumer.exchange([call]);
      if (!reply || reply instanceof Error) throw reply;
      if (reply.codes.some((code) => code !== 0)) throw new Error(`codes ${reply.codes.join(', ')}`);
      return reply.jobs;
    };
    const die = (base: string) => async (jobId: string) => void (await redis.del(`${base}${jobId}:lock`));
    const ourCheck = async (maxStalledCount: number) => {
      await redis.del(`${ref.base}stalled-check`); // the interval is over
      await consumer.moveStalled(ref, { maxStalledCount, stalledIntervalMs: LOCK_MS, now: Date.now() });
    };
    const base = `${theirs}:${name}:`;
    const theirCheck = async (maxStalledCount: number) => {
      await redis.del(`${base}stalled-check`);
      const checking = { connection, prefix: theirs, autorun: false, maxStalledCount, stalledInterval: LOCK_MS };
      const checker = new v6.Worker(name, null, checking);
      await checker.startStalledCheckTimer();
      await until(async () => (await redis.exists(`${base}stalled-check`)) === 1, { what: "BullMQ's stalled check", everyMs: 1 });
      await checker.close();
    };
    this.#subjects = [
      { base: ref.base, queue: queue as unknown as SubjectQueue, turn: exchangeTurn(exchange), die: die(ref.base), check: ourCheck },
      { base, queue: their as unknown as SubjectQueue, turn: manualTurn(their, makeWorker), die: die(base), check: theirCheck },
    ];
  }

  begin(seed: number): void {
    this.#random = new SeededRandom(seed);
    this.#model = new QueueModel();
    this.#done = [];
    this.#replies = [];
  }

  async step(): Promise<void> {
    const operation = randomOperation(this.#random, this.#model);
    this.#done.push(operation);
    this.#replies.push(await Promise.all(this.#subjects.map((subject) => perform(subject, operation))));
    this.#model.apply(operation, now);
  }

  /** @throws where model, Drover and BullMQ differ, with the operations done so far. */
  async compare(seed: number): Promise<void> {
    const [ours, theirs] = await Promise.all(this.#subjects.map(({ base }) => observe(this.#redis, base)));
    const [counts, theirCounts] = await Promise.all(this.#subjects.map(({ queue }) => queue.getJobCounts()));
    const model = this.#model.observe();
    const replies = this.#replies.map(([our]) => our);
    const theirReplies = this.#replies.map(([, their]) => their);
    const drover = { model: ours?.observed, events: ours?.events, replies, counts: { ...counts } };
    const bullmq = { model: theirs?.observed, events: theirs?.events, replies: theirReplies, counts: { ...theirCounts } };
    if (isDeepStrictEqual(drover, bullmq) && isDeepStrictEqual(drover.model, model)) return;
    const story = this.#done.map((operation, at) => `${at} ${JSON.stringify(operation)} -> ${this.#replies[at]?.join(' | ')}`).join('\n');
    try {
      expect({ drover }).toEqual({ drover: bullmq });
      expect({ bullmq: bullmq.model }).toEqual({ bullmq: model });
    } catch (error) {
      throw new Error(`MODEL_SEED=${seed} MODEL_SEQUENCES=1 repeats this\n${story}\n${(error as Error).message}`);
    }
    throw new Error(`MODEL_SEED=${seed}: Drover and BullMQ agree, as expect sees it, but are not deeply equal`);
  }

  async wipe(): Promise<void> {
    for (const { base } of this.#subjects) {
      const keys = (await this.#redis.call('EVAL', "return redis.call('KEYS', ARGV[1])", 0, `${base}*`)) as string[];
      if (keys.length > 0) await this.#redis.del(...keys);
    }
  }
}

test(`${SEQUENCES} random sequences of ${STEPS} operations, from seed ${SEED}`, async () => {
  const redis = new Redis(testRedisUrl());
  const connections = new Connections({ connection: testRedisUrl() });
  atEnd(() => redis.disconnect());
  atEnd(() => connections.close());
  await connections.command.whenReady();
  const consumer = new ConsumerStore(connections.scripts);
  const lanes = Array.from({ length: LANES }, (_, at) => new Lane(`m${at}`, redis, consumer));
  for (let first = 0; first < SEQUENCES; first += LANES) {
    const seeds = Array.from({ length: Math.min(LANES, SEQUENCES - first) }, (_, at) => SEED + first + at);
    now = START;
    for (const [at, seed] of seeds.entries()) lanes[at]?.begin(seed);
    for (let step = 0; step < STEPS; step++) {
      now += STEP_MS;
      await Promise.all(seeds.map((_, at) => lanes[at]?.step()));
      if (process.env.MODEL_EACH_STEP) for (const [at, seed] of seeds.entries()) await lanes[at]?.compare(seed);
    }
    await Promise.all(seeds.map((seed, at) => lanes[at]?.compare(seed)));
    await Promise.all(lanes.map((lane) => lane.wipe()));
  }
}, 600_000);
