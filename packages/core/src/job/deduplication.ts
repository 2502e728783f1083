import { InvalidOptionError, positiveInt, refuseUnknown } from '../kit/index.js';
import type { DeduplicationOptions } from './job-options.js';

/** What a deduplication asks for, as the add script is told it. */
export interface Deduplication {
  readonly id: string;
  /** ms; 0: the id is owned until its job finishes. */
  readonly ttlMs: number;
  /** Letters of x extend, r replace, s reschedule, k keepLastIfActive; see lua/includes/read-jobs.lua. */
  readonly modes: string;
}

const MODES = { extend: 'x', replace: 'r', reschedule: 's', keepLastIfActive: 'k' } as const;
const KNOWN: ReadonlySet<string> = new Set(['id', 'ttl', ...Object.keys(MODES)]);

/** @throws InvalidOptionError */
export function checkDeduplication(option: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new InvalidOptionError(option, value, 'an object');
  refuseUnknown(`${option}.`, value, KNOWN);
  const { id, ttl, ...modes } = value as Record<string, unknown>;
  if (typeof id !== 'string' || id === '') throw new InvalidOptionError(`${option}.id`, id, 'a text that is not empty');
  if (ttl !== undefined && ttl !== null && ttl !== 0) positiveInt(`${option}.ttl`, ttl);
  for (const [name, mode] of Object.entries(modes)) {
    if (mode !== undefined && mode !== null && typeof mode !== 'boolean') {
      throw new InvalidOptionError(`${option}.${name}`, mode, 'true or false');
    }
  }
}

/** Checked options -> what the script needs. */
export function deduplicationOf(options: DeduplicationOptions): Deduplication {
  const modes = Object.entries(MODES).filter(([name]) => options[name as keyof typeof MODES]);
  return { id: options.id, ttlMs: options.ttl ?? 0, modes: modes.map(([, letter]) => letter).join('') };
}
