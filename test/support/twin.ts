/**
 * Two queues that BullMQ filled alike, one under Drover's hands and one under BullMQ's: after the same operation, both must hold the same
 * keys, fields and events. Names, times and ids that chance gives are made equal before the comparison.
 */
import { Queue, type QueueOptions } from '@drover/core';
import * as v5 from 'bullmq-v5';
import * as v6 from 'bullmq-v6';
import { Redis } from 'ioredis';
import { atEnd } from './at-end.js';
import { brokenInvariants } from './invariants.js';
import { freshPrefix, testRedisUrl } from './redis.js';

/** What both classes offer; a test calls what it tests. */
// biome-ignore lint/suspicious/noExplicitAny: the same calls on two classes
export type EitherQueue = any;

export interface Twins {
  readonly ours: Queue;
  readonly theirs: v6.Queue;
  readonly prefixes: readonly [ours: string, theirs: string];
  readonly redis: Redis;
  /** Does the same to both with stock BullMQ: `queue` is its Queue, `other(name)` another queue under the same prefix. */
  prepare(step: (place: TwinPlace) => Promise<unknown>): Promise<void>;
  /** The operation under test, on Drover's queue and on BullMQ's; `open`: another queue of the same class. What it returned or threw, comparable. */
  both(
    operation: (queue: EitherQueue, open: (name: string) => EitherQueue) => Promise<unknown>,
  ): Promise<readonly [ours: unknown, theirs: unknown]>;
  /** Every key of both, comparable. */
  dumps(): Promise<readonly [ours: KeyDump, theirs: KeyDump]>;
  /** Invariants of the data model that Drover's keys break. */
  broken(isIdle?: boolean): Promise<string[]>;
}

export interface TwinPlace {
  readonly queue: v6.Queue;
  readonly prefix: string;
  readonly connection: { readonly url: string };
  /** Runs until as many jobs have finished; jobs named `bad` fail. */
  work(finished: number, options?: Partial<v6.WorkerOptions>): Promise<void>;
}

/** BullMQ 6, or 5 under the same types. */
export type Stock = Pick<typeof v6, 'Queue' | 'Worker' | 'FlowProducer'>;

/** Whose twin Drover can be. */
export const stocks: readonly { readonly version: string; readonly stock: Stock; readonly isV5: boolean }[] = [
  { version: 'BullMQ 6.7', stock: v6, isV5: false },
  { version: 'BullMQ 5.81', stock: v5 as unknown as Stock, isV5: true },
];

export type KeyDump = Readonly<Record<string, unknown>>;

/** @param stock the BullMQ that fills both queues and has the second one under its hands. */
export async function twins(stock: Stock = v6, options: QueueOptions = {}, name = 'mail'): Promise<Twins> {
  const url = testRedisUrl();
  const redis = new Redis(url);
  atEnd(() => redis.disconnect());
  const prefixes = [freshPrefix(), freshPrefix()] as const;
  const connection = { url, maxRetriesPerRequest: null };
  const [twin, theirs] = prefixes.map((prefix) => {
    const queue = new stock.Queue(name, { connection, prefix });
    atEnd(() => queue.close());
    return queue;
  }) as [v6.Queue, v6.Queue];
  await Promise.all([twin.waitUntilReady(), theirs.waitUntilReady()]);
  const ours = new Queue(name, { connection: url, prefix: prefixes[0], skipMetasUpdate: true, ...options });
  atEnd(() => ours.close());
  await ours.waitUntilReady();

  return {
    ours,
    theirs,
    prefixes,
    redis,
    async prepare(step) {
      for (const queue of [twin, theirs]) {
        const { prefix = 'bull' } = queue.opts;
        await step({ queue, prefix, connection: { url }, work: (finished, more) => work(stock, name, prefix, finished, more) });
      }
    },
    async both(operation) {
      const results: unknown[] = [];
      for (const [at, queue] of [ours, theirs].entries()) {
        const prefix = prefixes[at] as string;
        const open = (other: string): EitherQueue => {
          const opened =
            at === 0
              ? new Queue(other, { connection: url, prefix, skipMetasUpdate: true })
              : new stock.Queue(other, { connection, prefix, skipMetasUpdate: true });
          atEnd(() => opened.close());
          return opened;
        };
        const result = await operation(queue, open).catch((error: Error & { code?: unknown }) => ({
          threw: error.message,
          code: typeof error.code === 'number' ? error.code : undefined, // codes in words are ours alone
        }));
        results.push(comparable(result, prefix));
      }
      return [results[0], results[1]];
    },
    async dumps() {
      return [await dump(redis, prefixes[0]), await dump(redis, prefixes[1])];
    },
    broken: (isIdle = true) => brokenInvariants(redis, name, { prefix: prefixes[0], isIdle }),
  };
}

