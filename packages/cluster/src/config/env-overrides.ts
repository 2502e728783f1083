import { didYouMean, parseInteger } from '@drover/core/kit';
import { ConfigError } from '../errors/errors.js';
import { knownKeys } from './config-issues.js';

/** A part of a configuration, by path. */
export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
  /** What the value came from, for messages. */
  readonly variable: string;
}

/** Set in forked processes by the primary, or read elsewhere: not configuration. */
const NOT_CONFIG: ReadonlySet<string> = new Set([
  'DROVER_ROLE',
  'DROVER_SLOT',
  'DROVER_GENERATION',
  'DROVER_INCARNATION',
  'DROVER_WATCHDOG_FD',
  'DROVER_CONFIG',
]);

/**
 * What the environment says, as paths into the configuration: `REDIS_URL` is `connection`, and `DROVER_` with a path is that path
 * (`DROVER_PROCESSES_MAX`, `DROVER_GROUPS_MAIL_WORKERS`; `DROVER_DRAIN_DEADLINE` is the default of all groups).
 * `WORKER_COUNT` and `CONCURRENCY` belong to the only group, so they are not decided here.
 * @param groupNames names that the file has: `DROVER_GROUPS_<NAME>_...` finds them whatever their case.
 * @throws ConfigError for a `DROVER_` variable that is no path.
 */
export function overridesOfEnvironment(env: Readonly<Record<string, string | undefined>>, groupNames: readonly string[]): Override[] {
  const found: Override[] = [];
  if (env.REDIS_URL) found.push({ path: ['connection'], value: env.REDIS_URL, variable: 'REDIS_URL' });
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('DROVER_') || NOT_CONFIG.has(variable) || text === undefined || text === '') continue;
    found.push({ path: pathOf(variable, groupNames), value: decode(text), variable });
  }
  return found;
}

function pathOf(variable: string, groupNames: readonly string[]): readonly string[] {
  const words = variable.slice('DROVER_'.length);
  const path = descend(words, [], groupNames) ?? descend(words, ['defaults'], groupNames);
  if (path) return path;
  const guess = didYouMean(variable, allVariables(groupNames));
  throw new ConfigError(variable, `environment: unknown variable ${variable}${guess ? `, did you mean ${guess}?` : ''}`);
}

/** The keys whose names, joined by `_`, spell `words`; undefined if there are none. */
function descend(words: string, at: readonly string[], groupNames: readonly string[]): readonly string[] | undefined {
  for (const key of keysAt(at, groupNames)) {
    const spelled = spell(key);
    if (words === spelled) return [...at, key];
    if (!words.startsWith(`${spelled}_`)) continue;
    const deeper = descend(words.slice(spelled.length + 1), [...at, key], groupNames);
    if (deeper) return deeper;
  }
  return undefined;
}

function keysAt(path: readonly string[], groupNames: readonly string[]): readonly string[] {
  return path.length === 1 && path[0] === 'groups' ? groupNames : knownKeys(path);
}

/** `maxWorkersHard` is MAX_WORKERS_HARD, group `my-mail` is MY_MAIL. */
function spell(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]/g, '_')
    .toUpperCase();
}

function allVariables(groupNames: readonly string[], at: readonly string[] = []): string[] {
  return keysAt(at, groupNames).flatMap((key) => {
    const path = [...at, key];
    const deeper = allVariables(groupNames, path);
    return deeper.length > 0 ? deeper : [`DROVER_${path.map(spell).join('_')}`];
  });
}

function decode(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return parseInteger(text) ?? text;
}
