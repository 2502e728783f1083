import type { ChildProcess } from 'node:child_process';
import type { Worker as ClusterWorker } from 'node:cluster';
import { toError } from '@drover/core/kit';
import { type Port, PortClosedError } from './port.js';

/** The IPC channel of a fork, from either side. The fork has to be made with `serialization: 'advanced'`. */
export type IpcEndpoint = ChildProcess | ClusterWorker | NodeJS.Process;

/** What both sides of an IPC channel have in common. */
interface IpcChannel {
  readonly connected: boolean;
  send?(message: unknown, callback: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/**
 * A `Port` over IPC. It is closed by `disconnect`, never by `exit`: what a process sent last is still delivered after its exit was seen.
 * A send on a dead channel rejects and raises no event.
 */
export class IpcPort implements Port {
  readonly #channel: IpcChannel;
  readonly #closeListeners: (() => void)[] = [];
  readonly #unsent = new Set<(error: Error) => void>();
  #isOpen: boolean;

  constructor(endpoint: IpcEndpoint) {
    this.#channel = 'process' in endpoint ? (endpoint.process as IpcChannel) : (endpoint as IpcChannel);
    this.#isOpen = this.#channel.connected;
    this.#channel.on('disconnect', () => this.#close());
  }

  get isOpen(): boolean {
    return this.#isOpen && this.#channel.connected;
  }

  send(message: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.isOpen || !this.#channel.send) return reject(new PortClosedError());
      this.#unsent.add(reject);
      const done = (error: unknown): void => {
        this.#unsent.delete(reject);
        if (error) reject(toError(error));
        else resolve();
      };
      try {
        this.#channel.send(message, done);
      } catch (error) {
        done(error);
      }
    });
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#channel.on('message', listener);
  }

  onClose(listener: () => void): void {
    if (this.isOpen) this.#closeListeners.push(listener);
    else listener();
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const reject of this.#unsent) reject(new PortClosedError());
    this.#unsent.clear();
    for (const listener of this.#closeListeners.splice(0)) listener();
  }
}
