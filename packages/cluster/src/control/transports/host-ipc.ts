import { type Deadline, Once } from '@drover/core/kit';
import { ControlFailure, decodeFrame, FrameError, MAX_REQUEST_BYTES, PROTOCOL_VERSION, plainCopy } from '../../protocol/index.js';
import type { ParentChannel } from '../parent-channel.js';
import type { Peer, Session, SessionHost, Transport } from '../transport.js';

/** Told to the parent without being asked for: it forked us and waits for it. */
const ANNOUNCED = ['primary.ready'];

/** Commands of a host app that forked the primary, over the IPC channel of that fork. Owns the session of the parent. */
export class HostIpcTransport implements Transport, Peer {
  readonly identity = { source: 'parent', role: 'write' } as const;
  readonly id = 'parent';
  readonly #lifecycle = new Once(
    () => this.#start(),
    (deadline) => this.#stop(deadline),
  );
  #session: Session | undefined;
  #backlog = 0;
  #flushed: (() => void) | undefined;
  #unlisten: (() => void) | undefined;

  constructor(
    private readonly host: SessionHost,
    private readonly parent: ParentChannel,
  ) {}

  get backlog(): number {
    return this.#backlog;
  }

  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  stop(deadline: Deadline): Promise<void> {
    return this.#lifecycle.stop(deadline);
  }

  send(frame: string): void {
    this.#backlog += 1;
    this.parent.send(decodeFrame(frame), () => {
      this.#backlog -= 1;
      if (this.#backlog === 0) this.#flushed?.();
    });
  }

  /** The channel is the parent's and stays; what ends is the conversation. The next request begins a new one. */
  drop(reason: string): void {
    const error = new ControlFailure('PEER_GONE', reason).toError();
    this.send(JSON.stringify({ v: PROTOCOL_VERSION, kind: 'res', rid: '', ok: false, error }));
    this.#session = undefined;
  }

  async #start(): Promise<void> {
    if (!this.parent.isConnected) return;
    this.#session = this.host.open(this, ANNOUNCED);
    this.#unlisten = this.parent.listen({ request: (raw) => this.#receive(raw), gone: () => this.#end() });
    this.parent.start();
  }

  #receive(raw: object): void {
    this.#session ??= this.host.open(this, ANNOUNCED);
    try {
      this.#session.receive(plainCopy(raw, MAX_REQUEST_BYTES));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#session.refuse(new ControlFailure('BAD_REQUEST', error.message));
    }
  }

  async #stop(deadline: Deadline): Promise<void> {
    if (this.#backlog > 0) {
      await new Promise<void>((resolve) => {
        this.#flushed = resolve;
        deadline.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.#end();
  }

  #end(): void {
    this.#unlisten?.();
    this.#session?.close();
    this.#session = undefined;
  }
}
