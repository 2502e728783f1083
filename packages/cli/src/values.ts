/** What was typed, as values: each parser names the value it had and what it would take. */
import { didYouMean, durationMs, parseInteger } from '@drover/core/kit';
import { UsageError } from './exit-codes.js';

const MAX_COUNT = 1_000_000;

/** A change of size: `scale 6`, `scale up 2`, `scale down`. */
export type Change = { readonly verb: 'scale_to' | 'scale_up' | 'scale_down'; readonly count: number };

/** @throws UsageError */
export function parseChange(size: string | undefined, count: string | undefined): Change {
  if (size === undefined) throw new UsageError('scale: how many workers? Use "scale 6", "scale up 2" or "scale down 2"');
  if (size === 'up' || size === 'down') {
    return { verb: `scale_${size}`, count: count === undefined ? 1 : parseCount(`scale ${size}`, count) };
  }
  const meant = parseInteger(size) === undefined ? didYouMean(size, ['up', 'down']) : undefined;
  if (meant) throw new UsageError(`scale: unknown direction ${quote(size)}; did you mean "scale ${meant}"?`);
  const parsed = parseCount('scale', size);
  if (count !== undefined) throw new UsageError(`scale: takes one number, got ${quote(size)} and ${quote(count)}`);
  return { verb: 'scale_to', count: parsed };
}

function parseCount(command: string, text: string): number {
  const value = parseInteger(text);
  if (value === undefined)
    throw new UsageError(`${command}: ${quote(text)} is not a number of workers; use a whole number, as in "${command} 4"`);
  if (value < 0) throw new UsageError(`${command}: ${value} is below zero; to have fewer workers use "scale down ${-value}"`);
  if (value > MAX_COUNT) throw new UsageError(`${command}: ${value} is beyond reason; use a number up to ${MAX_COUNT}`);
  return value;
}

/** A whole number of an option, at least `min`. @throws UsageError */
export function parseCountOption(option: string, text: string, min: number): number {
  const value = parseInteger(text);
  if (value !== undefined && value >= min) return value;
  throw new UsageError(`${option}: must be a whole number of at least ${min}, got ${quote(text)}`);
}

/** Digits are ms, else "10s", "500ms", "5m". @throws InvalidOptionError */
export function parseDuration(option: string, text: string): number {
  return durationMs(option, parseInteger(text) ?? text);
}

/** `2..8`, `2..`, `..8` or `4` (exactly). @throws UsageError */
export function parseRange(option: string, text: string): { readonly min?: number; readonly max?: number } {
  const [from, to, ...rest] = text.includes('..') ? text.split('..') : [text, text];
  if (rest.length > 0 || (from === '' && to === '')) throw new UsageError(`${option}: must be MIN..MAX, as in "1..4", got ${quote(text)}`);
  const min = from ? parseCountOption(option, from, 1) : undefined;
  const max = to ? parseCountOption(option, to, 1) : undefined;
  if (min !== undefined && max !== undefined && min > max) throw new UsageError(`${option}: ${min} is above ${max} in ${quote(text)}`);
  return { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
}

/** A number of workers, or that many per core. @throws UsageError */
export function parseWorkers(option: string, text: string): number | '1x' | '2x' {
  if (text === '1x' || text === '2x') return text;
  const value = parseInteger(text);
  if (value !== undefined && value >= 0) return value;
  throw new UsageError(`${option}: must be a whole number of at least 0, "1x" or "2x" (per core), got ${quote(text)}`);
}

/** Whether the file given to `start` holds a configuration rather than a processor: by its name. */
export function isConfigFile(path: string): boolean {
  return path.endsWith('.json') || /\.config\.[cm]?js$/.test(path);
}

export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
