/**
 * Reads every key of a queue and says what must never be true of it. Rules: the data model of BullMQ, sections 1, 2, 3 and 12.
 * For tests only: it reads whole keys.
 */
import type { Redis } from 'ioredis';

const LISTS = ['wait', 'paused', 'active'] as const;
const ZSETS = ['prioritized', 'delayed', 'waiting-children', 'completed', 'failed'] as const;
const SUBKEYS = ['logs', 'dependencies', 'processed', 'failed', 'unsuccessful'] as const;
const QUEUE_SUFFIXES = new Set<string>([
  ...LISTS,
  ...ZSETS,
  ...['pc', 'stalled', 'stalled-check', 'marker', 'meta', 'id', 'events', 'limiter', 'repeat', 'delay', 'priority'],
  ...['metrics:completed', 'metrics:failed', 'metrics:completed:data', 'metrics:failed:data'],
]);
const INTEGER_FIELDS = ['timestamp', 'delay', 'priority', 'processedOn', 'ats', 'atm', 'stc', 'finishedOn'];

export interface InvariantOptions {
  /** Default `bull`. */
  readonly prefix?: string;
  /** Nothing works the queue any more: then nothing may be active, locked or waiting to be checked. */
  readonly isIdle?: boolean;
}

/** @returns one line per broken rule, empty when all hold. */
export async function brokenInvariants(redis: Redis, queue: string, options: InvariantOptions = {}): Promise<string[]> {
  const base = `${options.prefix ?? 'bull'}:${queue}:`;
  const snapshot = await readQueue(redis, base);
  return [...statesOnce(snapshot), ...recordsWhole(snapshot), ...locksMatch(snapshot, options.isIdle ?? false), ...keysKnown(snapshot)];
}

