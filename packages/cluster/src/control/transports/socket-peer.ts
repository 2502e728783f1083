import type { Socket } from 'node:net';
import { ControlFailure, decodeFrame, FrameError, FrameReader, MAX_REQUEST_BYTES, PROTOCOL_VERSION } from '../../protocol/index.js';
import type { Identity } from '../access.js';
import type { Peer, Session, SessionHost } from '../transport.js';

/** What is read of a client whose line was too long, until it has seen the answer. */
const MAX_SKIPPED_BYTES = 16 * 1024 * 1024;

/** One connection to the unix socket: owns its unfinished line and what has been written and not yet read. */
export class SocketPeer implements Peer {
  /** Who may connect was decided by the mode of the file. */
  readonly identity: Identity = { source: 'unix', role: 'write' };
  readonly #reader = new FrameReader(MAX_REQUEST_BYTES);
  readonly #session: Session;
  #backlog = 0;

  constructor(
    readonly id: string,
    private readonly socket: Socket,
    host: SessionHost,
  ) {
    this.#session = host.open(this);
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('drain', () => socket.resume());
    socket.on('error', () => this.#session.close()); // a client that vanishes is no news
    socket.on('close', () => this.#session.close());
  }

  get backlog(): number {
    return this.#backlog;
  }

  get isIdle(): boolean {
    return this.#session.isIdle && this.#backlog === 0;
  }

  send(frame: string): void {
    if (!this.socket.writable) return;
    this.#backlog += 1;
    const isTaken = this.socket.write(frame, () => {
      this.#backlog -= 1;
    });
    if (!isTaken) this.socket.pause(); // who does not read the answers gets no further request read
  }

  drop(reason: string): void {
    this.#goodbye(reason);
    this.socket.destroy(); // what waits to be read is lost: there is too much of it
  }

  /** Ends the connection once everything handed over is read. */
  end(reason: string): void {
    this.#goodbye(reason);
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #goodbye(reason: string): void {
    const error = new ControlFailure('PEER_GONE', reason).toError();
    this.send(`${JSON.stringify({ v: PROTOCOL_VERSION, kind: 'res', rid: '', ok: false, error })}\n`);
  }

  #read(chunk: Buffer): void {
    try {
      for (const line of this.#reader.push(chunk)) this.#receive(line);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#session.refuse(new ControlFailure('BAD_REQUEST', error.message));
      this.#skipRest(); // where the next line begins is unknown
      this.end(error.message);
    }
  }

  /** Reads on without looking, so that the client gets to the answer; but not for ever. */
  #skipRest(): void {
    let left = MAX_SKIPPED_BYTES;
    this.socket.removeAllListeners('data');
    this.socket.on('data', (chunk) => {
      left -= chunk.length;
      if (left < 0) this.socket.destroy();
    });
    this.socket.resume();
  }

  #receive(line: string): void {
    try {
      this.#session.receive(decodeFrame(line));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#session.refuse(new ControlFailure('BAD_REQUEST', error.message));
    }
  }
}
