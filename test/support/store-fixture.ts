/** A fresh queue with the stores over it, for tests of scripts: exact keys, exact events. Imports sources, not the built package. */
import { type JobsOptions, newJob, type Outcome, type PendingOutcome } from '../../packages/core/src/job/index.js';
import { queueKeys, queueRef } from '../../packages/core/src/keys/queue-keys.js';
import { Connections } from '../../packages/core/src/redis/index.js';
import {
  AdminStore,
  ConsumerStore,
  type ExchangeCall,
  type ExchangeReply,
  InspectStore,
  ProducerStore,
} from '../../packages/core/src/store/index.js';
import { atEnd } from './at-end.js';
import { freshPrefix, testRedisUrl } from './redis.js';

export const NOW = 1_700_000_000_000;
export const KEEP_ALL = { count: -1 } as const;

type Reply = string | number | null | readonly Reply[];

/** One queue of its own, `mail`, under a prefix of its own. Closed at the end of the test or file. */
export async function storeFixture(queueName = 'mail', prefix = freshPrefix()) {
  const connections = new Connections({ connection: testRedisUrl() });
  atEnd(() => connections.close());
  await connections.command.whenReady();
  const { scripts } = connections;
  const queue = queueRef(queueName, prefix);
  const keys = queueKeys(queue);
  const consumer = new ConsumerStore(scripts);
  const producer = new ProducerStore(scripts);
  let tokens = 0;

  const redis = (name: string, ...args: (string | number)[]): Promise<Reply> => connections.command.send(name, args) as Promise<Reply>;

  /** Adds one job and returns its id. */
  const add = async (name: string, data: unknown = {}, options: JobsOptions = {}, now = NOW): Promise<string> => {
    const [result] = await producer.add({ queue, jobs: [newJob(name, data, options, {}, now)], now });
    if (typeof result !== 'string') throw result;
    return result;
  };

  /** One exchange call; anything not given is a plain fetch of nothing. */
  const exchange = async (call: Partial<ExchangeCall>): Promise<ExchangeReply> => {
    const full = { queue, profile: { lockMs: 30_000 }, now: NOW, outcomes: [], want: 0, share: 1, token: `host:${++tokens}`, ...call };
    const [reply] = await consumer.exchange([full]);
    if (!reply || reply instanceof Error) throw reply;
    return reply;
  };

  /** Fetches `want` jobs with a token that is known: `held(id)` is an outcome of one of them. */
  const fetch = (want: number, call: Partial<ExchangeCall> = {}): Promise<ExchangeReply> => exchange({ want, token: 'host:held', ...call });
  const held = (jobId: string, outcome: Outcome, at = NOW): PendingOutcome => ({ jobId, token: 'host:held', at, outcome });
  const complete = (jobId: string, keep = KEEP_ALL as { count: number; ageS?: number; limit?: number }, value = 'null', at = NOW) =>
    held(jobId, { kind: 'complete', value, keep }, at);
  const fail = (jobId: string, keep = KEEP_ALL as { count: number }, reason = 'boom', attempts = 1) =>
    held(jobId, { kind: 'fail', reason, stacktrace: '["at boom"]', attempts, keep });

  const hash = async (key: string): Promise<Record<string, string>> => ({
    ...((await redis('hgetall', key)) as unknown as Record<string, string>),
  });
  const job = (id: string) => hash(queue.base + id);
  const list = (key: string): Promise<string[]> => redis('lrange', key, 0, -1) as Promise<string[]>;
  const zset = async (key: string): Promise<[string, number][]> => {
    const flat = (await redis('zrange', key, 0, -1, 'WITHSCORES')) as string[];
    return flat.flatMap((member, at): [string, number][] => (at % 2 === 0 ? [[member, Number(flat[at + 1])]] : []));
  };
  const exists = async (key: string): Promise<boolean> => (await redis('exists', key)) === 1;

  /** Events after the last call of this function, oldest first, as flat texts: 'waiting jobId 1 prev active'. */
  let lastEvent = '-';
  const events = async (stream = keys.events): Promise<string[]> => {
    const entries = (await redis('xrange', stream, lastEvent === '-' ? '-' : `(${lastEvent}`, '+')) as [string, string[]][];
    lastEvent = entries.at(-1)?.[0] ?? lastEvent;
    return entries.map(([, fields]) => fields.slice(1).join(' '));
  };

  /** All keys of this fixture's prefix, without it, sorted. */
  const allKeys = async (): Promise<string[]> =>
    ((await redis('keys', `${prefix}:*`)) as string[]).map((key) => key.slice(prefix.length + 1)).sort();

  return {
    queue,
    keys,
    prefix,
    scripts,
    connections,
    consumer,
    producer,
    admin: new AdminStore(scripts),
    inspect: new InspectStore(scripts),
    redis,
    add,
    exchange,
    fetch,
    held,
    complete,
    fail,
    hash,
    job,
    list,
    zset,
    exists,
    events,
    allKeys,
  };
}

export type StoreFixture = Awaited<ReturnType<typeof storeFixture>>;
export const ids = (reply: ExchangeReply): string[] => reply.jobs.map(({ record }) => record.id);
