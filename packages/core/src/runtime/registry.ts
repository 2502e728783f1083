import { Deadline, systemClock } from '../kit/index.js';
import { type ConnectionInput, isRedis } from '../redis/index.js';
import { AddGatherer, ProducerStore } from '../store/index.js';
import { Runtime } from './runtime.js';

/** A runtime on loan. It ends when the last of its users has given it back. */
export interface RuntimeLease {
  readonly runtime: Runtime;
  /** Adds of one event-loop turn, of all queues that share the target. */
  readonly adds: AddGatherer;
  /** Calling it twice does nothing. */
  release(): Promise<void>;
}

interface Entry {
  readonly runtime: Runtime;
  readonly adds: AddGatherer;
  users: number;
}

type Entries = Map<unknown, Entry>;

const checkedTargets: Entries = new Map();
/** Of those that take any server. */
const uncheckedTargets: Entries = new Map();
/** What the end of a shared runtime may take; its users have committed their outcomes before they let go. */
const END_MS = 5_000;

/**
 * The runtime of this process for one Redis target: all queues and workers that name the same URL, equal options or the same client
 * share its connections, apart from those that take any server. Nothing is connected before it is used.
 */
export function leaseRuntime(connection: ConnectionInput, skipVersionCheck = false): RuntimeLease {
  const key = targetKey(connection);
  const entries = skipVersionCheck ? uncheckedTargets : checkedTargets;
  let entry = entries.get(key);
  if (!entry || entry.runtime.state === 'failed') {
    const runtime = new Runtime({ connection, skipVersionCheck });
    entry = { runtime, adds: new AddGatherer(new ProducerStore(runtime.connections.scripts), runtime.clock), users: 0 };
    entries.set(key, entry);
  }
  entry.users++;
  return lease(entries, key, entry);
}

function lease(entries: Entries, key: unknown, entry: Entry): RuntimeLease {
  let released: Promise<void> | undefined;
  return {
    runtime: entry.runtime,
    adds: entry.adds,
    release: () => {
      released ??= giveBack(entries, key, entry);
      return released;
    },
  };
}

async function giveBack(entries: Entries, key: unknown, entry: Entry): Promise<void> {
  if (--entry.users > 0) return;
  if (entries.get(key) === entry) entries.delete(key);
  const deadline = Deadline.in(END_MS, systemClock());
  await entry.runtime.stop(deadline);
  deadline.clear();
}

/** Equal texts and equal plain options are one target; clients, and options that hold objects, only if they are the same object. */
export function targetKey(connection: ConnectionInput): unknown {
  if (typeof connection === 'string' || isRedis(connection)) return connection;
  const { url, ...more } = connection;
  if (url && Object.keys(more).length === 0) return url;
  const options = Object.entries(connection).sort(([a], [b]) => (a < b ? -1 : 1));
  const isPlain = options.every(([, value]) => value === null || (typeof value !== 'object' && typeof value !== 'function'));
  return isPlain ? JSON.stringify(options) : connection;
}
