import { cpus, totalmem } from 'node:os';
import type { ServerFacts } from './redis-stats.js';

/** Where the figures come from. */
export interface Machine extends ServerFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  readonly platform: string;
}

export function describeMachine(server: ServerFacts): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    ...server,
    platform: `${process.platform} ${process.arch}`,
  };
}
