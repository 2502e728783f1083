import type { ChildKind, ChildPage, PageRequest } from '../job/index.js';
import { jobKey, type QueueRef } from '../keys/queue-keys.js';
import type { RawCommand, Scripts } from '../redis/index.js';
import { readFields } from './replies.js';

/** Keys of a job that hold its children, and what kind of key each is. */
const KEYS = {
  processed: { suffix: 'processed', type: 'hash' },
  unprocessed: { suffix: 'dependencies', type: 'set' },
  ignored: { suffix: 'failed', type: 'hash' },
  failed: { suffix: 'unsuccessful', type: 'zset' },
} as const satisfies Record<ChildKind, { readonly suffix: string; readonly type: 'hash' | 'set' | 'zset' }>;

const COUNT = { hash: 'hlen', set: 'scard', zset: 'zcard' } as const;
const PER_PAGE = 500;

/** Reads the children of a job, in pages: a parent may have very many. */
export class ChildrenStore {
  constructor(private readonly scripts: Scripts) {}

  async counts(queue: QueueRef, jobId: string): Promise<Record<ChildKind, number>> {
    const kinds = Object.keys(KEYS) as ChildKind[];
    const replies = await this.scripts.connection.sendAll(
      kinds.map((kind) => ({ name: COUNT[KEYS[kind].type], args: [keyOf(queue, jobId, kind)] })),
    );
    const counts = kinds.map((kind, at) => {
      if (replies[at] instanceof Error) throw replies[at];
      return [kind, Number(replies[at])] as const;
    });
    return Object.fromEntries(counts) as Record<ChildKind, number>;
  }

  /** All children of one kind, each once. */
  async all(queue: QueueRef, jobId: string, kind: ChildKind): Promise<ChildPage> {
    const found = new Map<string, string | undefined>();
    let cursor = 0;
    do {
      const { entries, next } = await this.page(queue, jobId, kind, { cursor, count: PER_PAGE });
      for (const [key, text] of entries) found.set(key, text);
      cursor = next;
    } while (cursor !== 0);
    return { entries: [...found], next: 0 };
  }

  /** About `count` children from a cursor on. Under change, sets and hashes may bring a child twice. */
  async page(queue: QueueRef, jobId: string, kind: ChildKind, { cursor, count }: Required<PageRequest>): Promise<ChildPage> {
    const { type } = KEYS[kind];
    const key = keyOf(queue, jobId, kind);
    if (type === 'zset') {
      const keys = (await this.#send({ name: 'zrange', args: [key, cursor, cursor + count - 1] })) as string[];
      return { entries: keys.map((child) => [child, undefined] as const), next: keys.length < count ? 0 : cursor + count };
    }
    const scan = type === 'set' ? 'sscan' : 'hscan';
    const [next, found] = (await this.#send({ name: scan, args: [key, cursor, 'COUNT', count] })) as [string, unknown];
    if (type === 'set') return { entries: (found as string[]).map((child) => [child, undefined] as const), next: Number(next) };
    return { entries: Object.entries(readFields(found) ?? {}), next: Number(next) };
  }

  #send({ name, args }: RawCommand): Promise<unknown> {
    return this.scripts.connection.send(name, args);
  }
}

function keyOf(queue: QueueRef, jobId: string, kind: ChildKind): string {
  return `${jobKey(queue, jobId)}:${KEYS[kind].suffix}`;
}
