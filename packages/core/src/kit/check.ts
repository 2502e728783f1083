import { InvalidOptionError, integer } from './parse.js';
import { refuseUnknown } from './refuse-unknown.js';

/** Looks at the value of an option that was given. @throws InvalidOptionError with the option's name and the value. */
export type Check = (option: string, value: unknown) => unknown;

/** How each member of an options object is checked. What has no check is unknown, and refused. */
export type Shape<Options> = { readonly [Name in keyof Required<Options>]: Check };

/** Longest time a timer can run: beyond it, Node runs it at once. About 24 days. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Checks an options object member by member.
 * @param option its name: empty for the options of a call or a constructor, whose members have names of their own.
 * @returns a copy without the members that are undefined or null: those count as absent.
 * @throws InvalidOptionError for anything but an object, an unknown member, or one that its check refuses.
 */
export function checked<Options extends object>(option: string, value: unknown, shape: Shape<Options>): Options {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidOptionError(option === '' ? 'options' : option, value, 'an object');
  }
  const path = option === '' ? '' : `${option}.`;
  const given: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (!Object.hasOwn(shape, name)) refuseUnknown(path, { [name]: member }, new Set(Object.keys(shape)));
    if (member === undefined || member === null) continue;
    shape[name as keyof Options](path + name, member);
    given[name] = member;
  }
  return given as Options;
}

export function flag(option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new InvalidOptionError(option, value, 'true or false');
}

export function text(option: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new InvalidOptionError(option, value, 'a text that is not empty');
}

export function anObject(option: string, value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new InvalidOptionError(option, value, 'an object');
}

export function aFunction(option: string, value: unknown): unknown {
  if (typeof value === 'function') return value;
  throw new InvalidOptionError(option, value, 'a function');
}

export function anArray(option: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new InvalidOptionError(option, value, 'an array');
}

/** Whole ms that a timer can run, 1 or more. */
export function timerMs(option: string, value: unknown): number {
  return integer(option, value, 1, MAX_TIMER_MS);
}
