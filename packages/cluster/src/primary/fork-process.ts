import cluster, { type ClusterSettings, type Worker } from 'node:cluster';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { environmentChanges, inheritedExecArgv } from './clean-environment.js';

/** The variables by which a process knows that it is one of ours, and which. */
export interface ProcessIdentity {
  readonly slot: number;
  readonly generation: number;
  readonly incarnation: string;
}

/** The pipe on which the watchdog of a process speaks: its place in `stdio`, after the channel. */
export const WATCHDOG_FD = 4;

const ENTRY = new URL('../../bin/host.js', import.meta.url);

/**
 * Forks a process with `node:cluster`. The settings of the module are ours from here to the fork and then again what they were, in one
 * synchronous block: a host application may use `node:cluster` for itself.
 */
export function forkProcess({ slot, generation, incarnation }: ProcessIdentity): Worker {
  const settings: ClusterSettings = {
    exec: realpathSync(fileURLToPath(ENTRY)), // resolved now: a release may have been put in place of another
    args: [],
    execArgv: inheritedExecArgv(process.execArgv),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
    serialization: 'advanced',
    cwd: process.cwd(),
    silent: true,
  };
  const ours = cluster as { settings: ClusterSettings };
  const before = ours.settings;
  try {
    cluster.setupPrimary(settings);
    return cluster.fork({
      ...environmentChanges(process.env),
      DROVER_ROLE: 'process',
      DROVER_SLOT: String(slot),
      DROVER_GENERATION: String(generation),
      DROVER_INCARNATION: incarnation,
      DROVER_WATCHDOG_FD: String(WATCHDOG_FD),
    });
  } finally {
    ours.settings = before;
  }
}
