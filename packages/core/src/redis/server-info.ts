import type { Connection } from './connection.js';

/** What INFO says about a server that matters to us. */
export interface ServerInfo {
  readonly kind: 'redis' | 'valkey' | 'dragonfly';
  /** Of the protocol it implements, for `redis` and `valkey` alike: `7.2.4`. */
  readonly version: string;
  readonly isCluster: boolean;
  /** Anything but `noeviction` lets Redis throw jobs away when memory runs short. */
  readonly maxmemoryPolicy: string | undefined;
  readonly maxClients: number | undefined;
}

/** @throws ConnectionLostError, or the error of a server that does not allow INFO. */
export async function readServerInfo(connection: Connection): Promise<ServerInfo> {
  return parseServerInfo(String(await connection.send('info', [])));
}

/** Reads the text of INFO. Unknown lines are ignored. */
export function parseServerInfo(text: string): ServerInfo {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  const maxClients = Number(fields.get('maxclients'));
  return {
    kind: fields.has('dragonfly_version') ? 'dragonfly' : fields.get('server_name') === 'valkey' ? 'valkey' : 'redis',
    version: fields.get('redis_version') ?? '0.0.0',
    isCluster: fields.get('redis_mode') === 'cluster' || fields.get('cluster_enabled') === '1',
    maxmemoryPolicy: fields.get('maxmemory_policy'),
    maxClients: Number.isInteger(maxClients) && maxClients > 0 ? maxClients : undefined,
  };
}

/** Oldest server that knows every command of the scripts (RPOP with a count, LPOS, GETDEL came by 6.2). */
export const MINIMUM_VERSION = '6.2.0';

/** Compares dotted versions number by number. */
export function isVersionAtLeast(version: string, minimum: string): boolean {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  for (const [at, wanted] of minimum.split('.').map(Number).entries()) {
    const part = parts[at] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
