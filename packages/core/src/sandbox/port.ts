import type { MessagePort } from 'node:worker_threads';
import { deferred } from '../kit/index.js';
import { type FromSandbox, openToSandbox, seal, type ToSandbox } from './protocol.js';

/** The parent, as a sandbox reaches it. */
export interface SandboxPort {
  send(message: FromSandbox): void;
  listen(onMessage: (message: ToSandbox) => void): void;
  /** Resolves when what was sent so far has left this process. */
  flushed(): Promise<void>;
}

/** The channel of a child process. What cannot be sent any more has nobody to read it: the parent is gone. */
export function processPort(): SandboxPort {
  const send = process.send?.bind(process); // the application may put something else in its place
  if (!send) throw new Error('a sandbox is started by its worker: it has no channel');
  let last: Promise<void> = Promise.resolve();
  return {
    send(message) {
      const sent = deferred();
      last = sent.promise;
      send(seal(message), undefined, undefined, () => sent.resolve());
    },
    listen: (onMessage) => void process.on('message', (raw) => relay(raw, onMessage)),
    flushed: () => last,
  };
}

/** The channel of a thread: what was posted arrives, also when the thread ends right after. */
export function threadPort(port: MessagePort): SandboxPort {
  return {
    send: (message) => port.postMessage(seal(message)),
    listen: (onMessage) => void port.on('message', (raw) => relay(raw, onMessage)),
    flushed: () => Promise.resolve(),
  };
}

function relay(raw: unknown, onMessage: (message: ToSandbox) => void): void {
  const message = openToSandbox(raw);
  if (message) onMessage(message);
}
