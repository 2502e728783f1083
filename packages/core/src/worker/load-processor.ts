import { pathToFileURL } from 'node:url';
import { InvalidOptionError } from '../kit/index.js';
import type { ProcessorFunction } from './executor.js';

/** A processor: the function itself, or the path or URL of a module whose default export it is. */
export type Processor<Data, Result, Name extends string> = string | URL | ProcessorFunction<Data, Result, Name>;

/**
 * The function that a processor stands for. A module is loaded into this process, once; it does not get a process of its own.
 * @throws InvalidOptionError when it is not, or does not export, a function; or whatever the module throws when it is loaded.
 */
export async function loadProcessor<Data, Result, Name extends string>(
  processor: Processor<Data, Result, Name>,
): Promise<ProcessorFunction<Data, Result, Name>> {
  if (typeof processor === 'function') return processor;
  const url = processor instanceof URL ? processor : processor.startsWith('file:') ? new URL(processor) : pathToFileURL(processor);
  const loaded: unknown = ((await import(url.href)) as { readonly default?: unknown }).default;
  const found = isRecord(loaded) ? loaded.default : loaded; // a CommonJS module that was compiled from an ES module
  if (typeof found !== 'function') throw new InvalidOptionError('processor', found, `a function: it is the default export of ${url.href}`);
  return found as ProcessorFunction<Data, Result, Name>;
}

/** @throws InvalidOptionError at once for what no processor can be. */
export function checkProcessor(processor: unknown): void {
  if (typeof processor === 'function' || processor instanceof URL || (typeof processor === 'string' && processor !== '')) return;
  throw new InvalidOptionError('processor', processor, 'a function, the path or URL of a module, or null to process by hand');
}

function isRecord(value: unknown): value is { readonly default?: unknown } {
  return typeof value === 'object' && value !== null;
}
