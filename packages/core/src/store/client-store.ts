import type { QueueRef } from '../keys/queue-keys.js';
import { type Connection, eventsClientName, workerClientName } from '../redis/index.js';

/** One connection to Redis as CLIENT LIST has it; `rawname` is its full name, `name` the queue's. */
export type ListedClient = Readonly<Record<string, string>>;

/** Lists the workers and event readers of a queue, of all clients that name their connections as BullMQ does (data model, section 9). */
export class ClientStore {
  constructor(private readonly connection: Connection) {}

  workers(queue: QueueRef): Promise<ListedClient[]> {
    const unnamed = workerClientName(queue);
    return this.#list(queue, (name) => name === unnamed || name.startsWith(`${unnamed}:w:`));
  }

  eventReaders(queue: QueueRef): Promise<ListedClient[]> {
    const wanted = eventsClientName(queue);
    return this.#list(queue, (name) => name === wanted);
  }

  async #list(queue: QueueRef, isWanted: (name: string) => boolean): Promise<ListedClient[]> {
    return parseClients(String(await this.connection.send('client', ['list'])))
      .filter(({ name = '' }) => isWanted(name))
      .map((client) => ({ ...client, name: queue.name, rawname: client.name as string }));
  }
}

/** Reads the text of CLIENT LIST: a line each, `field=value` by spaces; values have no spaces. */
export function parseClients(text: string): Record<string, string>[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) =>
      Object.fromEntries(
        line.split(' ').map((pair) => {
          const at = pair.indexOf('=');
          return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
        }),
      ),
    );
}
