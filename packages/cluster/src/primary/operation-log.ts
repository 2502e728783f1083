/** Operations: what a mutating command set off, until it has ended, and for a while after. accepted -> running -> done | failed. */
import type { Clock } from '@drover/core/kit';
import {
  type ControlError,
  ControlFailure,
  type OperationResult,
  type OperationStatus,
  PROTOCOL_VERSION,
  type Progress,
} from '../protocol/index.js';

const KEPT_MS = 10 * 60_000;
const KEPT = 200;
const KEY_MS = 5 * 60_000;
const KEYS = 1_000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Listener = (progress: Progress) => void;
/** What a progress says beyond who and how far. */
type Step =
  | { readonly state: 'running'; readonly slot?: number; readonly note?: string }
  | { readonly state: 'done'; readonly result: OperationResult }
  | { readonly state: 'failed'; readonly error: ControlError };

export interface NewOperation {
  readonly verb: string;
  /** The group it changes; undefined for one of the whole cluster. A later one of the same group supersedes it. */
  readonly group: string | undefined;
  /** Workers that it adds or takes out, or processes that it stops. */
  readonly total: number;
  /** Version of the desired state that it made. */
  readonly version: number;
}

interface Entry {
  readonly status: Mutable<OperationStatus>;
  readonly operation: NewOperation;
  readonly listeners: Set<Listener>;
  seq: number;
  /** Monotonic ms: the wall clock may be set. */
  endedAt?: number;
}

interface KeyedReply {
  readonly fingerprint: string;
  readonly reply: unknown;
  readonly at: number;
}

/** Owns the table of operations and of idempotency keys. What expired goes when the table is next touched: there is no timer. */
export class OperationLog {
  readonly #entries = new Map<string, Entry>();
  readonly #keys = new Map<string, KeyedReply>();

  /** @param onEnd hears of every operation that has ended. */
  constructor(
    private readonly clock: Pick<Clock, 'now' | 'monotonic'>,
    private readonly makeId: () => string,
    private readonly onEnd: (status: OperationStatus) => void = () => {},
  ) {}

  /** Call it before anything is changed. @throws ControlFailure BUSY when too many operations are under way. */
  assertRoom(): void {
    this.#expire();
    if (this.#entries.size >= KEPT && this.#running().length >= KEPT)
      throw new ControlFailure('BUSY', `${KEPT} operations are under way; wait for one to end`);
  }

  /** @returns its id. @throws ControlFailure BUSY */
  begin(operation: NewOperation): string {
    this.assertRoom();
    if (this.#entries.size >= KEPT) this.#dropOldestEnded();
    const opId = this.makeId();
    for (const entry of this.#running()) {
      if (operation.group !== undefined && entry.operation.group === operation.group) entry.status.supersededBy ??= opId;
    }
    const status = {
      opId,
      verb: operation.verb,
      state: 'accepted',
      done: 0,
      total: operation.total,
      acceptedAt: this.clock.now(),
    } as const;
    this.#entries.set(opId, { status: { ...status }, operation, listeners: new Set(), seq: 0 });
    return opId;
  }

  /** Operations that have not ended. */
  running(): readonly (NewOperation & { readonly opId: string })[] {
    return this.#running().map(({ operation, status }) => ({ ...operation, opId: status.opId }));
  }

  progress(opId: string, done: number, more: { readonly slot?: number; readonly note?: string } = {}): void {
    const entry = this.#entries.get(opId);
    if (!entry || isEnded(entry.status)) return;
    const isNews = entry.status.state === 'accepted' || entry.status.done !== done || more.note !== undefined;
    entry.status.state = 'running';
    entry.status.done = done;
    if (isNews) this.#tell(entry, { ...more, state: 'running' });
  }

  finish(opId: string, result: OperationResult): void {
    this.#end(opId, (entry) => {
      entry.status.done = entry.status.total;
      entry.status.state = 'done';
      entry.status.result = result;
      return { state: 'done', result };
    });
  }

  fail(opId: string, error: ControlError): void {
    this.#end(opId, (entry) => {
      entry.status.state = 'failed';
      entry.status.error = error;
      return { state: 'failed', error };
    });
  }

  /** @throws ControlFailure NOT_FOUND */
  status(opId: string): OperationStatus {
    return { ...this.#entry(opId).status };
  }

  /** The newest operations, newest first. */
  recent(count: number): readonly OperationStatus[] {
    this.#expire();
    return [...this.#entries.values()]
      .reverse()
      .slice(0, count)
      .map((entry) => ({ ...entry.status }));
  }

  /** Calls `listener` with every progress from now on, the end included; at once if it has ended. @returns how to stop it. */
  follow(opId: string, listener: Listener): () => void {
    const entry = this.#entry(opId);
    const { status } = entry;
    if (status.state === 'done') listener(this.#message(entry, { state: 'done', result: status.result as OperationResult }));
    else if (status.state === 'failed') listener(this.#message(entry, { state: 'failed', error: status.error as ControlError }));
    else entry.listeners.add(listener);
    return () => void entry.listeners.delete(listener);
  }

  /**
   * Answers a repeat of a keyed command with the first reply; without a key, or for a new one, runs it.
   * @throws ControlFailure CONFLICT when the key was used for something else.
   */
  once<T>(key: string | undefined, fingerprint: string, run: () => T): T {
    if (key === undefined) return run();
    this.#expire();
    const known = this.#keys.get(key);
    if (known && known.fingerprint !== fingerprint) throw new ControlFailure('CONFLICT', `key ${key} was used for another command`);
    if (known) return known.reply as T;
    const reply = run();
    if (this.#keys.size >= KEYS) this.#keys.delete(this.#keys.keys().next().value as string);
    this.#keys.set(key, { fingerprint, reply, at: this.clock.monotonic() });
    return reply;
  }

  #entry(opId: string): Entry {
    this.#expire();
    const entry = this.#entries.get(opId);
    if (!entry) throw new ControlFailure('NOT_FOUND', `there is no operation ${opId}: it has expired, or another primary ran it`);
    return entry;
  }

  #running(): readonly Entry[] {
    return [...this.#entries.values()].filter((entry) => !isEnded(entry.status));
  }

  #end(opId: string, mark: (entry: Entry) => Step): void {
    const entry = this.#entries.get(opId);
    if (!entry || isEnded(entry.status)) return;
    const ending = mark(entry);
    entry.status.endedAt = this.clock.now();
    entry.endedAt = this.clock.monotonic();
    this.#tell(entry, ending);
    entry.listeners.clear();
    this.onEnd({ ...entry.status });
  }

  #tell(entry: Entry, ending: Step): void {
    const message = this.#message(entry, ending);
    for (const listener of [...entry.listeners]) listener(message);
  }

  #message(entry: Entry, ending: Step): Progress {
    const { opId, done, total } = entry.status;
    return { v: PROTOCOL_VERSION, kind: 'prog', opId, seq: ++entry.seq, done, total, ...ending };
  }

  #expire(): void {
    const now = this.clock.monotonic();
    for (const [opId, { endedAt }] of this.#entries) if (endedAt !== undefined && now - endedAt > KEPT_MS) this.#entries.delete(opId);
    for (const [key, { at }] of this.#keys) if (now - at > KEY_MS) this.#keys.delete(key);
  }

  #dropOldestEnded(): void {
    for (const [opId, { status }] of this.#entries) {
      if (!isEnded(status)) continue;
      this.#entries.delete(opId);
      return;
    }
  }
}

function isEnded(status: Pick<OperationStatus, 'state'>): boolean {
  return status.state === 'done' || status.state === 'failed';
}
