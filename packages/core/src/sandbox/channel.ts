import type { FromSandbox, ToSandbox } from './protocol.js';
import type { SandboxEnd } from './sandbox-errors.js';

/** One sandbox as its parent reaches it: a child process or a thread. Made running; it never restarts. */
export interface SandboxChannel {
  /** Drops the message when the sandbox has ended. */
  send(message: ToSandbox): void;
  /** For one listener. Nothing comes before the turn of the event loop in which the channel was made has ended. */
  listen(onMessage: (message: FromSandbox) => void): void;
  /** Settles once, when the sandbox is gone and its last message was delivered. Never rejects. */
  readonly ended: Promise<SandboxEnd>;
  /** Ends it, whatever it is doing. */
  kill(): void;
}
