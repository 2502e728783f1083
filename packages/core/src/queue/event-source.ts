import { ConnectionClosedError, ConnectionLostError, RedisRefusedError } from '../errors/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import { toError } from '../kit/index.js';
import { type Connection, type Connections, eventsClientName, type RawCommand } from '../redis/index.js';
import type { StreamEntry } from './event-stream.js';
import { START_OF_STREAM } from './stream-position.js';

/** Streams and the places to read them from. */
export interface ReadRequest {
  readonly places: readonly { readonly key: string; readonly from: string }[];
  /** Entries of each stream. */
  readonly count: number;
}

/** Entries by stream key; an Error is what Redis said to this call. */
export type ReadReply = readonly (readonly [key: string, entries: readonly StreamEntry[]])[] | Error;

/** The commands of event reading: waiting reads on the stream connection, everything else on the command connection. */
export class EventSource {
  readonly #command: Connection;
  readonly #stream: Connection;
  #clientId: number | undefined;
  #name: string | undefined;

  /** @param offline the stream connection was lost. */
  constructor(
    private readonly connections: Connections,
    offline: () => void,
  ) {
    this.#command = connections.command;
    this.#stream = connections.stream;
    this.#stream.on('offline', () => {
      this.#clientId = undefined;
      this.#name = undefined;
      offline();
    });
  }

  get isReady(): boolean {
    return this.#command.isReady && this.#stream.isReady && this.#clientId !== undefined;
  }

  /** @throws RedisUnreachableError, ConnectionClosedError */
  async whenReady(): Promise<void> {
    await this.#command.whenReady();
    await this.#stream.whenReady();
    this.#clientId = Number(await this.#stream.send('client', ['id']));
  }

  /**
   * Names the stream connection after a queue: a connection has one name, so one queue stands for all that it reads.
   * @returns what Redis has against the name (a prefix with a space in it); reading does without one.
   */
  async showAs(queue: QueueRef): Promise<Error | undefined> {
    const name = eventsClientName(queue);
    if (name === this.#name) return undefined;
    this.#name = name;
    const [reply] = await this.#stream.sendAll([{ name: 'client', args: ['setname', name], label: `client setname ${name}` }]);
    return reply instanceof Error ? reply : undefined;
  }

  /** The id of the last entry of each stream, in order. A stream that has none, or does not exist, answers its start. */
  async lastIds(keys: readonly string[]): Promise<(string | Error)[]> {
    const replies = await this.#command.sendAll(
      keys.map((key) => ({ name: 'xrevrange', args: [key, '+', '-', 'COUNT', 1], label: `xrevrange of ${key}` })),
    );
    return replies.map((reply) => (reply instanceof Error ? reply : ((reply as StreamEntry[])[0]?.[0] ?? START_OF_STREAM)));
  }

  /** Reads without waiting, in one round trip. */
  async read(requests: readonly ReadRequest[]): Promise<ReadReply[]> {
    return ((await this.#stream.sendAll(requests.map((request) => xread(request)))) as (ReadReply | null)[]).map((reply) => reply ?? []);
  }

  /** Waits until one of the streams has something, the time is over, or `unblock` ended the call. @throws ConnectionLostError */
  async wait(request: ReadRequest, blockMs: number): Promise<ReadReply> {
    const { name, args } = xread(request, blockMs);
    try {
      return ((await this.#stream.block(name, args, blockMs)) as ReadReply | null) ?? [];
    } catch (error) {
      if (isLoss(error)) throw error;
      return toError(error);
    }
  }

  /** Ends the waiting call through the other connection. @returns false when none was waiting (yet). */
  async unblock(): Promise<boolean> {
    if (this.#clientId === undefined) return false;
    return (await this.#command.send('client', ['unblock', this.#clientId])) === 1;
  }

  /** Closes the stream connection, and with it a waiting call. */
  stop(): Promise<void> {
    return this.connections.releaseStream();
  }
}

function xread({ places, count }: ReadRequest, blockMs?: number): RawCommand {
  const args = blockMs === undefined ? ['COUNT', count] : ['COUNT', count, 'BLOCK', blockMs];
  const [first] = places;
  return {
    name: 'xread',
    args: [...args, 'STREAMS', ...places.map(({ key }) => key), ...places.map(({ from }) => from)],
    label: places.length === 1 ? `xread of ${first?.key}` : `xread of ${places.length} streams`,
  };
}

/** The connection is gone, for now or for good: nothing is known of what was asked. */
export function isLoss(error: unknown): boolean {
  return error instanceof ConnectionLostError || error instanceof ConnectionClosedError;
}

/** The whole server refuses, or has changed its role; not so a missing permission, which may concern one key. */
export function isOfServer(error: Error): boolean {
  const { message } = error;
  return error instanceof RedisRefusedError ? !message.includes(': NOPERM') : message.includes(': UNBLOCKED');
}
