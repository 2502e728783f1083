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

/** @returns for example `7.0.15`. */
export function parseVersion(info: string): string {
  return /^redis_version:([^\r\n]*)/m.exec(info)?.[1] ?? 'unknown';
}
