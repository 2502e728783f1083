import { lstatSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { type Deadline, type Logger, messageOf, Once } from '@drover/core/kit';
import { isPipe } from '../../protocol/index.js';
import type { SessionHost, Transport } from '../transport.js';
import { cannotCreate, removeStaleSocket, socketPathFor } from './socket-file.js';
import { SocketPeer } from './socket-peer.js';

export interface UnixSocketOptions {
  readonly name: string;
  /** Undefined: the place that belongs to the name. */
  readonly path: string | undefined;
  /** Connections at a time; for one more, the client that has been idle longest goes. */
  readonly maxClients?: number;
}

const DEFAULT_MAX_CLIENTS = 256;

/**
 * Commands as lines of JSON on a unix socket (a named pipe on Windows). Owns the listener and the table of clients.
 *
 * Node cannot read peer credentials, so the file is the authentication: a directory that only we can change, and a socket that is born
 * with mode 0600, as the umask is set around the bind. A client that sends half a line, or nothing, holds a bounded buffer and can be
 * sent away; one that does not read is no longer read from, and dropped at 1,000 waiting messages.
 */
export class UnixSocketTransport implements Transport {
  readonly #lifecycle = new Once(
    () => this.#start(),
    (deadline) => this.#stop(deadline),
  );
  /** In the order of their last sign of life, the longest silent first. */
  readonly #clients = new Set<SocketPeer>();
  readonly #maxClients: number;
  #server: Server | undefined;
  #path: string | undefined;
  #nextId = 1;

  constructor(
    private readonly host: SessionHost,
    private readonly options: UnixSocketOptions,
    private readonly logger: Logger,
  ) {
    this.#maxClients = options.maxClients ?? DEFAULT_MAX_CLIENTS;
  }

  /** Where it listens, once started. */
  get path(): string | undefined {
    return this.#path;
  }

  /** @throws FatalError 73 the socket cannot be created, 75 another primary listens there */
  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  stop(deadline: Deadline): Promise<void> {
    return this.#lifecycle.stop(deadline);
  }

  async #start(): Promise<void> {
    const path = socketPathFor(this.options.name, this.options.path);
    await removeStaleSocket(path);
    const server = createServer((socket) => this.#accept(socket));
    await listen(server, path);
    server.on('error', (error) => this.logger.error('the control socket reports an error', { path, error }));
    this.#server = server;
    this.#path = path;
  }

  #accept(socket: Socket): void {
    const id = `unix#${this.#nextId++}`;
    if (this.#clients.size >= this.#maxClients && !this.#dropIdlest()) {
      this.logger.warn('a client was turned away: all others are busy', { clients: this.#clients.size });
      socket.on('error', () => socket.destroy());
      return void socket.destroy();
    }
    const client = new SocketPeer(id, socket, this.host);
    this.#clients.add(client);
    socket.on('data', () => {
      this.#clients.delete(client);
      this.#clients.add(client);
    });
    socket.on('close', () => this.#clients.delete(client));
  }

  #dropIdlest(): boolean {
    for (const client of this.#clients) {
      if (!client.isIdle) continue;
      this.#clients.delete(client);
      client.drop('dropped: idle, and others want to connect');
      return true;
    }
    return false;
  }

  async #stop(deadline: Deadline): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const isClosed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const client of this.#clients) client.end('the primary has stopped');
    const destroyAll = (): void => {
      for (const client of this.#clients) client.destroy();
    };
    if (deadline.isPassed) destroyAll();
    else deadline.signal.addEventListener('abort', destroyAll, { once: true });
    await isClosed;
  }
}

/** Binds and listens; the socket is never open to others, not even for a moment. */
async function listen(server: Server, path: string): Promise<void> {
  const isFile = !isPipe(path, process.platform);
  const bound = new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (error) => reject(cannotCreate(path, messageOf(error), { cause: error })));
  });
  const umask = isFile ? process.umask(0o177) : undefined;
  try {
    server.listen({ path }); // binds before it returns
  } finally {
    if (umask !== undefined) process.umask(umask);
  }
  await bound;
  server.removeAllListeners('error');
  const found = isFile ? lstatSync(path) : undefined;
  if (found && !(found.isSocket() && (found.mode & 0o777) === 0o600)) {
    server.close();
    throw cannotCreate(path, `it was born with mode 0${(found.mode & 0o777).toString(8)} instead of 0600`);
  }
}
