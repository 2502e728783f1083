import { messageOf } from '@drover/core/kit';
import type { ConnectionConfig, GroupConfig } from '../config/resolved.js';
import type { Processor } from './hosted-worker.js';

/** Anything that consumes jobs in its own way; BullMQ's `Worker` made with `autorun: false` is one. */
export interface ForeignWorker {
  /** Works until `close`; that it settles unasked is its end. */
  run(): Promise<unknown>;
  /** @param force do not wait for jobs in hand. */
  close(force?: boolean): Promise<unknown>;
}

/** What a module of the kind `worker` is made with. */
export interface ForeignOptions {
  readonly name: string;
  readonly group: string;
  readonly queue: string;
  readonly prefix: string;
  readonly connection: ConnectionConfig;
  readonly concurrency: number;
}

export type LoadedModule =
  | { readonly kind: 'processor'; readonly processor: Processor }
  | { readonly kind: 'worker'; make(options: ForeignOptions): Promise<ForeignWorker> };

type Callable = (...args: unknown[]) => unknown;

/**
 * Loads what the workers of a group run.
 *
 * - `processor`: the default export is a function.
 * - `worker`: the default export is a class, a function that returns (a promise of) one, or a single object, with `run()` and `close()`;
 *   classes and functions are handed `ForeignOptions`, one call per start of a worker.
 * @throws Error that names group and module, whatever went wrong in it.
 */
export async function loadModule(group: GroupConfig): Promise<LoadedModule> {
  const { kind, url } = group.module;
  let loaded: unknown;
  try {
    loaded = defaultExport(await import(url));
  } catch (error) {
    throw new Error(`group ${group.group}: ${url} does not load: ${messageOf(error)}`, { cause: error });
  }
  if (kind === 'worker') return { kind, make: foreignFactory(group, loaded) };
  if (typeof loaded === 'function') return { kind, processor: loaded as Processor };
  throw new Error(`group ${group.group}: ${url} must export a function as default, not ${kindOf(loaded)}`);
}

/** Of a CommonJS module that was compiled from ES modules, the default export is one level down. */
function defaultExport(namespace: Readonly<Record<string, unknown>>): unknown {
  const exported = namespace.default;
  const isCompiled = typeof exported === 'object' && exported !== null && '__esModule' in exported && 'default' in exported;
  return isCompiled ? exported.default : exported;
}

function foreignFactory({ group, module }: GroupConfig, exported: unknown): (options: ForeignOptions) => Promise<ForeignWorker> {
  if (isForeignWorker(exported)) return async () => exported;
  if (typeof exported !== 'function') {
    throw new Error(
      `group ${group}: ${module.url} must export a class, a function or an object with run() and close(), not ${kindOf(exported)}`,
    );
  }
  const construct = isClass(exported)
    ? (options: ForeignOptions) => new (exported as unknown as new (options: ForeignOptions) => unknown)(options)
    : (options: ForeignOptions) => (exported as Callable)(options);
  return async (options) => {
    const made = await construct(options);
    if (isForeignWorker(made)) return made;
    throw new Error(`group ${group}: what ${module.url} made has no run() and close(), it is ${kindOf(made)}`);
  };
}

function isForeignWorker(value: unknown): value is ForeignWorker {
  if (typeof value !== 'object' || value === null) return false;
  return 'run' in value && typeof value.run === 'function' && 'close' in value && typeof value.close === 'function';
}

function isClass(exported: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(exported));
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
