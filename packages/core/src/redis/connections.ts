import { EventEmitter } from 'eventemitter3';
import type { Clock } from '../kit/index.js';
import { admitServer } from './admit-server.js';
import { Connection, type ConnectionEvents } from './connection.js';
import type { ConnectionInput, ConnectionRole } from './connection-options.js';
import { Scripts } from './scripts.js';

export interface ConnectionsOptions {
  readonly connection: ConnectionInput;
  /** CLIENT SETNAME of the blocking connection. */
  readonly blockingName?: string;
  readonly readyTimeoutMs?: number;
  readonly clock?: Clock;
  /** Takes any server, also one that is too old. */
  readonly skipVersionCheck?: boolean;
}

/**
 * Owns the connections to one Redis target, each made when first asked for. Events are those of the command connection, and the errors
 * of all of them.
 */
export class Connections extends EventEmitter<ConnectionEvents> {
  readonly #made = new Map<ConnectionRole, Connection>();
  readonly #options: ConnectionsOptions;
  #scripts: Scripts | undefined;

  constructor(options: ConnectionsOptions) {
    super();
    this.#options = options;
  }

  get command(): Connection {
    return this.#get('command');
  }

  get blocking(): Connection {
    return this.#get('blocking');
  }

  get stream(): Connection {
    return this.#get('stream');
  }

  /** The scripts over the command connection. */
  get scripts(): Scripts {
    this.#scripts ??= new Scripts(this.command);
    return this.#scripts;
  }

  /** Closes what was made. A client that was handed in stays open. */
  async close(): Promise<void> {
    await Promise.all([...this.#made.values()].map((connection) => connection.close()));
  }

  /** Closes the stream connection, if there is one. Whoever asks for it later gets a new one. */
  async releaseStream(): Promise<void> {
    const stream = this.#made.get('stream');
    this.#made.delete('stream');
    await stream?.close();
  }

  #get(role: ConnectionRole): Connection {
    const known = this.#made.get(role);
    if (known) return known;
    const { connection: input, blockingName, readyTimeoutMs, clock, skipVersionCheck = false } = this.#options;
    const connection = new Connection(input, {
      role,
      ...(role === 'blocking' && blockingName !== undefined ? { clientName: blockingName } : {}),
      ...(readyTimeoutMs === undefined ? {} : { readyTimeoutMs }),
      ...(clock === undefined ? {} : { clock }),
      ...(role === 'command' && !skipVersionCheck ? { admit: admitServer } : {}),
    });
    connection.on('error', (error) => this.emit('error', error));
    if (role === 'command') {
      connection.on('ready', () => this.emit('ready'));
      connection.on('offline', () => this.emit('offline'));
      connection.on('refused', (error) => this.emit('refused', error));
    }
    this.#made.set(role, connection);
    return connection;
  }
}