/** The same operation on both; then results, keys, fields and events must agree, and the invariants hold. @returns what it told. */
export async function expectAlike(
  t: Twins,
  operation: (queue: EitherQueue, open: (name: string) => EitherQueue) => Promise<unknown>,
  isIdle = true,
): Promise<unknown> {
  const [ours, theirs] = await t.both(operation);
  expect(ours).toEqual(theirs);
  const [our, their] = await t.dumps();
  expect(our).toEqual(their);
  expect(await t.broken(isIdle)).toEqual([]);
  return ours;
}

/** @throws when there is no such job. */
export async function jobOf(queue: EitherQueue, id: string): Promise<EitherQueue> {
  const found = await queue.getJob(id);
  if (!found) throw new Error(`no job ${id}`);
  return found;
}

/** Every key below a prefix: name without the prefix -> its value in comparable form. */
export async function dump(redis: Redis, prefix: string): Promise<KeyDump> {
  const keys = (await redis.keys(`${prefix}:*`)).sort();
  const entries = await Promise.all(
    keys.map(async (key) => [key.slice(prefix.length + 1), comparable(await read(redis, key), prefix)] as const),
  );
  return Object.fromEntries(entries.map(([key, value]) => [replaceTimes(key), value]));
}

async function read(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  if (key.endsWith(':marker')) return Object.keys(await pairs(redis, key)).some((member) => member !== '1') ? 'ready' : 'delayed';
  if (key.endsWith(':lock')) return 'a lock';
  if (type === 'hash') return Object.fromEntries(Object.entries(await redis.hgetall(key)).map(([field, text]) => [field, decode(text)]));
  if (type === 'list') return redis.lrange(key, 0, -1);
  if (type === 'set') return (await redis.smembers(key)).sort();
  if (type === 'zset') return pairs(redis, key);
  if (type === 'stream') return (await redis.xrange(key, '-', '+')).map(([, fields]) => fields.join(' '));
  return redis.get(key);
}

/** Members in their order with their scores; a delayed score is its time, the place within the millisecond is chance. */
async function pairs(redis: Redis, key: string): Promise<Record<string, number>> {
  const flat = await redis.zrange(key, '0', '-1', 'WITHSCORES');
  return Object.fromEntries(
    flat.flatMap((member, at) => {
      if (at % 2 === 1) return [];
      const score = Number(flat[at + 1]);
      return [[member, key.endsWith(':delayed') ? Math.floor(score / 4096) : score]];
    }),
  );
}

/** Objects stored as JSON compare by content: Redis' own JSON library orders keys as it likes. */
function decode(text: string): unknown {
  if (!/^[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Without the prefix, times, stack traces and undefined members. */
export function comparable(value: unknown, prefix: string): unknown {
  if (value === undefined) return undefined;
  const text = JSON.stringify(value, (key, member) => {
    if (key === 'offset') return 'an offset';
    if (key === 'delay' && Number(member) > 1e6) return 'a delay';
    if (key === 'stacktrace' && Array.isArray(member)) return member.length;
    if (typeof member === 'number' && member > 1.5e12 && member < 3e12) return 'a time';
    return member;
  });
  return JSON.parse(replaceTimes(text.replaceAll(prefix, '<prefix>')));
}

/** Epoch ms of our days, in any text. */
function replaceTimes(text: string): string {
  return text.replace(/(?<![\d.])1[5-9]\d{11}(?!\d)/g, 'a time');
}

async function work(stock: Stock, name: string, prefix: string, finished: number, options: Partial<v6.WorkerOptions> = {}): Promise<void> {
  const connection = { url: testRedisUrl(), maxRetriesPerRequest: null };
  const worker = new stock.Worker(
    name,
    async (job) => {
      if (job.name.startsWith('bad')) throw new Error(`no luck with ${job.name}`);
      return { done: job.name };
    },
    { connection, prefix, autorun: false, ...options },
  );
  let count = 0;
  const all = new Promise<void>((resolve) => {
    const one = (): void => {
      if (++count >= finished) resolve();
    };
    worker.on('completed', one).on('failed', one);
  });
  const run = worker.run();
  await all;
  await worker.close();
  await run;
}
