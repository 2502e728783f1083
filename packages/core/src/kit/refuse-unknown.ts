import { didYouMean, InvalidOptionError } from './parse.js';

/**
 * Refuses options that nobody knows, naming the closest one that somebody does.
 * @param path what the names are prefixed with in the message: `limiter.`, or nothing.
 * @throws InvalidOptionError
 */
export function refuseUnknown(path: string, input: object, known: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(input)) {
    if (known.has(name)) continue;
    const close = didYouMean(name, known);
    throw new InvalidOptionError(path + name, value, close ? `absent: did you mean "${close}"?` : 'absent');
  }
}
