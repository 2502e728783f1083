import { messageOf } from '../kit/index.js';

/** A decoded value, or the default and what was wrong with the text. */
export interface Decoded<T> {
  readonly value: T;
  readonly problem?: string;
}

/** JSON text -> value. An absent text is no problem, it is the default. */
export function decodeJson(text: string | null | undefined, fallback: unknown): Decoded<unknown> {
  if (text === null || text === undefined) return { value: fallback };
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { value: fallback, problem: messageOf(error) };
  }
}

/** JSON text -> object. PHP and Lua write an empty object as `[]`. */
export function decodeObject(text: string | null | undefined): Decoded<Record<string, unknown>> {
  const { value, problem } = decodeJson(text, {});
  if (problem !== undefined) return { value: {}, problem };
  if (Array.isArray(value) && value.length === 0) return { value: {} };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { value: {}, problem: 'not an object' };
  return { value: value as Record<string, unknown> };
}

/** A numeric hash field; 0 when absent or not a number. Base 10, a fraction is cut off. */
export function integerField(text: string | null | undefined): number {
  if (text === null || text === undefined) return 0;
  const value = Number.parseInt(text, 10);
  return Number.isFinite(value) ? value : 0;
}
