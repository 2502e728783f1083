/** A TCP proxy in front of a Redis server, to be turned to another one, or to swallow or change what certain connections are told. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Nothing reaches the client any more, not even the end of the connection. */
  isSilent: boolean;
}

/** Owns its listening port and the pairs of sockets behind it. Closed at the end of the test. */
export class OpenProxy {
  readonly #listener: Server;
  readonly #pairs = new Set<Pair>();
  #target: URL;
  #swallowed: string | undefined;
  #rewriting: { readonly from: RegExp; readonly to: (found: string) => string } | undefined;

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#listener = createServer((client) => this.#accept(client));
  }

  static async open(target: string): Promise<OpenProxy> {
    const proxy = new OpenProxy(target);
    proxy.#listener.listen(0, '127.0.0.1');
    await once(proxy.#listener, 'listening');
    return proxy;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  /** Where new connections go; those that are there stay where they are. */
  pointTo(target: string): void {
    this.#target = new URL(target);
  }

  /** Connections on which a client has sent, or will send, this command get no further byte; new ones do until they send it. */
  swallowRepliesTo(command: string): void {
    this.#swallowed = command.toLowerCase();
  }

  /** Connections behave again; those that were silenced stay so. */
  swallowNothing(): void {
    this.#swallowed = undefined;
  }

  /** Changes what clients are told; the new text has to be as long as the one it stands for. */
  rewrite(from: RegExp, to: (found: string) => string): void {
    this.#rewriting = { from, to };
  }

  get silenced(): number {
    return [...this.#pairs].filter(({ isSilent }) => isSilent).length;
  }

  #accept(client: Socket): void {
    const server = connect(Number(this.#target.port), this.#target.hostname);
    const pair: Pair = { client, server, isSilent: false };
    this.#pairs.add(pair);
    client.on('data', (bytes) => {
      if (this.#swallowed !== undefined && bytes.toString('latin1').toLowerCase().includes(this.#swallowed)) pair.isSilent = true;
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (!pair.isSilent) client.write(this.#rewritten(bytes));
    });
    client.on('close', () => {
      this.#pairs.delete(pair);
      server.destroy();
    });
    server.on('close', () => {
      if (!pair.isSilent) client.destroy();
    });
    for (const socket of [client, server]) socket.on('error', () => socket.destroy()); // the other side hears of it by 'close'
  }

  #rewritten(bytes: Buffer): Buffer {
    if (!this.#rewriting) return bytes;
    const { from, to } = this.#rewriting;
    return Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1');
  }

  /** Resets every connection, on both sides: what was under way is lost without a goodbye. */
  reset(): number {
    const pairs = [...this.#pairs];
    for (const { client, server } of pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    return pairs.length;
  }

  async close(): Promise<void> {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    this.#listener.close();
    await once(this.#listener, 'close');
  }
}
