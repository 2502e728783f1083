/** Every key of a queue as it is in Redis, decoded by type and no further. For tests only: it reads whole keys. */
import type { Redis } from 'ioredis';

export type Fields = Readonly<Record<string, string>>;

/** What one key holds. */
export type Content =
  | { readonly type: 'string'; readonly text: string }
  | { readonly type: 'list'; readonly items: readonly string[] }
  | { readonly type: 'set'; readonly members: readonly string[] }
  | { readonly type: 'zset'; readonly scores: ReadonlyMap<string, number> }
  | { readonly type: 'hash'; readonly fields: Fields }
  | { readonly type: 'stream'; readonly entries: readonly (readonly [id: string, flat: readonly string[]])[] };

/** A key's content and its time to live, ms; -1: it stays. */
export type Held = Content & { readonly ttlMs: number };

const PER_CALL = 500;
const LISTS = ['wait', 'paused', 'active'] as const;
const ZSETS = ['prioritized', 'delayed', 'waiting-children', 'completed', 'failed'] as const;

/** Which type each key of a queue has. */
export const QUEUE_KEYS: Readonly<Record<string, Content['type']>> = {
  ...Object.fromEntries(LISTS.map((name) => [name, 'list' as const])),
  ...Object.fromEntries(ZSETS.map((name) => [name, 'zset' as const])),
  pc: 'string',
  stalled: 'set',
  'stalled-check': 'string',
  marker: 'zset',
  meta: 'hash',
  id: 'string',
  events: 'stream',
  limiter: 'string',
  repeat: 'zset',
  'metrics:completed': 'hash',
  'metrics:failed': 'hash',
  'metrics:completed:data': 'list',
  'metrics:failed:data': 'list',
  'drover:exits': 'hash',
  'drover:returns': 'hash',
};

/** Which type each key of a job has, besides its record. */
export const JOB_KEYS: Readonly<Record<string, Content['type']>> = {
  lock: 'string',
  logs: 'list',
  dependencies: 'set',
  processed: 'hash',
  failed: 'hash',
  unsuccessful: 'zset',
};

/** A queue at rest: what is read while clients write may not fit together. */
export class QueueSnapshot {
  /** Ids by state, in stored order; a state whose key has the wrong type is empty. */
  readonly states: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly records: ReadonlyMap<string, Fields>;

  constructor(
    /** `<prefix>:<queue>:` */
    readonly base: string,
    /** By key, less `base`. */
    readonly keys: ReadonlyMap<string, Held>,
    /** Keys of other queues that this one's jobs name as parent or child, by full key. */
    readonly relatives: ReadonlyMap<string, Held>,
  ) {
    const states = new Map<string, ReadonlyMap<string, number>>();
    for (const state of LISTS) states.set(state, new Map(this.list(state).map((id) => [id, 0])));
    for (const state of ZSETS) states.set(state, this.zset(state));
    this.states = states;
    this.records = new Map(
      [...keys].flatMap(([rest, held]) => (held.type === 'hash' && isRecord(rest, held.fields) ? [[rest, held.fields]] : [])),
    );
  }

  list(rest: string): readonly string[] {
    const held = this.keys.get(rest);
    return held?.type === 'list' ? held.items : [];
  }

  zset(rest: string): ReadonlyMap<string, number> {
    const held = this.keys.get(rest);
    return held?.type === 'zset' ? held.scores : new Map();
  }

  set(rest: string): readonly string[] {
    const held = this.keys.get(rest);
    return held?.type === 'set' ? held.members : [];
  }

  hash(rest: string): Fields | undefined {
    const held = this.keys.get(rest);
    return held?.type === 'hash' ? held.fields : undefined;
  }

  text(rest: string): string | undefined {
    const held = this.keys.get(rest);
    return held?.type === 'string' ? held.text : undefined;
  }

  /** A key by its full name, of this queue or of a relative's. */
  at(key: string): Held | undefined {
    return key.startsWith(this.base) ? this.keys.get(key.slice(this.base.length)) : this.relatives.get(key);
  }
}

