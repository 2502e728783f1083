/** What a Redis server says about itself, read before and after a load. */
export interface RedisStats {
  readonly cpuUs: number;
  /** Commands served, those inside scripts included. */
  readonly commands: number;
  readonly scriptCalls: number;
  readonly connections: number;
}

/** @param info reply of `INFO everything`, or of its sections cpu, clients and commandstats. */
export function parseStats(info: string): RedisStats {
  const number = (key: string) => Number(new RegExp(`^${key}:([^\\r\\n]*)`, 'm').exec(info)?.[1] ?? 0);
  let commands = 0;
  let scriptCalls = 0;
  for (const [, name, calls] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    if (name === 'info') continue; // our own looking
    commands += Number(calls);
    if (name === 'eval' || name === 'evalsha') scriptCalls += Number(calls);
  }
  const cpuUs = (number('used_cpu_user') + number('used_cpu_sys')) * 1e6;
  return { cpuUs, commands, scriptCalls, connections: number('connected_clients') };
}

/** What about a server decides its speed. */
export interface ServerFacts {
  /** For example `7.0.15`. */
  readonly redis: string;
  /** Whether it writes an append-only file: batches save more CPU than disk. */
  readonly isAppendOnly: boolean;
}

/** @param info the sections server and persistence of `INFO`. */
export function parseServer(info: string): ServerFacts {
  const redis = /^redis_version:([^\r\n]*)/m.exec(info)?.[1] ?? 'unknown';
  return { redis, isAppendOnly: /^aof_enabled:1/m.test(info) };
}
