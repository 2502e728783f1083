import type { Clock } from '../kit/index.js';
import type { SandboxChannel } from './channel.js';
import { NotStartedError, Sandbox, type SandboxTask } from './sandbox.js';

export interface PoolOptions {
  /** The file that its sandboxes run. */
  readonly url: URL;
  readonly clock: Clock;
  /** @see Sandbox */
  readonly graceMs: number;
  open(): SandboxChannel;
  /** How many sandboxes it keeps now. */
  limit(): number;
}

/**
 * Owns the sandboxes of one worker, and so of one file: those that are idle wait for the next job, the latest one first. Its caller runs
 * no more jobs at once than it wants sandboxes to be busy.
 */
export class SandboxPool {
  readonly #all = new Set<Sandbox>();
  readonly #idle: Sandbox[] = [];
  #isClosed = false;

  constructor(private readonly options: PoolOptions) {}

  /** @returns what the processor returned. @see Sandbox.run for what it rejects with. */
  async run(task: SandboxTask): Promise<unknown> {
    for (;;) {
      const waiting = this.#idle.pop();
      const sandbox = waiting ?? this.#start();
      try {
        return await sandbox.run(task);
      } catch (error) {
        if (!(error instanceof NotStartedError)) throw error;
        if (!waiting) throw error.cause; // one that was idle may end by itself; one that is new has a reason
      } finally {
        this.#putBack(sandbox);
      }
    }
  }

  /**
   * Keeps no sandbox any more. Those that are busy have `busyGraceMs` left to end their job, then they are killed.
   * @returns a promise that resolves when all are gone.
   */
  async close(busyGraceMs: number): Promise<void> {
    this.#isClosed = true;
    const idle = new Set(this.#idle.splice(0));
    await Promise.all([...this.#all].map((sandbox) => (idle.has(sandbox) ? sandbox.stop() : sandbox.stop(busyGraceMs))));
  }

  #start(): Sandbox {
    const { url, clock, graceMs, open } = this.options;
    const sandbox = new Sandbox(open(), url, clock, graceMs);
    this.#all.add(sandbox);
    void sandbox.ended.then(() => {
      this.#all.delete(sandbox);
      const at = this.#idle.indexOf(sandbox);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    return sandbox;
  }

  /** One whose file did not load is of no use to the next job: another try starts from nothing. */
  #putBack(sandbox: Sandbox): void {
    if (this.#isClosed || !sandbox.isUsable || this.#idle.length >= this.options.limit()) void sandbox.stop();
    else this.#idle.push(sandbox);
  }
}
