import type { QueueRef } from '../keys/queue-keys.js';
import { type Connection, workerClientName } from '../redis/index.js';
import type { MarkerSource } from './marker-waiter.js';

/** Redis takes no shorter time than 1 or 2 ms, depending on its version. */
const MIN_TIMEOUT_MS = 10;

/** The blocking pop over a connection of its own, ended through the command connection. */
export class BlockingMarkers implements MarkerSource {
  #clientId: number | undefined;
  #name: string | undefined;

  constructor(
    private readonly blocking: Connection,
    private readonly command: Connection,
  ) {
    blocking.on('offline', () => {
      this.#clientId = undefined;
    });
  }

  /** Which worker other clients are to list this process as: a connection has one name, so one queue stands for all. */
  showAs(queue: QueueRef, workerName: string | undefined): void {
    this.#name ??= workerClientName(queue, workerName);
  }

  async pop(keys: readonly string[], timeoutMs: number): Promise<{ readonly key: string; readonly score: number } | undefined> {
    const waitMs = Math.max(MIN_TIMEOUT_MS, timeoutMs);
    await this.blocking.whenReady();
    if (this.#clientId === undefined) await this.#introduce();
    const reply = await this.blocking.block('bzpopmin', [...keys, waitMs / 1_000], waitMs);
    if (!Array.isArray(reply)) return undefined;
    const [key, , score] = reply as [string, string, string];
    return { key, score: Number(score) };
  }

  async unblock(): Promise<boolean> {
    const id = this.#clientId;
    if (id === undefined) return false;
    return (await this.command.send('client', ['unblock', id])) === 1;
  }

  async restore(key: string, score: number): Promise<void> {
    await this.command.send('zadd', [key, score, score === 0 ? '0' : '1']);
  }

  async #introduce(): Promise<void> {
    if (this.#name !== undefined) await this.blocking.send('client', ['setname', this.#name]);
    this.#clientId = Number(await this.blocking.send('client', ['id']));
  }
}
