import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EngineRef } from './engine.js';

export function droverEngine(): EngineRef {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  return { name: 'drover', version, module: new URL('./engines/drover.js', import.meta.url).href, options: {} };
}

/**
 * The stock client as `from` would load it.
 * @param from a file or folder of the application; @param name what it is installed as.
 * @returns undefined when it is not installed there.
 */
export function bullmqEngine(from: string, name = 'bullmq'): EngineRef | undefined {
  let main: string;
  try {
    main = createRequire(from).resolve(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
  const module = new URL('./engines/bullmq.js', import.meta.url).href;
  return { name: 'bullmq', version: versionAbove(main), module, options: { module: pathToFileURL(main).href } };
}

/** Of the nearest manifest that has one: a folder within a package may have a manifest of its own, without. */
function versionAbove(file: string): string {
  for (let dir = dirname(file); dir !== dirname(dir); dir = dirname(dir)) {
    try {
      const { version } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { version?: string };
      if (version !== undefined) return version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return 'unknown';
}
