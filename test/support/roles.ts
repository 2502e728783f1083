/**
 * One play, three castings: BullMQ alone, Drover's queue with BullMQ's workers, and BullMQ's queue with Drover's workers. What the play
 * tells and what it leaves in Redis must be the same whoever had which role. Libraries differ in when they look, so events compare by
 * job, and what depends on the moment (markers, counters of order, the last check) is left out.
 */
import * as drover from '@drover/core';
import * as v5 from 'bullmq-v5';
import * as v6 from 'bullmq-v6';
import { Redis } from 'ioredis';
import { atEnd } from './at-end.js';
import { brokenInvariants } from './invariants.js';
import { freshPrefix, testRedisUrl } from './redis.js';
import { comparable, dump, type KeyDump } from './twin.js';
import { until } from './until.js';

/** What both libraries offer under the same names; a test calls what it tests. */
// biome-ignore lint/suspicious/noExplicitAny: the same calls on classes of three libraries
export type Either = any;
export type EitherProcessor = (job: Either, token: string, signal: AbortSignal) => Promise<unknown>;

type Names = 'Queue' | 'Worker' | 'QueueEvents' | 'QueueEventsProducer' | 'Job' | 'UnrecoverableError' | 'DelayedError' | 'WaitingError';
type Library = Record<Names | 'WaitingChildrenError' | 'RateLimitError', Either>;

/** A library in a role. */
export interface Side {
  readonly name: string;
  readonly library: Library;
}

export const droverSide: Side = { name: 'Drover', library: drover };
/** Both versions of BullMQ; only they make flows so far. */
export const peerSides: readonly (Side & {
  readonly library: Library & { readonly FlowProducer: Either };
  readonly isV5: boolean;
  readonly module: string;
})[] = [
  { name: 'BullMQ 6.7', library: v6, isV5: false, module: 'bullmq-v6' },
  { name: 'BullMQ 5.81', library: v5, isV5: true, module: 'bullmq-v5' },
];
export type PeerSide = (typeof peerSides)[number];

/** Where a play is performed: a prefix of its own, a queue by each side, and workers by the one that works. */
export interface Stage {
  readonly redis: Redis;
  readonly prefix: string;
  readonly where: { readonly connection: object; readonly prefix: string };
  /** The queue `mail` of the side that adds, administers or asks. */
  readonly queue: Either;
  /** The same queue by the side that works. */
  readonly workers: Either;
  readonly acting: Side;
  readonly working: Side;
  /** Another queue, by the acting side. */
  open(name: string, options?: object): Either;
  /** A worker of the working side, ready; `by` casts another side. */
  worker(processor: EitherProcessor | null, options?: object, by?: Side, name?: string): Promise<Either>;
  /** Works until the queue holds so many finished jobs and nothing else to do, then closes the worker. */
  work(counts: Readonly<Record<string, number>>, processor?: EitherProcessor, options?: object): Promise<void>;
  /** Waits until the queue holds exactly these many jobs in these states. */
  counts(wanted: Readonly<Record<string, number>>): Promise<void>;
  /** Full name of a key of the queue. */
  key(name: string): string;
}

export type Play = (stage: Stage) => Promise<unknown>;

export interface Performance {
  readonly told: unknown;
  readonly left: KeyDump;
  readonly stories: Readonly<Record<string, readonly string[]>>;
  readonly broken: readonly string[];
}

/** Performs the play in all castings at once, and expects the same of each. @returns what it told. */
export async function expectSameInAllRoles(peer: Side, play: Play): Promise<unknown> {
  const castings = [
    [peer, peer],
    [droverSide, peer],
    [peer, droverSide],
  ] as const;
  const [theirs, ourQueue, ourWorkers] = await Promise.all(castings.map(([acting, working]) => perform(acting, working, play)));
  expect({ 'Drover acts': ourQueue }).toEqual({ 'Drover acts': theirs });
  expect({ 'Drover works': ourWorkers }).toEqual({ 'Drover works': theirs });
  expect({ ourQueue: ourQueue?.broken, ourWorkers: ourWorkers?.broken }).toEqual({ ourQueue: [], ourWorkers: [] });
  return theirs?.told;
}

export async function perform(acting: Side, working: Side, play: Play): Promise<Performance> {
  const stage = await openStage(acting, working);
  const told = comparable(await play(stage), stage.prefix);
  const keys = await dump(stage.redis, stage.prefix);
  return {
    told,
    left: Object.fromEntries(Object.entries(keys).flatMap(([key, value]) => (isOfTheMoment(key) ? [] : [[key, lessVersion5(key, value)]]))),
    stories: storiesOf(keys),
    broken: await brokenInvariants(stage.redis, 'mail', { prefix: stage.prefix, isIdle: true }),
  };
}

export async function openStage(acting: Side, working: Side): Promise<Stage> {
  const { hostname, port } = new URL(testRedisUrl());
  const redis = new Redis(testRedisUrl());
  atEnd(() => redis.disconnect());
  const prefix = freshPrefix();
  const where = { connection: { host: hostname, port: Number(port) }, prefix };
  const open = async (side: Side, name: string, options: object = {}) => {
    const queue = new side.library.Queue(name, { ...where, ...options });
    atEnd(() => queue.close());
    await queue.waitUntilReady();
    return queue;
  };
  const queue = await open(acting, 'mail');
  const workers = await open(working, 'mail');
  const key = (name: string) => `${prefix}:mail:${name}`;

  const worker: Stage['worker'] = async (processor, options = {}, by = working, name = 'mail') => {
    const made = new by.library.Worker(name, processor, { ...where, ...options });
    made.on('error', () => undefined); // refused outcomes are told by what is left in Redis
    atEnd(() => made.close());
    await made.waitUntilReady();
    return made;
  };
  const counts: Stage['counts'] = async (wanted) => {
    await until(
      async () => {
        const found = await queue.getJobCounts();
        return Object.entries(wanted).every(([state, count]) => found[state] === count) || Promise.reject(new Error(JSON.stringify(found)));
      },
      { what: `counts of ${JSON.stringify(wanted)}, ${acting.name} acting and ${working.name} working`, everyMs: 5 },
    );
  };
  return {
    ...{ redis, prefix, where, queue, workers, acting, working, worker, counts, key },
    open: (name, options) => open(acting, name, options),
    async work(wanted, processor = async () => 'done', options = {}) {
      const made = await worker(processor, options);
      await counts(wanted);
      await made.close();
    },
  };
}

/** Keys whose content at rest depends on who looked when. The version in `meta` is that of the last queue opened. */
function isOfTheMoment(key: string): boolean {
  return /:(marker|pc|limiter|stalled-check|stalled|events|meta)$/.test(key);
}

/** Without what version 5 alone writes. */
function lessVersion5(key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || key.endsWith(':meta')) return value;
  const { nrjid: _, ...rest } = value as Record<string, unknown>;
  return rest;
}

/** Events of each job in their order. `debounced` is version 5's second name for `deduplicated`; `drained` depends on who looked when. */
function storiesOf(keys: KeyDump): Record<string, string[]> {
  const stories: Record<string, string[]> = {};
  for (const [key, entries] of Object.entries(keys)) {
    if (!key.endsWith(':events')) continue;
    for (const entry of entries as string[]) {
      if (/^event (debounced|drained)/.test(entry)) continue;
      const about = `${key} ${/ jobId (\S+)/.exec(entry)?.[1] ?? 'of the queue'}`;
      stories[about] = [...(stories[about] ?? []), entry];
    }
  }
  return stories;
}
