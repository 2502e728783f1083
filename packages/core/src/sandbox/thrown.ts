import { types } from 'node:util';
import { controlFlowOf, DelayedError, RateLimitError, UnrecoverableError, WaitingChildrenError, WaitingError } from '../errors/index.js';

/** Something that was thrown, or given as the reason of an abort, in a form that every channel carries. */
export type Thrown =
  | {
      readonly kind: 'error';
      readonly name: string;
      readonly message: string;
      readonly stack?: string;
      /** JSON text of its other own properties, those that JSON can carry. */
      readonly properties?: string;
      readonly cause?: Thrown;
    }
  /** JSON text; absent for undefined. */
  | { readonly kind: 'value'; readonly json?: string };

/** How many causes go along: a chain may be circular. */
const MAX_CAUSES = 5;
const OWN_FIELDS = new Set(['name', 'message', 'stack', 'cause']);
const CONTROL_FLOW = { DelayedError, RateLimitError, UnrecoverableError, WaitingChildrenError, WaitingError } as const;

/** Never throws: what cannot be carried becomes its text. */
export function encodeThrown(thrown: unknown, causesLeft = MAX_CAUSES): Thrown {
  if (thrown === undefined) return { kind: 'value' };
  if (!isError(thrown)) return { kind: 'value', json: toJson(thrown) ?? toJson(String(thrown)) };
  const { name, message, stack, cause } = thrown;
  const properties = propertiesOf(thrown);
  return {
    kind: 'error',
    name: String(name),
    message: String(message),
    ...(typeof stack === 'string' ? { stack } : {}),
    ...(properties === undefined ? {} : { properties }),
    ...(cause === undefined || causesLeft === 0 ? {} : { cause: encodeThrown(cause, causesLeft - 1) }),
  };
}

/** Errors that steer a job come back as instances of their class, all others as `Error` with their name, stack and properties. */
export function decodeThrown(thrown: Thrown): unknown {
  if (thrown.kind === 'value') return thrown.json === undefined ? undefined : JSON.parse(thrown.json);
  const { name, message, stack, properties, cause } = thrown;
  const flow = controlFlowOf({ name });
  const error = flow ? new CONTROL_FLOW[flow](message) : new Error(message);
  if (properties !== undefined) Object.assign(error, JSON.parse(properties));
  const hidden = cause === undefined ? { name, stack } : { name, stack, cause: decodeThrown(cause) };
  for (const [field, value] of Object.entries(hidden)) {
    Object.defineProperty(error, field, { value, writable: true, configurable: true, enumerable: false });
  }
  return error;
}

export function isThrown(value: unknown): value is Thrown {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  return value.kind === 'value' || (value.kind === 'error' && 'message' in value && typeof value.message === 'string');
}

function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value); // the latter: of another realm
}

function propertiesOf(error: Error): string | undefined {
  const own = Object.entries(error).flatMap(([name, value]) => {
    const json = OWN_FIELDS.has(name) ? undefined : toJson(value);
    return json === undefined ? [] : [`${JSON.stringify(name)}:${json}`];
  });
  return own.length === 0 ? undefined : `{${own.join(',')}}`;
}

function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined; // a cycle or a BigInt: the caller has another way to say it
  }
}
