import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { JobCommands } from '../job/index.js';
import { type Clock, InvalidOptionError } from '../kit/index.js';
import { type SandboxOptions, sandboxProcessor } from '../sandbox/index.js';
import type { ProcessorFunction } from './executor.js';

/** A processor: the function itself, or the path or URL of a file that exports it, which runs in sandboxes. */
export type Processor<Data, Result, Name extends string> = string | URL | ProcessorFunction<Data, Result, Name>;

/** What a worker calls for each job. */
export interface LoadedProcessor {
  readonly run: ProcessorFunction<unknown, unknown, string>;
  /** Ends what runs apart from this process. Those that are busy have `busyGraceMs` left. */
  close(busyGraceMs: number): Promise<void>;
}

/** The function, or the URL of the file. @throws InvalidOptionError for what no processor can be, and for a file that is not there. */
export function processorSource<Data, Result, Name extends string>(
  processor: Processor<Data, Result, Name>,
): ProcessorFunction<Data, Result, Name> | URL {
  if (typeof processor === 'function') return processor;
  if (!(processor instanceof URL) && (typeof processor !== 'string' || processor === '')) {
    throw new InvalidOptionError('processor', processor, 'a function, the path or URL of a file, or null to process by hand');
  }
  const url = processor instanceof URL ? processor : processor.startsWith('file:') ? new URL(processor) : pathToFileURL(processor);
  if (url.protocol !== 'file:') throw new InvalidOptionError('processor', url.href, 'the URL of a file');
  const path = fileURLToPath(url);
  if (existsSync(path)) return url;
  if (extname(path) === '' && existsSync(`${path}.js`)) return pathToFileURL(`${path}.js`);
  throw new InvalidOptionError('processor', path, 'a file that exists');
}

/** @param limit how many jobs run at once, now. */
export function loadProcessor(
  source: ProcessorFunction<unknown, unknown, string> | URL,
  options: SandboxOptions,
  parts: { readonly clock: Clock; readonly commands: JobCommands; limit(): number },
): LoadedProcessor {
  if (source instanceof URL) return sandboxProcessor(source, options, parts);
  return { run: source, close: () => Promise.resolve() };
}