/** Reads all of a queue's keys, and of other queues what its jobs are linked with. */
export async function readQueue(redis: Redis, base: string): Promise<QueueSnapshot> {
  const found = new Set<string>();
  for await (const page of redis.scanStream({ match: `${escapeGlob(base)}*`, count: 1000 }))
    for (const key of page as string[]) found.add(key);
  const keys = new Map([...(await readKeys(redis, [...found]))].map(([key, held]) => [key.slice(base.length), held]));
  const relatives = await readKeys(redis, [...relativesOf(keys, base)]);
  return new QueueSnapshot(base, keys, relatives);
}

/** Records of parents and children in other queues, and the keys that link them. */
function relativesOf(keys: ReadonlyMap<string, Held>, base: string): Set<string> {
  const names = new Set<string>();
  const add = (key: string) => {
    if (!key.startsWith(base)) for (const rest of ['', ':dependencies', ':processed', ':failed', ':unsuccessful']) names.add(key + rest);
  };
  for (const [rest, held] of keys) {
    if (held.type === 'hash' && held.fields.parentKey) add(held.fields.parentKey);
    if (held.type === 'set' && rest.endsWith(':dependencies')) held.members.forEach(add);
  }
  return names;
}

/** The keys that exist, by name. */
async function readKeys(redis: Redis, names: readonly string[]): Promise<Map<string, Held>> {
  const contents = new Map<string, Held>();
  for (let first = 0; first < names.length; first += PER_CALL) {
    const page = names.slice(first, first + PER_CALL);
    const heads = await pipelined(
      redis,
      page.flatMap((key) => [
        ['type', key],
        ['pttl', key],
      ]),
    );
    const types = page.map((_, at) => heads[2 * at] as string);
    const there = page
      .map((key, at) => ({ key, type: types[at] as string, ttlMs: heads[2 * at + 1] as number }))
      .filter(({ type }) => type in READS);
    const replies = await pipelined(
      redis,
      there.map(({ key, type }) => (READS[type] as Read).command(key)),
    );
    for (const [at, { key, type, ttlMs }] of there.entries()) {
      if (replies[at] === null) continue; // a text that has run out since its type was read
      contents.set(key, { ...(READS[type] as Read).decode(replies[at]), ttlMs });
    }
  }
  return contents;
}

interface Read {
  command(key: string): string[];
  decode(reply: unknown): Content;
}

const READS: Readonly<Record<string, Read>> = {
  string: { command: (key) => ['get', key], decode: (reply) => ({ type: 'string', text: reply as string }) },
  list: { command: (key) => ['lrange', key, '0', '-1'], decode: (reply) => ({ type: 'list', items: reply as string[] }) },
  set: { command: (key) => ['smembers', key], decode: (reply) => ({ type: 'set', members: reply as string[] }) },
  zset: {
    command: (key) => ['zrange', key, '0', '-1', 'WITHSCORES'],
    decode: (reply) => ({ type: 'zset', scores: new Map(pairs(reply as string[]).map(([member, score]) => [member, Number(score)])) }),
  },
  hash: {
    command: (key) => ['hgetall', key],
    decode: (reply) => ({
      type: 'hash',
      fields: Array.isArray(reply) ? Object.fromEntries(pairs(reply as string[])) : { ...(reply as Fields) },
    }),
  },
  stream: {
    command: (key) => ['xrange', key, '-', '+'],
    decode: (reply) => ({ type: 'stream', entries: reply as [string, string[]][] }),
  },
};

async function pipelined(redis: Redis, commands: readonly string[][]): Promise<unknown[]> {
  const replies = (await redis.pipeline(commands.map((command) => [...command])).exec()) ?? [];
  return replies.map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}

/** Whether a hash is a job's record: no key of the queue or of a job. Iterations of schedulers are `repeat:<id>:<ms>`. */
function isRecord(rest: string, fields: Fields): boolean {
  if (rest in QUEUE_KEYS || rest.startsWith('dn:')) return false;
  if (/^repeat:.+:\d+$/.test(rest)) return fields.timestamp !== undefined || fields.ic === undefined;
  if (rest.startsWith('repeat:')) return false;
  return !Object.keys(JOB_KEYS).some((name) => rest.endsWith(`:${name}`));
}

export function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] as string, flat[2 * i + 1] as string]);
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
