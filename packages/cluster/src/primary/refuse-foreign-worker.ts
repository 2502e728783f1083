import cluster from 'node:cluster';
import { ExitCode, FatalError } from '../errors/errors.js';

/** Under pm2's cluster mode, or in a worker of a host application's own cluster, there is nothing to fork with. @throws FatalError 78 */
export function refuseForeignWorker(): void {
  if (!cluster.isWorker) return;
  throw new FatalError(
    'CLUSTER_WORKER',
    process.env.pm_id === undefined
      ? 'the primary cannot run inside a worker of node:cluster: start it from the primary of that cluster, or as a program of its own'
      : "pm2 started the primary in cluster mode, where it cannot fork: set exec_mode: 'fork' in ecosystem.config.js",
    ExitCode.badConfig,
  );
}
