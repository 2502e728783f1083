import { CommandFailedError, RedisRefusedError } from '../errors/index.js';
import { type Connection, readServerInfo } from '../redis/index.js';

/** Servers that were looked at; a process is warned once for each. */
const seen = new Set<string>();

/**
 * Warns through `process.emitWarning` (code DROVER_EVICTION) when Redis may throw keys away once its memory is full: jobs and locks
 * would vanish one by one. A server that does not allow INFO is believed.
 * @throws ConnectionLostError
 */
export async function warnOfEviction(connection: Connection): Promise<void> {
  if (seen.has(connection.address)) return;
  seen.add(connection.address);
  try {
    const { maxmemoryPolicy } = await readServerInfo(connection);
    if (maxmemoryPolicy === undefined || maxmemoryPolicy === 'noeviction') return;
    const advice = 'jobs will be lost when its memory is full: set maxmemory-policy to noeviction';
    process.emitWarning(`Redis at ${connection.address} has maxmemory-policy ${maxmemoryPolicy}; ${advice}`, { code: 'DROVER_EVICTION' });
  } catch (error) {
    if (!(error instanceof CommandFailedError || error instanceof RedisRefusedError)) {
      seen.delete(connection.address);
      throw error;
    }
  }
}
