/** What a program holds, counted from outside of its parts: live objects by their prototype, and what stands in them. */

import { readdirSync } from 'node:fs';
import { Session } from 'node:inspector';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** One look. Counts are of live objects after a garbage collection. */
export interface Gauges {
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** Everything that has `Object.prototype` below it: also functions, arrays, promises. */
  readonly objects: number;
  readonly promises: number;
  readonly abortSignals: number;
  readonly emitters: number;
  /** Listeners of all emitters, those of streams and handles included. */
  readonly listeners: number;
  readonly maps: number;
  /** Entries of all maps, and of all sets. */
  readonly mapEntries: number;
  readonly setEntries: number;
  /** What keeps the event loop alive: pipes, sockets, child processes; timers apart. */
  readonly handles: number;
  readonly timers: number;
  readonly fileDescriptors: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const GROUP = 'gauges';
/** The prototype of all emitters; it has no name of its own among the globals. */
const EMITTER = 'Object.getPrototypeOf(Object.getPrototypeOf(process))';
const COUNT = 'function () { return this.length; }';
const ENTRIES = 'function () { return this.reduce((sum, each) => sum + (each === each.constructor?.prototype ? 0 : each.size), 0); }';
/** Read from the table itself: some emitters count their listeners in methods of their own. */
const LISTENERS = `function () {
  const isTable = (table) => table !== null && typeof table === 'object';
  const tables = this.map((each) => each._events).filter(isTable);
  return tables.flatMap((table) => Reflect.ownKeys(table).map((name) => table[name]))
    .reduce((sum, each) => sum + (Array.isArray(each) ? each.length : each === undefined ? 0 : 1), 0);
}`;

/** Looks at this program. Takes some 100 ms, in which nothing else runs. */
export function readGauges(): Gauges {
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  const session = new Session();
  session.connect();
  try {
    const ask = (prototype: string, question: string): number => askAll(session, prototype, question);
    const active = process.getActiveResourcesInfo();
    const timers = active.filter((name) => name === 'Timeout' || name === 'Immediate').length;
    return {
      heapBytes: heapUsed,
      rssBytes: rss,
      objects: ask('Object.prototype', COUNT),
      promises: ask('Promise.prototype', COUNT),
      abortSignals: ask('AbortSignal.prototype', COUNT),
      emitters: ask(EMITTER, COUNT),
      listeners: ask(EMITTER, LISTENERS),
      maps: ask('Map.prototype', COUNT),
      mapEntries: ask('Map.prototype', ENTRIES),
      setEntries: ask('Set.prototype', ENTRIES),
      handles: active.length - timers,
      timers,
      fileDescriptors: readdirSync('/proc/self/fd').length,
    };
  } finally {
    session.disconnect();
  }
}

/** @param question a function that is called with all objects of the prototype as `this`, and returns a number. */
function askAll(session: Session, prototype: string, question: string): number {
  const { result: of } = post(session, 'Runtime.evaluate', { expression: prototype, objectGroup: GROUP });
  const { objects: all } = post(session, 'Runtime.queryObjects', { prototypeObjectId: of?.objectId, objectGroup: GROUP });
  const asked = post(session, 'Runtime.callFunctionOn', { objectId: all?.objectId, functionDeclaration: question, returnByValue: true });
  post(session, 'Runtime.releaseObjectGroup', { objectGroup: GROUP });
  const value = asked.result?.value;
  if (typeof value !== 'number') throw new Error(`${prototype}: ${asked.exceptionDetails?.exception?.description ?? 'no number'}`);
  return value;
}

interface Answer {
  readonly result?: { readonly objectId?: string; readonly value?: unknown };
  readonly objects?: { readonly objectId?: string };
  readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
}

/** A session on one's own thread answers before it returns. */
function post(session: Session, method: string, params: object): Answer {
  let answer: Answer | undefined;
  session.post(method, params, (error, result) => {
    if (error) throw new Error(`${method}: ${error.message}`);
    answer = result as Answer;
  });
  if (!answer) throw new Error(`${method} was not answered`);
  return answer;
}
