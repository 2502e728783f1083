import { EventEmitter } from 'eventemitter3';
import { Command, type Redis } from 'ioredis';
import { ConnectionClosedError, ConnectionLostError, errorFromReply, RedisUnreachableError } from '../errors/index.js';
import { type Clock, messageOf, systemClock, type Timer, toError } from '../kit/index.js';
import { addressOf, type ConnectionInput, type ConnectionRole, makeClient } from './connection-options.js';

export type RedisArgument = string | number;

/** One command as it is sent: its name and its arguments, flat. */
export interface RawCommand {
  readonly name: string;
  readonly args: readonly RedisArgument[];
  /** What error messages call it, if not by its name. */
  readonly label?: string;
}

export interface ConnectionOptions {
  readonly role: ConnectionRole;
  /** CLIENT SETNAME of this connection; other clients list workers by it (see `client-name.ts`). */
  readonly clientName?: string;
  /** How long `whenReady` waits unless told otherwise. Default 10 s. */
  readonly readyTimeoutMs?: number;
  readonly clock?: Clock;
  /** Looks at the server before anybody is told that the connection is ready; what it throws refuses the server for good. */
  readonly admit?: (connection: Pick<Connection, 'address' | 'send'>) => Promise<void>;
}

export interface ConnectionEvents {
  ready: () => void;
  /** Was ready and is no longer; every command under way has been rejected. Reconnecting goes on until `close`. */
  offline: () => void;
  /** The server will not do: nothing is sent to it, and every call rejects with this error. */
  refused: (error: Error) => void;
  /** `close` was called: nothing waits for this connection any more. */
  closed: () => void;
  /** A failure nobody else is told of, such as each refused reconnect. */
  error: (error: Error) => void;
}

/** A blocking call that has not settled this long after its own timeout is given up, with its socket. */
const BLOCKING_GRACE_MS = 1_000;
/** How long a connection may take to end before it is left to itself. */
const CLOSING_MS = 1_000;

/**
 * Owns one ioredis client of one role. Commands never wait for a connection: they are rejected with `ConnectionLostError` at once while
 * there is none, and when their reply got lost; `whenReady` is how to wait. See `connection-options.ts` for why nothing is sent twice.
 * A client that the caller handed in is used as it is (its own retry options apply) and stays open after `close`.
 */
export class Connection extends EventEmitter<ConnectionEvents> {
  readonly role: ConnectionRole;
  /** host:port or socket path, for messages. */
  readonly address: string;
  readonly #client: Redis;
  readonly #isOwn: boolean;
  readonly #clock: Clock;
  readonly #readyTimeoutMs: number;
  readonly #detach: () => void;
  readonly #admit: ConnectionOptions['admit'];
  #admission: 'none' | 'asked' | 'granted';
  #refusal: Error | undefined;
  #wasReady = false;
  #lastError: string | undefined;
  #closed: Promise<void> | undefined;

  constructor(input: ConnectionInput, options: ConnectionOptions) {
    super();
    const { client, isOwn } = makeClient(input, options.role, options.clientName);
    this.role = options.role;
    this.address = addressOf(client);
    this.#client = client;
    if (isOwn) client.setMaxListeners(0); // each `whenReady` under way listens
    this.#isOwn = isOwn;
    this.#clock = options.clock ?? systemClock();
    this.#readyTimeoutMs = options.readyTimeoutMs ?? 10_000;
    this.#admit = options.admit;
    this.#admission = options.admit ? 'none' : 'granted';
    this.#detach = this.#listen();
  }

