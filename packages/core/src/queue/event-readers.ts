import type { Connections } from '../redis/index.js';
import type { Runtime } from '../runtime/runtime.js';
import { EventReader } from './event-reader.js';

/** A reader on loan. It ends, with its connection, when the last of its users has given it back. */
export interface EventReaderLease {
  readonly reader: EventReader;
  /** Calling it twice does nothing. */
  release(): Promise<void>;
}

interface Entry {
  readonly reader: EventReader;
  users: number;
}

const entries = new WeakMap<Connections, Entry>();

/** The one reader over the connections of a runtime. */
export function leaseEventReader({ connections, clock }: Pick<Runtime, 'connections' | 'clock'>): EventReaderLease {
  let entry = entries.get(connections);
  if (!entry) {
    entry = { reader: new EventReader(connections, clock), users: 0 };
    entries.set(connections, entry);
    entry.reader.start();
  }
  entry.users++;
  return lease(connections, entry);
}

function lease(connections: Connections, entry: Entry): EventReaderLease {
  let released: Promise<void> | undefined;
  return {
    reader: entry.reader,
    release: () => {
      released ??= giveBack(connections, entry);
      return released;
    },
  };
}

async function giveBack(connections: Connections, entry: Entry): Promise<void> {
  if (--entry.users > 0) return;
  entries.delete(connections);
  await entry.reader.stop();
}
