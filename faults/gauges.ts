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
/** Called with all live objects as `this`. Listeners are read from the table itself: some emitters have methods of their own for it. */
const COUNT_ALL = `function () {
  const EventEmitter = Object.getPrototypeOf(Object.getPrototypeOf(process)).constructor;
  const counts = { objects: this.length, promises: 0, abortSignals: 0, emitters: 0, listeners: 0, maps: 0, mapEntries: 0, setEntries: 0 };
  const listenersIn = (table) => Reflect.ownKeys(table).map((name) => table[name])
    .reduce((sum, each) => sum + (Array.isArray(each) ? each.length : each === undefined ? 0 : 1), 0);
  for (const each of this) {
    if (each === each.constructor?.prototype) continue;
    if (each instanceof Promise) counts.promises++;
    else if (each instanceof AbortSignal) counts.abortSignals++;
    else if (each instanceof Set) counts.setEntries += each.size;
    else if (each instanceof Map) {
      counts.maps++;
      counts.mapEntries += each.size;
    } else if (each instanceof EventEmitter) {
      counts.emitters++;
      if (each._events !== null && typeof each._events === 'object') counts.listeners += listenersIn(each._events);
    }
  }
  return counts;
}`;

type Counts = Omit<Gauges, 'heapBytes' | 'rssBytes' | 'handles' | 'timers' | 'fileDescriptors'>;

/** Looks at this program. Takes some 100 ms, in which nothing else runs. */
export function readGauges(): Gauges {
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  const active = process.getActiveResourcesInfo();
  const timers = active.filter((name) => name === 'Timeout' || name === 'Immediate').length;
  return {
    heapBytes: heapUsed,
    rssBytes: rss,
    ...countObjects(),
    handles: active.length - timers,
    timers,
    fileDescriptors: readdirSync('/proc/self/fd').length,
  };
}

function countObjects(): Counts {
  const session = new Session();
  session.connect();
  try {
    const { result: prototype } = post(session, 'Runtime.evaluate', { expression: 'Object.prototype', objectGroup: GROUP });
    const { objects } = post(session, 'Runtime.queryObjects', { prototypeObjectId: prototype?.objectId, objectGroup: GROUP });
    const call = { objectId: objects?.objectId, functionDeclaration: COUNT_ALL, returnByValue: true };
    const { result: counts, exceptionDetails } = post(session, 'Runtime.callFunctionOn', call);
    post(session, 'Runtime.releaseObjectGroup', { objectGroup: GROUP });
    if (exceptionDetails) throw new Error(`objects could not be counted: ${exceptionDetails.exception?.description}`);
    return counts?.value as Counts;
  } finally {
    session.disconnect();
  }
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
