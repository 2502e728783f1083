import { CodedError } from './coded-error.js';

/** A value from outside that cannot be used; `option` is its name or path, the message says what would be accepted. */
export class InvalidOptionError extends CodedError {
  readonly #value: unknown;
  readonly #expected: string;

  constructor(
    readonly option: string,
    value: unknown,
    expected: string,
  ) {
    super('INVALID_OPTION', `${option} must be ${expected}, got ${show(value)}`);
    this.#value = value;
    this.#expected = expected;
  }

  /** The same about an option that is part of something larger: `path.option`. */
  within(path: string): InvalidOptionError {
    return new InvalidOptionError(`${path}.${this.option}`, this.#value, this.#expected);
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

export function integer(option: string, value: unknown, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new InvalidOptionError(option, value, `an integer ${range(min, max)}`.trimEnd());
}

export function positiveInt(option: string, value: unknown, max = Number.MAX_SAFE_INTEGER): number {
  return integer(option, value, 1, max);
}

export function nonNegativeInt(option: string, value: unknown, max = Number.MAX_SAFE_INTEGER): number {
  return integer(option, value, 0, max);
}

function range(min: number, max: number): string {
  if (max !== Number.MAX_SAFE_INTEGER) return `from ${min} to ${max}`;
  return min === Number.MIN_SAFE_INTEGER ? '' : `of at least ${min}`;
}

/** The whole number that `text` spells in decimal digits, else undefined: no spaces, exponents or fractions. */
export function parseInteger(text: string): number | undefined {
  if (!/^[+-]?\d{1,15}$/.test(text)) return undefined;
  return Number(text);
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration in ms: a number is taken as ms, a text is digits with a unit ("250ms", "10s", "5m", "1h", "2d"). */
export function durationMs(option: string, value: unknown): number {
  if (typeof value === 'number') return nonNegativeInt(option, value);
  const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(value.trim()) : null;
  if (match) return Math.round(Number(match[1]) * (UNIT_MS[match[2] as string] as number));
  throw new InvalidOptionError(option, value, 'a duration: ms as a number, or a text such as "250ms", "10s" or "5m"');
}

/** The candidate closest to a mistyped name, if one is close enough to be what was meant (a third of its letters). */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance <= Math.max(1, Math.floor(candidate.length / 3)) && (!best || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] as number;
}
