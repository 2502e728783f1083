import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { InvalidOptionError } from '../kit/index.js';

/** ioredis options, with a URL if the caller likes: what it says counts before the rest. An empty one counts as absent. */
export type ConnectionFields = RedisOptions & { readonly url?: string | undefined };

/** How a caller names a Redis: `redis://` URL, ioredis options, or an ioredis client of their own. */
export type ConnectionInput = string | ConnectionFields | Redis;

/** `command`: scripts and reads. `blocking`: one waiting read at a time. `stream`: the waiting read of event streams. */
export type ConnectionRole = 'command' | 'blocking' | 'stream';

/**
 * How every client of ours treats a lost connection, whatever its role: a command without a connection, and a command whose reply
 * got lost, is rejected at once and never sent a second time by the client. A script that was sent may have run; only the caller knows
 * whether it may run again, so only the caller sends again. (`maxRetriesPerRequest: 0` with no offline queue says exactly that.)
 */
const FAIL_FAST = {
  lazyConnect: true,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  reconnectOnError: isReadOnly,
} as const satisfies RedisOptions;

/**
 * A primary that has become a replica keeps its connections and refuses every write: whoever comes anew, by the same name or address, is
 * led to the new primary. The refused command stays refused.
 */
function isReadOnly(error: Error): boolean {
  return /\bREADONLY\b/.test(error.message);
}

/** A command connection without any data for this long, with replies outstanding, is dead even if its socket does not know. */
const SILENCE_MS = 15_000;

/** The wait before the n-th reconnect: max(1 s, min(e^n ms, 20 s)). */
export function reconnectDelayMs(times: number): number {
  return Math.max(1_000, Math.min(Math.round(Math.exp(times)), 20_000));
}

/** @throws InvalidOptionError for a `keyPrefix`: scripts build their own keys, so a prefix added by the client would tear queues apart. */
export function clientOptions(input: RedisOptions, role: ConnectionRole, clientName: string | undefined): RedisOptions {
  refuseKeyPrefix(input);
  return {
    protocol: 2, // replies do not depend on what the server speaks
    disconnectTimeout: 500, // how long a socket that does not close by itself is left alive
    ...(role === 'command' ? { socketTimeout: SILENCE_MS } : {}),
    retryStrategy: reconnectDelayMs,
    ...input,
    ...FAIL_FAST,
    ...(clientName === undefined ? {} : { connectionName: clientName }),
  };
}

/** The client of a connection, not connected yet, and whether it is ours to close. */
export function makeClient(
  input: ConnectionInput,
  role: ConnectionRole,
  clientName: string | undefined,
): { readonly client: Redis; readonly isOwn: boolean } {
  if (isRedis(input)) {
    refuseKeyPrefix(input.options);
    if (role === 'command') return { client: input, isOwn: false };
    return { client: input.duplicate(clientOptions({}, role, clientName)), isOwn: true };
  }
  if (typeof input === 'string') return { client: new Redis(checkedUrl(input), clientOptions({}, role, clientName)), isOwn: true };
  const { url, ...rest } = input;
  const options = clientOptions(rest, role, clientName);
  return { client: url ? new Redis(checkedUrl(url), options) : new Redis(options), isOwn: true };
}

/**
 * Checks what a caller names a Redis by, before anything is made of it.
 * @throws InvalidOptionError also for a client of Redis Cluster: a turn is one pipeline over many queues, whose keys would lie on many nodes.
 */
export function checkConnection(option: string, value: unknown): void {
  if (typeof value === 'string') {
    checkedUrl(value);
    return;
  }
  if (value instanceof Cluster || (isRedis(value) && 'isCluster' in value && value.isCluster === true)) {
    throw new InvalidOptionError(option, value, 'a single Redis: Redis Cluster is not supported');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidOptionError(option, value, 'a URL, ioredis options or an ioredis client');
  }
  if (isRedis(value)) {
    refuseKeyPrefix(value.options);
    return;
  }
  const { url, ...rest } = value as ConnectionFields;
  if (url) checkedUrl(url, `${option}.url`);
  refuseKeyPrefix(rest);
}

export function isRedis(input: unknown): input is Redis {
  return typeof input === 'object' && input !== null && 'sendCommand' in input && 'duplicate' in input && 'options' in input;
}

/** host:port or socket path of a client, never credentials. */
export function addressOf(client: Redis): string {
  const { path, host, port, sentinels, name } = client.options;
  if (path) return path;
  if (sentinels?.length) return `sentinel group ${name ?? 'unnamed'}`;
  return `${host ?? '127.0.0.1'}:${port ?? 6379}`;
}

function refuseKeyPrefix(options: { readonly keyPrefix?: string | undefined }): void {
  if (options.keyPrefix)
    throw new InvalidOptionError('connection.keyPrefix', options.keyPrefix, 'absent: use the option `prefix` of the queue');
}

function checkedUrl(url: string, option = 'connection'): string {
  if (typeof url === 'string' && (/^(rediss?|unix):\/\//.test(url) || url.startsWith('/'))) return url;
  throw new InvalidOptionError(
    option,
    typeof url !== 'string' ? url : url.replace(/\/\/.*@/, '//***@'),
    'a URL that begins with redis:// or rediss://, or the path of a socket',
  );
}
