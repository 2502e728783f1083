// What a worker and a sandbox say to each other. The worker (the parent) holds the lock and all connections to Redis; the sandbox (a child
// process or a thread) holds the processor.
//
//   parent -> sandbox                       sandbox -> parent
//   load   import this file                 loaded | not-loaded
//   start  run this job                     started, then done | threw
//   cancel abort the signal of the run      cancelled: the signal is aborted, so the event loop turns
//   reply  what a call came to              call: a command of the job; discarded: job.discard() was called
//   stop   end, after the run under way     uncaught: an error nobody caught; the exit that follows is its doing
//
// A sandbox runs one job at a time. Runs are counted per sandbox; what names an older run than the one under way comes too late and is
// refused. Values cross as JSON text, because that is the form in which they end in Redis, and because a text has a size.
import type { JobCommands, JobRecord } from '../job/index.js';
import { isThrown } from './thrown.js';

/** What one value may have, bytes of its JSON text. A message is copied whole by both sides while their event loops stand still. */
export const MAX_VALUE_BYTES = 32 * 1_024 * 1_024;

/** Tells our messages from those that an application sends over the same channel. */
const MARK = 'drover-sandbox-1';

const text = (value: unknown): value is string => typeof value === 'string';
const number = (value: unknown): value is number => typeof value === 'number';
const optionalText = (value: unknown): value is string | undefined => value === undefined || text(value);
const optionalThrown = (value: unknown): value is import('./thrown.js').Thrown | undefined => value === undefined || isThrown(value);
const jobRecord = (value: unknown): value is JobRecord => typeof value === 'object' && value !== null && 'id' in value && text(value.id);

const TO_SANDBOX = {
  load: { url: text },
  start: { run: number, queue: text, prefix: text, record: jobRecord, token: text },
  cancel: { run: number, reason: isThrown },
  reply: { call: number, value: optionalText, thrown: optionalThrown },
  stop: {},
} as const;

const FROM_SANDBOX = {
  loaded: {},
  'not-loaded': { thrown: isThrown },
  started: { run: number },
  done: { run: number, value: optionalText },
  threw: { run: number, thrown: isThrown },
  call: { run: number, call: number, method: isRemoteMethod, args: text },
  discarded: { run: number },
  cancelled: { run: number },
  uncaught: { thrown: isThrown },
} as const;

type Shape = Readonly<Record<string, (value: unknown) => boolean>>;
type FieldsOf<S> = { readonly [F in keyof S]: S[F] extends (value: unknown) => value is infer V ? V : never };
type MessageOf<T> = { [N in keyof T]: { readonly type: N } & FieldsOf<T[N]> }[keyof T];

export type ToSandbox = MessageOf<typeof TO_SANDBOX>;
export type FromSandbox = MessageOf<typeof FROM_SANDBOX>;

/** Commands of a job that a sandbox may ask for: all but the time, which it has, and what only its worker does or knows. */
export type RemoteMethod = Exclude<keyof JobCommands, 'now' | 'tracing' | 'addNextIteration'>;

const REMOTE: Readonly<Record<RemoteMethod, true>> = {
  read: true,
  state: true,
  updateData: true,
  updateProgress: true,
  addLog: true,
  clearLogs: true,
  remove: true,
  freeDeduplication: true,
  settle: true,
  extendLock: true,
  promote: true,
  changeDelay: true,
  changePriority: true,
  reprocess: true,
  removePendingChildren: true,
  removeChildDependency: true,
  children: true,
  childCounts: true,
};
export const REMOTE_METHODS = Object.keys(REMOTE) as readonly RemoteMethod[];

function isRemoteMethod(value: unknown): value is RemoteMethod {
  return text(value) && Object.hasOwn(REMOTE, value);
}

/** A message as it goes over the channel. */
export function seal(message: ToSandbox | FromSandbox): object {
  return { mark: MARK, ...message };
}

/** @returns undefined for whatever is not a message to a sandbox. */
export function openToSandbox(raw: unknown): ToSandbox | undefined {
  return open(raw, TO_SANDBOX) as ToSandbox | undefined;
}

/** @returns undefined for whatever is not a message of a sandbox. */
export function openFromSandbox(raw: unknown): FromSandbox | undefined {
  return open(raw, FROM_SANDBOX) as FromSandbox | undefined;
}

function open(raw: unknown, table: Readonly<Record<string, Shape>>): object | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const { mark, type, ...fields } = raw as Record<string, unknown>;
  if (mark !== MARK || !text(type) || !Object.hasOwn(table, type)) return undefined;
  const isWhole = Object.entries(table[type] as Shape).every(([name, isValid]) => isValid(fields[name]));
  return isWhole ? { type, ...fields } : undefined;
}
