export type { ClusterInput, GroupInput, SingleGroupInput } from './config-schema.js';
export { cores } from './cores.js';
export { type ConfigFlags, defineConfig, loadConfig } from './load-config.js';
export { type ResolveContext, resolveConfig } from './resolve-config.js';
export type {
  ClusterConfig,
  ConnectionConfig,
  DrainConfig,
  GroupConfig,
  HealthConfig,
  ProcessLimits,
  RecycleConfig,
  RestartType,
  SupervisionConfig,
} from './resolved.js';
