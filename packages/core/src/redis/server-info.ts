import type { Connection } from './connection.js';

/** What INFO says about a server that matters to us. */
export interface ServerInfo {
  readonly kind: 'redis' | 'valkey' | 'dragonfly';
  /** Of Redis, whose commands it has: Valkey and Dragonfly say so, too, besides their own. `7.2.4`; undefined: it does not say. */
  readonly version: string | undefined;
  readonly isCluster: boolean;
  /** Anything but `noeviction` lets Redis throw jobs away when memory runs short. */
  readonly maxmemoryPolicy: string | undefined;
  readonly maxClients: number | undefined;
}

/** @throws ConnectionLostError, or the error of a server that does not allow INFO. */
export async function readServerInfo(connection: Pick<Connection, 'send'>): Promise<ServerInfo> {
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
    kind: kindOf(fields),
    version: fields.get('redis_version'),
    isCluster: fields.get('redis_mode') === 'cluster' || fields.get('cluster_enabled') === '1',
    maxmemoryPolicy: fields.get('maxmemory_policy'),
    maxClients: Number.isInteger(maxClients) && maxClients > 0 ? maxClients : undefined,
  };
}

function kindOf(fields: ReadonlyMap<string, string>): ServerInfo['kind'] {
  if (fields.has('dragonfly_version')) return 'dragonfly';
  return fields.get('server_name') === 'valkey' || fields.has('valkey_version') ? 'valkey' : 'redis';
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

/** Why a server cannot be used, with what to do about it; undefined: it can. One that does not say its version is believed. */
export function refusalOf({ version }: Pick<ServerInfo, 'version'>): string | undefined {
  if (version === undefined || isVersionAtLeast(version, MINIMUM_VERSION)) return undefined;
  const oldest = MINIMUM_VERSION.replace(/\.0$/, '');
  return `it is version ${version}, and ${oldest} is the oldest that will do: upgrade it (skipVersionCheck: true tries all the same)`;
}
