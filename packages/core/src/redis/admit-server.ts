import { CommandFailedError, RedisRefusedError, UnsupportedServerError } from '../errors/index.js';
import type { Connection } from './connection.js';
import { readServerInfo, refusalOf, type ServerInfo } from './server-info.js';

/**
 * Looks at the server behind a new connection, once. One that does not allow INFO is believed.
 * @throws UnsupportedServerError for a server that is too old; ConnectionLostError when it could not be asked.
 */
export async function admitServer(connection: Pick<Connection, 'address' | 'send'>): Promise<void> {
  let info: ServerInfo;
  try {
    info = await readServerInfo(connection);
  } catch (error) {
    if (error instanceof CommandFailedError || error instanceof RedisRefusedError) return;
    throw error;
  }
  const reason = refusalOf(info);
  if (reason !== undefined) throw new UnsupportedServerError(connection.address, reason);
}
