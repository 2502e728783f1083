import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../kit/index.js';
import { ProcessorFileError } from './sandbox-errors.js';
import type { SandboxedJobProcessor } from './sandboxed-job.js';

/**
 * The processor that a file exports: as default, or as `module.exports`.
 * @throws ProcessorFileError that names the file, whatever is wrong with it.
 */
export async function loadFunction(url: string): Promise<SandboxedJobProcessor> {
  const file = fileURLToPath(url);
  let loaded: unknown;
  try {
    loaded = await load(url, file);
  } catch (error) {
    const failed = new ProcessorFileError(file, `does not load: ${messageOf(error)}`, { cause: error });
    if (error instanceof Error) failed.stack = `${failed.name}: ${failed.message}\n${error.stack ?? ''}`;
    throw failed;
  }
  const found = [loaded, field(loaded), field(field(loaded))].find((each) => typeof each === 'function'); // compiled ES modules nest
  if (found) return found as SandboxedJobProcessor;
  throw new ProcessorFileError(file, 'exports no function: it has to be the default export');
}

/** Compilers that only hook `require` (ts-node/register) leave `import` without a way to read their files. */
async function load(url: string, file: string): Promise<unknown> {
  try {
    return await import(url);
  } catch (error) {
    const require = createRequire(file);
    const isHooked = extname(file) in require.extensions;
    if (!isHooked || (error as NodeJS.ErrnoException).code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error;
    return require(file);
  }
}

function field(loaded: unknown): unknown {
  return typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : undefined;
}
