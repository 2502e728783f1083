import { toError } from '@drover/core/kit';

/**
 * What a message from the parent is.
 * - `request`: an envelope of ours, or one that means to be (`v` and `kind: 'req'`); the dispatcher judges it
 * - `stop`: the bare text `shutdown` of pm2's shutdown_with_message
 * - `pm2`: a packet or an action of pm2, which a transport of its own understands
 * - `foreign`: anything else; the parent's own business
 */
export type ParentMessage =
  | { readonly kind: 'request'; readonly raw: object }
  | { readonly kind: 'stop' }
  | { readonly kind: 'pm2' }
  | { readonly kind: 'foreign' };

export function classifyParentMessage(raw: unknown): ParentMessage {
  if (raw === 'shutdown') return { kind: 'stop' };
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return { kind: 'foreign' };
  if ('v' in raw && 'kind' in raw) return raw.kind === 'req' ? { kind: 'request', raw } : { kind: 'foreign' };
  if ('type' in raw && raw.type === 'process:msg' && 'topic' in raw && 'data' in raw) return { kind: 'pm2' };
  if ('msg' in raw && typeof raw.msg === 'string' && 'opts' in raw) return { kind: 'pm2' };
  return { kind: 'foreign' };
}

/** Who wants to hear of what the parent says and does. */
export interface ParentListener {
  request?(raw: object): void;
  /** The parent asks us to stop; it may ask again. */
  stop?(): void;
  /** The parent has gone, or closed the channel. */
  gone?(): void;
}

/** The part of `process` that the channel needs. */
export type ParentPort = Pick<NodeJS.Process, 'on' | 'off' | 'connected' | 'send'>;

/** Owns the program's only listener for messages of its parent (a host app, or pm2). Without a parent it does nothing. */
export class ParentChannel {
  readonly #listeners = new Set<ParentListener>();
  readonly #onMessage = (raw: unknown): void => this.#deliver(classifyParentMessage(raw));
  readonly #onDisconnect = (): void => {
    for (const listener of [...this.#listeners]) listener.gone?.();
  };
  #isListening = false;

  constructor(private readonly port: ParentPort = process) {}

  /** Whether there is a parent that can be talked to. */
  get isConnected(): boolean {
    return this.port.connected === true && this.port.send !== undefined;
  }

  listen(listener: ParentListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Messages that came earlier are delivered now: Node keeps them until somebody listens. */
  start(): void {
    if (this.#isListening || !this.isConnected) return;
    this.#isListening = true;
    this.port.on('message', this.#onMessage);
    this.port.on('disconnect', this.#onDisconnect);
  }

  /** Stops listening, so that the channel no longer keeps the program alive. */
  stop(): void {
    if (!this.#isListening) return;
    this.#isListening = false;
    this.port.off('message', this.#onMessage);
    this.port.off('disconnect', this.#onDisconnect);
  }

  /** Hands a message to the parent. Never throws; `sent` is called once, with the error if it did not get out. */
  send(message: unknown, sent: (error: Error | null) => void = () => {}): void {
    try {
      if (!this.isConnected) throw new Error('the parent has gone');
      this.port.send?.(message, undefined, undefined, sent);
    } catch (error) {
      sent(toError(error)); // the channel closed in between
    }
  }

  #deliver(message: ParentMessage): void {
    for (const listener of [...this.#listeners]) {
      if (message.kind === 'request') listener.request?.(message.raw);
      else if (message.kind === 'stop') listener.stop?.();
    }
  }
}
