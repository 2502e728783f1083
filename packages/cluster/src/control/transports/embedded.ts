import {
  type ChannelReceiver,
  type ClientChannel,
  ControlFailure,
  decodeFrame,
  MAX_REQUEST_BYTES,
  plainCopy,
} from '../../protocol/index.js';
import type { Peer, Session, SessionHost } from '../transport.js';

/**
 * The channel of a program that embeds the primary: no bytes leave it, but the way of a command is the same, with the same parsing,
 * access check, limits and audit. For `new ControlClient(embeddedChannel(dispatcher))`.
 */
export function embeddedChannel(host: SessionHost): ClientChannel {
  return new EmbeddedChannel(host);
}

class EmbeddedChannel implements ClientChannel {
  readonly #peer: Peer = {
    identity: { source: 'embedded', role: 'write' },
    id: 'embedded',
    backlog: 0, // delivered at once
    send: (frame) => this.#receiver?.message(decodeFrame(frame)),
    drop: (reason) => this.#end(reason),
  };
  #session: Session | undefined;
  #receiver: ChannelReceiver | undefined;

  constructor(private readonly host: SessionHost) {}

  open(receiver: ChannelReceiver): void {
    this.#receiver = receiver;
    this.#session = this.host.open(this.#peer);
  }

  /** The command is carried out after the caller's turn, as on every other channel. */
  send(message: object): void {
    const copy = plainCopy(message, MAX_REQUEST_BYTES);
    setImmediate(() => this.#session?.receive(copy));
  }

  close(): void {
    this.#end('the connection was closed by this side');
  }

  #end(reason: string): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.#session?.close();
    this.#session = undefined;
    receiver?.closed(new ControlFailure('PEER_GONE', reason));
  }
}