  get isReady(): boolean {
    return this.#closed === undefined && this.#admission === 'granted' && this.#client.status === 'ready';
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * Connects on the first call, and waits until commands can be sent.
   * @throws RedisUnreachableError after `limitMs`, or at once when Redis refuses the credentials; UnsupportedServerError for one that is too
   *   old; ConnectionClosedError after `close`.
   */
  whenReady(limitMs = this.#readyTimeoutMs): Promise<void> {
    if (this.isReady) return Promise.resolve();
    if (this.#closed) return Promise.reject(new ConnectionClosedError(this.address));
    if (this.#refusal) return Promise.reject(this.#refusal);
    return new Promise((resolve, reject) => {
      const finish = (error?: Error) => {
        timer.cancel();
        this.off('ready', onReady).off('refused', finish).off('closed', onClosed);
        this.#client.off('error', onError).off('end', onEnd);
        if (error) reject(error);
        else resolve();
      };
      const onReady = () => finish();
      const onError = (error: Error) => {
        if (/\b(WRONGPASS|NOAUTH|NOPERM|ERR invalid password)\b/.test(error.message)) finish(this.#unreachable(error.message));
      };
      const onClosed = () => finish(new ConnectionClosedError(this.address));
      const onEnd = () => finish(this.#unreachable(this.#lastError ?? 'it hung up'));
      const timer = this.#clock.setTimer(() => finish(this.#unreachable(this.#lastError ?? `no answer within ${limitMs} ms`)), limitMs);
      this.on('ready', onReady).on('refused', finish).on('closed', onClosed);
      this.#client.on('error', onError).on('end', onEnd);
      if (this.#client.status === 'wait' || this.#client.status === 'end')
        this.#client.connect().catch(() => undefined); // told by 'error'
      else if (this.#client.status === 'ready') this.#enter();
    });
  }

  /** The client itself, once it is ready: for callers that need what this class does not offer. */
  async client(): Promise<Redis> {
    await this.whenReady();
    return this.#client;
  }

  /**
   * Sends one command.
   * @throws ConnectionLostError, ConnectionClosedError, or the error that Redis replied.
   */
  async send(name: string, args: readonly RedisArgument[]): Promise<unknown> {
    const [result] = await this.sendAll([{ name, args }]);
    if (result instanceof Error) throw result;
    return result;
  }

  /**
   * Sends commands in one write, in order.
   * @returns a result for each, an Error where Redis replied one.
   * @throws ConnectionLostError when any reply got lost: then nothing is known about any of them. ConnectionClosedError after `close`.
   */
  async sendAll(commands: readonly RawCommand[]): Promise<unknown[]> {
    if (this.#refusal) throw this.#refusal;
    if (this.#admission !== 'granted' && !this.#closed) throw this.#noConnection();
    return this.#exchange(commands);
  }

  async #exchange(commands: readonly RawCommand[]): Promise<unknown[]> {
    this.#assertUsable();
    if (commands.length === 0) return [];
    const sent = commands.map(({ name, args }) => new Command(name, args as RedisArgument[], { replyEncoding: 'utf8' }));
    const [only] = sent;
    if (only && sent.length === 1) return [await this.#sendOne(only, commands[0] as RawCommand)];
    const settled = Promise.allSettled(sent.map((command) => command.promise));
    this.#writeAll(sent);
    return (await settled).map((result, at) =>
      result.status === 'fulfilled' ? result.value : this.#replyError(commands[at] as RawCommand, result.reason),
    );
  }

  /**
   * Sends one command that may wait up to `timeoutMs` inside Redis, and gives up the socket if it takes longer still.
   * @throws ConnectionLostError as `send`; also when the watchdog gave up.
   */
  async block(name: string, args: readonly RedisArgument[], timeoutMs: number): Promise<unknown> {
    const watchdog: Timer = this.#clock.setTimer(() => this.#client.disconnect(true), timeoutMs + BLOCKING_GRACE_MS);
    try {
      return await this.send(name, args);
    } finally {
      watchdog.cancel();
    }
  }

  /** Ends the connection: replies under way are awaited (a second at most), except on waiting reads, which are cut off. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = this.#doClose();
      this.emit('closed');
    }
    return this.#closed;
  }

  async #doClose(): Promise<void> {
    const client = this.#client;
    if (!this.#isOwn) {
      this.#detach();
      return;
    }
    if (this.role === 'command' && client.status === 'ready') await this.#quit();
    else client.disconnect();
    await this.#ended();
    this.#detach();
  }

  /** Asks Redis to hang up once it has answered everything. */
  async #quit(): Promise<void> {
    const timer = this.#clock.setTimer(() => this.#client.disconnect(), CLOSING_MS);
    await this.#client.quit().catch(() => this.#client.disconnect());
    timer.cancel();
  }

  /** Until the socket is gone. A client that was about to reconnect has none, and tells nobody when it is stopped. */
  #ended(): Promise<void> {
    const client = this.#client;
    if (client.status === 'end' || client.status === 'reconnecting') return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(resolve, CLOSING_MS);
      client.once('end', () => {
        timer.cancel();
        resolve();
      });
    });
  }

  #listen(): () => void {
    const client = this.#client;
    const onReady = () => this.#enter();
    const onClose = () => {
      if (!this.#wasReady) return;
      this.#wasReady = false;
      this.emit('offline');
    };
    const onError = (error: Error) => {
      this.#lastError = reasonOf(error);
      this.emit('error', this.#unreachable(this.#lastError));
    };
    this.#wasReady = this.isReady;
    client.on('ready', onReady).on('close', onClose).on('error', onError);
    return () => void client.off('ready', onReady).off('close', onClose).off('error', onError);
  }

  /** The client is ready. The first time, the server is looked at before anybody hears of it. */
  #enter(): void {
    if (this.#admission === 'asked' || this.#refusal) return;
    if (this.#admission === 'granted') {
      this.#wasReady = true;
      this.#lastError = undefined;
      this.emit('ready');
      return;
    }
    this.#admission = 'asked';
    const send = async (name: string, args: readonly RedisArgument[]): Promise<unknown> => {
      const [result] = await this.#exchange([{ name, args }]);
      if (result instanceof Error) throw result;
      return result;
    };
    this.#admit?.({ address: this.address, send }).then(
      () => this.#answered('granted'),
      (error) => (error instanceof ConnectionLostError ? this.#answered('none') : this.#refuse(toError(error))),
    );
  }

  #answered(admission: 'none' | 'granted'): void {
    this.#admission = admission;
    if (!this.#closed && this.#client.status === 'ready') this.#enter();
  }

  #refuse(error: Error): void {
    if (this.#closed) return;
    this.#refusal = error;
    if (this.#isOwn) this.#client.disconnect();
    this.emit('refused', error);
  }

  /** The way of a lone call, which pays for each promise in the latency of its job. */
  async #sendOne(command: Command, raw: RawCommand): Promise<unknown> {
    this.#client.sendCommand(command);
    try {
      return await command.promise;
    } catch (error) {
      return this.#replyError(raw, error);
    }
  }

  #writeAll(commands: readonly Command[]): void {
    const pipeline = this.#client.pipeline() as unknown as { sendCommand(command: Command): void; exec(): Promise<unknown> };
    for (const command of commands) pipeline.sendCommand(command);
    pipeline.exec().catch(() => undefined); // each command carries its own result
  }

  #assertUsable(): void {
    if (this.#closed) throw new ConnectionClosedError(this.address);
    if (this.#client.status !== 'ready') throw this.#noConnection();
  }

  /** An error reply stays a result; anything else means that the reply got lost. */
  #replyError({ name, label = name }: RawCommand, reason: unknown): Error {
    if (reason instanceof Error && reason.name === 'ReplyError') return errorFromReply(label, reason.message);
    if (this.#closed) throw new ConnectionClosedError(this.address);
    throw new ConnectionLostError(`the connection to Redis at ${this.address} was lost before ${label} was answered${this.#because()}`);
  }

  #noConnection(): ConnectionLostError {
    return new ConnectionLostError(`no connection to Redis at ${this.address}${this.#because()}`);
  }

  #because(): string {
    return this.#lastError === undefined ? '' : `: ${this.#lastError}`;
  }

  #unreachable(reason: string): RedisUnreachableError {
    return new RedisUnreachableError(this.address, reason);
  }
}

/** The text of a socket error; those of several addresses tried at once (::1 and 127.0.0.1) have none of their own. */
function reasonOf(error: Error): string {
  if (error.message !== '') return error.message;
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return error.name;
}
