import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A line to Redis whose length is known: what comes in on one side leaves on the other half a round trip later. On it, time divided by
 * the round trip is a number of round trips, whatever the machine is busy with.
 */
export class SlowLine {
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly target: URL,
    private readonly oneWayMs: number,
  ) {
    this.#listener = createServer((client) => this.#join(client));
  }

  static async open(url: string, roundTripMs: number): Promise<SlowLine> {
    const line = new SlowLine(new URL(url), roundTripMs / 2);
    line.#listener.listen(0, '127.0.0.1');
    await once(line.#listener, 'listening');
    return line;
  }

  /** The address of Redis by this line: user, password and database as they are. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.#listener.address() as AddressInfo).port);
    return url.href;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#listener.close();
    await once(this.#listener, 'close');
  }

  #join(client: Socket): void {
    const server = connect(Number(this.target.port || 6379), this.target.hostname);
    this.#carry(client, server);
    this.#carry(server, client);
  }

  /** Timers of equal length fire in the order in which they were set, so the bytes keep theirs. */
  #carry(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (bytes) => setTimeout(() => to.writable && to.write(bytes), this.oneWayMs));
    from.on('error', () => from.destroy()); // the other side hears of it by 'close'
    from.on('close', () => {
      this.#sockets.delete(from);
      setTimeout(() => to.destroy(), this.oneWayMs);
    });
  }
}
