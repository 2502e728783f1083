/** One end of a channel that carries whole messages: the IPC of a fork, or a pair in a test. */
export interface Port {
  readonly isOpen: boolean;
  /** Resolves when the message was handed over to the channel; rejects when it cannot be (channel closed, value that cannot be cloned). */
  send(message: unknown): Promise<void>;
  /** What arrives is unchecked. Messages that arrive before the first listener are the caller's to lose: listen before yielding. */
  onMessage(listener: (message: unknown) => void): void;
  /** Called once, when the channel is gone; at once if it already is. */
  onClose(listener: () => void): void;
}

/** The channel is closed: nothing can be sent any more. */
export class PortClosedError extends Error {
  constructor(options?: ErrorOptions) {
    super('the channel is closed', options);
    this.name = 'PortClosedError';
  }
}
