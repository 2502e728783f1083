import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf, parseInteger } from '@drover/core/kit';
import { ConfigError } from '../errors/errors.js';
import type { ClusterInput, GroupInput } from './config-schema.js';
import { liftSingleGroup } from './config-schema.js';
import { cores } from './cores.js';
import { type Override, overridesOfEnvironment } from './env-overrides.js';
import { resolveConfig } from './resolve-config.js';
import type { ClusterConfig } from './resolved.js';

/** What the command line says; it beats the environment, which beats the file. */
export interface ConfigFlags {
  /** A configuration file; unset: `drover.config.{js,mjs,json}` in the current folder, if there is one. */
  readonly file?: string;
  readonly name?: string;
  readonly redis?: string;
  readonly prefix?: string;
  readonly socket?: string;
  readonly queue?: string;
  readonly processor?: string;
  readonly workers?: number | '1x' | '2x';
  readonly concurrency?: number;
  readonly processes?: { readonly min?: number; readonly max?: number };
  readonly workersPerProcess?: number;
}

const CONFIG_FILES = ['drover.config.js', 'drover.config.mjs', 'drover.config.json'];

type Tree = Record<string, unknown>;

/** The identity: gives a configuration file its types and its completion. */
export function defineConfig(config: ClusterInput | (Omit<ClusterInput, 'groups'> & GroupInput)): typeof config {
  return config;
}

/** Reads file, environment and flags into one configuration. @throws ConfigError (exit code 78), one line. */
export async function loadConfig(
  flags: ConfigFlags,
  env: NodeJS.ProcessEnv = process.env,
  cwd: string = process.cwd(),
): Promise<ClusterConfig> {
  const file = findFile(flags, cwd);
  const tree: Tree = structuredTree(file ? await readConfigFile(file) : {}, file ?? 'the configuration');
  const baseDir = file ? dirname(file) : cwd;
  const lifted = structuredTree(liftSingleGroup(tree), 'the configuration');
  addGroupOfFlags(lifted, flags, cwd);
  const groupNames = Object.keys((lifted.groups as Tree | undefined) ?? {});
  const overrides = [
    ...overridesOfEnvironment(env, groupNames),
    ...countsOfEnvironment(env, groupNames),
    ...overridesOfFlags(flags, groupNames),
  ];
  for (const override of overrides) set(lifted, override);
  const source = file ?? (groupNames.length > 0 ? 'command line' : 'no drover.config.{js,mjs,json} here and no processor given');
  const fixedSizes = sizesFixed(overrides, groupNames);
  const config = resolveConfig(lifted, { cores: cores(), baseDir, source, defaultWorkers: '2x', fixedSizes });
  checkPm2(config, env);
  return config;
}

/** Groups whose size a flag or the environment says; `DROVER_WORKERS` says that of all which the file does not size. */
function sizesFixed(overrides: readonly Override[], groupNames: readonly string[]): ReadonlySet<string> {
  const of = ({ path }: Override): readonly string[] => {
    if (path.at(-1) !== 'workers') return [];
    return path[0] === 'groups' ? [path[1] as string] : path[0] === 'defaults' ? groupNames : [];
  };
  return new Set(overrides.flatMap(of));
}

function findFile(flags: ConfigFlags, cwd: string): string | undefined {
  if (flags.file !== undefined) {
    const file = resolve(cwd, flags.file);
    if (!existsSync(file)) throw new ConfigError('file', `there is no configuration file ${file}`);
    return file;
  }
  if (flags.processor !== undefined) return undefined;
  return CONFIG_FILES.map((name) => resolve(cwd, name)).find((path) => existsSync(path));
}

async function readConfigFile(file: string): Promise<unknown> {
  try {
    if (extname(file) === '.json') return JSON.parse(await readFile(file, 'utf8'));
    const loaded: { default?: unknown } = await import(pathToFileURL(file).href);
    return loaded.default;
  } catch (error) {
    throw new ConfigError('file', `${file} cannot be loaded: ${messageOf(error)}`, { cause: error });
  }
}

/** A copy whose objects may be written to; functions and URLs stay what they are, for the schema to judge. */
function structuredTree(value: unknown, source: string): Tree {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError('', `${source} must export an object as its default`);
  }
  const copy = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null || Object.getPrototypeOf(part) !== Object.prototype) return part;
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, copy(inner)]));
  };
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]));
}

