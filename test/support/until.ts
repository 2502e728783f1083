/** Waiting for a condition or an event, always with a limit and with words for what did not happen. */
import { setTimeout as delay } from 'node:timers/promises';

/** How long to wait, and what for: "the third job to complete". */
export interface UntilOptions {
  readonly what: string;
  /** Default 10 s. It is there to end a broken test, not to measure a working one. */
  readonly limitMs?: number;
  /** Pause between two looks; default 20 ms. */
  readonly everyMs?: number;
}

type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>;

/**
 * Calls `look` until it returns something truthy, and returns that.
 * @throws when the limit passes; the message says what was awaited, and what the last look returned or threw.
 */
export async function until<T>(look: () => T | Promise<T>, { what, limitMs = 10_000, everyMs = 20 }: UntilOptions): Promise<Truthy<T>> {
  const endsAt = performance.now() + limitMs;
  for (;;) {
    let last: string;
    let cause: unknown;
    try {
      const value = await look();
      if (value) return value as Truthy<T>;
      last = `the last look returned ${JSON.stringify(value) ?? String(value)}`;
    } catch (error) {
      cause = error;
      last = `the last look threw: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (performance.now() >= endsAt) throw new Error(`waited ${limitMs} ms for ${what}; ${last}`, { cause });
    await delay(everyMs);
  }
}

/** What `next` needs of an emitter: Node's, eventemitter3's and BullMQ's all have it. */
export interface Listenable {
  once(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
}

/**
 * The arguments of the next `event`. Ask before doing what causes it.
 * @throws when it does not come within `limitMs` (default 10 s).
 */
export function next<A extends unknown[] = unknown[]>(emitter: Listenable, event: string, limitMs = 10_000): Promise<A> {
  return new Promise((resolve, reject) => {
    const listener = (...args: unknown[]): void => {
      clearTimeout(timer);
      resolve(args as A);
    };
    const timer = setTimeout(() => {
      emitter.off(event, listener);
      reject(new Error(`waited ${limitMs} ms for the event '${event}'`));
    }, limitMs);
    emitter.once(event, listener);
  });
}