/** Ids with more than one `completed` event, from a stream read to its end. */
export async function completedTwice(redis: Redis, queue: string, prefix = 'bull'): Promise<string[]> {
  const counts = new Map<string, number>();
  for (const [, fields] of await redis.xrange(`${prefix}:${queue}:events`, '-', '+')) {
    const event = toRecord(fields);
    if (event.event === 'completed' && event.jobId) counts.set(event.jobId, (counts.get(event.jobId) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > 1).map(([id]) => id);
}

interface Snapshot {
  readonly base: string;
  readonly keys: ReadonlySet<string>;
  /** State -> ids with their score (0 in lists). */
  readonly states: ReadonlyMap<string, readonly (readonly [id: string, score: number])[]>;
  readonly records: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly locks: ReadonlyMap<string, { readonly ttlMs: number }>;
  readonly stalled: readonly string[];
  readonly counter: number;
}

async function readQueue(redis: Redis, base: string): Promise<Snapshot> {
  const keys = new Set<string>();
  for await (const page of redis.scanStream({ match: `${escapeGlob(base)}*`, count: 1000 }))
    for (const key of page as string[]) keys.add(key);
  const states = new Map<string, [string, number][]>();
  for (const state of LISTS)
    states.set(
      state,
      (await redis.lrange(base + state, 0, -1)).map((id) => [id, 0]),
    );
  for (const state of ZSETS) states.set(state, pairs(await redis.zrange(base + state, '0', '-1', 'WITHSCORES')));
  const ids = new Set([...states.values()].flat().map(([id]) => id));
  for (const key of keys) if (isRecordKey(key.slice(base.length))) ids.add(key.slice(base.length));
  const records = new Map<string, Record<string, string>>();
  for (const id of ids) if (keys.has(base + id)) records.set(id, await redis.hgetall(base + id));
  const locks = new Map<string, { ttlMs: number }>();
  for (const key of keys) if (key.endsWith(':lock')) locks.set(key.slice(base.length, -':lock'.length), { ttlMs: await redis.pttl(key) });
  const stalled = await redis.smembers(`${base}stalled`);
  return { base, keys, states, records, locks, stalled, counter: Number((await redis.get(`${base}id`)) ?? 0) };
}

function* statesOnce({ states, records, counter }: Snapshot): Generator<string> {
  const seen = new Map<string, string>();
  for (const [state, entries] of states) {
    for (const [id, score] of entries) {
      const other = seen.get(id);
      if (other) yield `job ${id} is in ${other} and in ${state}`;
      seen.set(id, state);
      const record = records.get(id);
      if (!record) yield `job ${id} is in ${state} but has no record`;
      else yield* scoreFits(id, state, score, record);
      if (/^[1-9]\d*$/.test(id) && Number(id) > counter) yield `job ${id} is above the id counter ${counter}`;
    }
  }
  for (const id of records.keys()) if (!seen.has(id)) yield `job ${id} has a record but is in no state`;
}

function* scoreFits(id: string, state: string, score: number, record: Readonly<Record<string, string>>): Generator<string> {
  const finished = state === 'completed' || state === 'failed';
  if (finished && Number(record.finishedOn) !== score) yield `job ${id}: finishedOn ${record.finishedOn} but score ${score} in ${state}`;
  if (!finished && record.finishedOn) yield `job ${id} is in ${state} but has finishedOn`;
  if (state === 'prioritized' && Math.floor(score / 2 ** 32) !== Number(record.priority)) {
    yield `job ${id}: score ${score} does not fit priority ${record.priority}`;
  }
  if (state === 'completed' && !isJson(record.returnvalue)) yield `job ${id}: returnvalue is not JSON: ${record.returnvalue}`;
  if (state === 'failed' && record.failedReason === undefined) yield `job ${id} failed without a reason`;
}

function* recordsWhole({ records }: Snapshot): Generator<string> {
  for (const [id, record] of records) {
    for (const field of ['name', 'data', 'opts', 'timestamp']) if (record[field] === undefined) yield `job ${id} has no ${field}`;
    for (const field of INTEGER_FIELDS) {
      if (record[field] !== undefined && !/^-?\d+$/.test(record[field]))
        yield `job ${id}: ${field} is not a decimal integer: ${record[field]}`;
    }
    for (const field of ['data', 'opts', 'parent', 'stacktrace', 'progress']) {
      if (record[field] !== undefined && !isJson(record[field])) yield `job ${id}: ${field} is not JSON: ${record[field]}`;
    }
    if (isJson(record.opts) && Object.values(JSON.parse(record.opts as string) as object).includes(null))
      yield `job ${id}: null in opts ${record.opts}`;
  }
}

function* locksMatch({ locks, records, states, stalled }: Snapshot, isIdle: boolean): Generator<string> {
  const active = new Set((states.get('active') ?? []).map(([id]) => id));
  for (const [id, lock] of locks) {
    if (!records.has(id)) yield `lock of job ${id}, which has no record`;
    if (!active.has(id)) yield `lock of job ${id}, which is not active`;
    if (lock.ttlMs < 0) yield `lock of job ${id} never expires`;
  }
  for (const id of active) if (!locks.has(id)) yield `job ${id} is active without a lock`;
  for (const id of stalled) if (!active.has(id)) yield `job ${id} is in stalled but not active`;
  if (isIdle && active.size > 0) yield `${active.size} jobs are active on an idle queue: ${[...active].slice(0, 5).join(', ')}`;
}

function* keysKnown({ base, keys, records }: Snapshot): Generator<string> {
  for (const key of keys) {
    const rest = key.slice(base.length);
    if (QUEUE_SUFFIXES.has(rest) || records.has(rest) || /^(de|dn|repeat):/.test(rest)) continue;
    const owner = rest.slice(0, rest.lastIndexOf(':'));
    const sub = rest.slice(rest.lastIndexOf(':') + 1);
    if (sub === 'lock' || ((SUBKEYS as readonly string[]).includes(sub) && records.has(owner))) continue;
    yield `key ${key} belongs to nothing`;
  }
}

/** Whether a key, less the queue's base, can be a job's record: no queue key and no sub-key. Scheduler iterations are `repeat:<id>:<ms>`. */
function isRecordKey(rest: string): boolean {
  if (QUEUE_SUFFIXES.has(rest)) return false;
  return !rest.includes(':') || /^repeat:.+:\d+$/.test(rest);
}

function isJson(text: string | undefined): boolean {
  if (text === undefined) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function pairs(flat: readonly string[]): [string, number][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] as string, Number(flat[2 * i + 1])]);
}

function toRecord(flat: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]));
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
