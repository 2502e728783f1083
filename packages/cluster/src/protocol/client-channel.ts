import type { ChildProcess } from 'node:child_process';
import { createConnection, type Socket } from 'node:net';
import { messageOf } from '@drover/core/kit';
import { ControlFailure } from './control-failure.js';
import { decodeFrame, encodeFrame, FrameError, FrameReader, MAX_REPLY_BYTES, MAX_REQUEST_BYTES, plainCopy } from './framing.js';
import { isErrno } from './socket-directory.js';
import { refusePath } from './socket-path.js';

/** Who gets what a channel delivers. `closed` is called once, and nothing after it. */
export interface ChannelReceiver {
  message(raw: unknown): void;
  closed(reason: ControlFailure): void;
}

/** The client's end of a connection to a primary; knows messages, not commands. */
export interface ClientChannel {
  /** Starts delivery. Called once. */
  open(receiver: ChannelReceiver): void;
  /** @throws FrameError what is no message or too long. Lost silently when the channel is closed: `closed` tells. */
  send(message: object): void;
  /** Ends it from this side; `closed` is called. */
  close(): void;
}

/** @throws ControlFailure PEER_GONE nobody listens there; FORBIDDEN it is not ours; DEADLINE; BAD_REQUEST no path of a socket. */
export function connectSocket(path: string, timeoutMs: number): Promise<ClientChannel> {
  const refused = refusePath(path, process.platform);
  if (refused) return Promise.reject(new ControlFailure('BAD_REQUEST', `socket ${path}: ${refused}`));
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    const fail = (failure: ControlFailure): void => {
      clearTimeout(limit);
      socket.destroy();
      reject(failure);
    };
    const limit = setTimeout(() => fail(new ControlFailure('DEADLINE', `socket ${path}: not connected within ${timeoutMs} ms`)), timeoutMs);
    socket.once('error', (error) => fail(connectFailure(path, error)));
    socket.once('connect', () => {
      clearTimeout(limit);
      socket.removeAllListeners('error');
      resolve(new SocketChannel(socket));
    });
  });
}

function connectFailure(path: string, error: Error): ControlFailure {
  const code = isErrno(error) ? error.code : undefined;
  if (code === 'EACCES' || code === 'EPERM') return new ControlFailure('FORBIDDEN', `not permitted to use the socket ${path}`);
  if (code === 'ENOENT') return new ControlFailure('PEER_GONE', `no primary is running: there is no socket ${path}`);
  if (code === 'ECONNREFUSED') return new ControlFailure('PEER_GONE', `no primary is running: nobody listens on the socket ${path}`);
  return new ControlFailure('PEER_GONE', `socket ${path}: ${messageOf(error)}`);
}

class SocketChannel implements ClientChannel {
  readonly #reader = new FrameReader(MAX_REPLY_BYTES);
  #receiver: ChannelReceiver | undefined;

  constructor(private readonly socket: Socket) {
    socket.on('error', (error) => this.#end(new ControlFailure('PEER_GONE', `the connection broke: ${messageOf(error)}`)));
    socket.on('close', () => this.#end(new ControlFailure('PEER_GONE', 'the primary closed the connection')));
  }

  open(receiver: ChannelReceiver): void {
    this.#receiver = receiver;
    if (this.socket.destroyed) this.#end(new ControlFailure('PEER_GONE', 'the primary closed the connection'));
    else this.socket.on('data', (chunk) => this.#read(chunk));
  }

  send(message: object): void {
    const frame = encodeFrame(message, MAX_REQUEST_BYTES);
    if (this.socket.writable) this.socket.write(frame);
  }

  close(): void {
    this.#end(new ControlFailure('PEER_GONE', 'the connection was closed by this side'));
    this.socket.end();
    this.socket.unref(); // a primary that does not answer our end must not keep us alive
  }

  #read(chunk: Buffer): void {
    try {
      for (const line of this.#reader.push(chunk)) this.#receiver?.message(decodeFrame(line));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error; // a listener's own
      this.#end(new ControlFailure('PEER_GONE', `the other side is no primary: ${error.message}`));
      this.socket.destroy();
    }
  }

  #end(reason: ControlFailure): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.closed(reason);
  }
}

/** The IPC channel to a primary that this program forked. Closing it ends the conversation, neither the channel nor the child. */
export function childChannel(child: ChildProcess): ClientChannel {
  return new ChildChannel(child);
}

class ChildChannel implements ClientChannel {
  #receiver: ChannelReceiver | undefined;
  readonly #onMessage = (raw: unknown): void => {
    if (typeof raw === 'object' && raw !== null) this.#receiver?.message(raw);
  };
  readonly #onDisconnect = (): void => this.#end(new ControlFailure('PEER_GONE', 'the primary closed its channel'));

  constructor(private readonly child: ChildProcess) {}

  open(receiver: ChannelReceiver): void {
    this.#receiver = receiver;
    this.child.on('message', this.#onMessage);
    this.child.once('disconnect', this.#onDisconnect);
    if (!this.child.connected) this.#onDisconnect();
  }

  send(message: object): void {
    const copy = plainCopy(message, MAX_REQUEST_BYTES) as object;
    if (!this.child.connected) return;
    this.child.send(copy, (error) => {
      if (error) this.#end(new ControlFailure('PEER_GONE', `the channel to the primary broke: ${messageOf(error)}`));
    });
  }

  close(): void {
    this.#end(new ControlFailure('PEER_GONE', 'the connection was closed by this side'));
  }

  #end(reason: ControlFailure): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.child.off('message', this.#onMessage);
    this.child.off('disconnect', this.#onDisconnect);
    receiver?.closed(reason);
  }
}