/** A processor on the command line makes a group of its own, named after its queue. */
function addGroupOfFlags(tree: Tree, flags: ConfigFlags, cwd: string): void {
  if (flags.processor === undefined) return;
  const queue = flags.queue ?? 'default';
  tree.groups = { ...(tree.groups as Tree | undefined), [queue]: { queue, processor: resolve(cwd, flags.processor) } };
}

/** `WORKER_COUNT` and `CONCURRENCY`, as in the guide's containers: of the only group. */
function countsOfEnvironment(env: NodeJS.ProcessEnv, groupNames: readonly string[]): Override[] {
  const counts = [
    { variable: 'WORKER_COUNT', key: 'workers' },
    { variable: 'CONCURRENCY', key: 'concurrency' },
  ];
  return counts.flatMap(({ variable, key }) => {
    const text = env[variable];
    if (text === undefined || text === '') return [];
    const value = parseInteger(text) ?? (key === 'workers' && (text === '1x' || text === '2x') ? text : undefined);
    const allowed = key === 'workers' ? 'a whole number of at least 0, "1x" or "2x"' : 'a whole number of at least 1';
    if (value === undefined || (typeof value === 'number' && value < (key === 'workers' ? 0 : 1))) {
      throw new ConfigError(variable, `environment: ${variable} must be ${allowed}, got ${JSON.stringify(text)}`);
    }
    return groupNames.length === 0 ? [] : [{ path: ['groups', onlyGroup(groupNames, variable, key), key], value, variable }];
  });
}

function overridesOfFlags(flags: ConfigFlags, groupNames: readonly string[]): Override[] {
  const found: Override[] = [];
  const add = (variable: string, path: readonly string[], value: unknown) => {
    if (value !== undefined) found.push({ path, value, variable });
  };
  add('--name', ['name'], flags.name);
  add('--redis', ['connection'], flags.redis);
  add('--prefix', ['prefix'], flags.prefix);
  add('--socket', ['control', 'socket'], flags.socket && resolve(flags.socket));
  add('--workers-per-process', ['workersPerProcess'], flags.workersPerProcess);
  add('--processes', ['processes', 'min'], flags.processes?.min);
  add('--processes', ['processes', 'max'], flags.processes?.max);
  const ofGroup = [
    { variable: '--workers', key: 'workers', value: flags.workers },
    { variable: '--concurrency', key: 'concurrency', value: flags.concurrency },
    { variable: '--queue', key: 'queue', value: flags.queue },
  ];
  for (const { variable, key, value } of ofGroup) {
    if (value !== undefined && groupNames.length > 0) add(variable, ['groups', onlyGroup(groupNames, variable, key), key], value);
  }
  return found;
}

function onlyGroup(groupNames: readonly string[], variable: string, key: string): string {
  if (groupNames.length === 1) return groupNames[0] as string;
  const instead = groupNames.map((name) => `DROVER_GROUPS_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}_${key.toUpperCase()}`);
  throw new ConfigError(variable, `${variable} is ambiguous with ${groupNames.length} groups: set ${instead.join(' or ')}`);
}

function set(tree: Tree, { path, value }: Override): void {
  let at = tree;
  for (const key of path.slice(0, -1)) {
    const inner = at[key];
    if (typeof inner !== 'object' || inner === null) at[key] = {};
    at = at[key] as Tree;
  }
  at[path.at(-1) as string] = value;
}

/** pm2 puts its options into the environment: a drain that outlasts its kill timer would be cut off with SIGKILL. */
function checkPm2(config: ClusterConfig, env: NodeJS.ProcessEnv): void {
  if (env.pm_id === undefined || env.kill_timeout === undefined) return;
  const killMs = parseInteger(env.kill_timeout);
  if (killMs === undefined || config.drain.deadlineMs < killMs) return;
  throw new ConfigError(
    'defaults.drain.deadline',
    `the drain deadline of ${config.drain.deadlineMs} ms is not below pm2's kill_timeout of ${killMs} ms: set kill_timeout to ${config.drain.deadlineMs + 5_000}`,
  );
}
