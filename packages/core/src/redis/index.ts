export { eventsClientName, workerClientName } from './client-name.js';
export { Connection, type ConnectionEvents, type ConnectionOptions, type RawCommand, type RedisArgument } from './connection.js';
export {
  addressOf,
  type ConnectionFields,
  type ConnectionInput,
  type ConnectionRole,
  checkConnection,
  isRedis,
  reconnectDelayMs,
} from './connection-options.js';
export { Connections, type ConnectionsOptions } from './connections.js';
export type { ScriptCall } from './pipeline.js';
export type { ScriptName } from './scripts.generated.js';
export { Scripts } from './scripts.js';
export { isVersionAtLeast, MINIMUM_VERSION, parseServerInfo, readServerInfo, type ServerInfo } from './server-info.js';
