import { type Clock, type Logger, messageOf } from '@drover/core/kit';
import { AdminStore, Connections, queueRef } from '@drover/core/runtime';
import type { ConnectionConfig, GroupConfig } from '../config/resolved.js';
import { ExitCode, FatalError } from '../errors/errors.js';
import type { DeadJobStore, HeldAgainst, RecoveredIds } from './recover-jobs.js';

/** Owns the primary's own connections: one command connection per Redis target. It checks at start that Redis answers, and is lent out after. */
export class RedisGate implements DeadJobStore {
  readonly #targets = new Map<string, Connections>();
  readonly #reported = new Set<string>();

  constructor(
    groups: readonly GroupConfig[],
    clock: Clock,
    private readonly logger: Logger,
  ) {
    for (const { connection } of groups) {
      const key = keyOf(connection);
      if (this.#targets.has(key)) continue;
      const target = new Connections({ connection, clock });
      target.on('error', (error) => this.#report(target, error));
      this.#targets.set(key, target);
    }
  }

  /**
   * Waits until every target answers.
   * @throws FatalError 69 naming the address, never the credentials; 0 when the signal was aborted meanwhile.
   */
  async open(limitMs: number, signal: AbortSignal): Promise<void> {
    const stopped = new Promise<never>((_, reject) => {
      const abort = (): void => reject(new FatalError('STOPPED', 'stopped while waiting for Redis', ExitCode.ok));
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
    });
    await Promise.race([Promise.all([...this.#targets.values()].map((target) => waitFor(target, limitMs))), stopped]);
  }

  /** The first failure of a target is said, so that nobody waits for a start in silence; later ones only when asked for. */
  #report({ command }: Connections, error: Error): void {
    const say = this.#reported.has(command.address) ? this.logger.debug : this.logger.warn;
    this.#reported.add(command.address);
    say('Redis does not answer the primary', { address: command.address, error });
  }

  heldBy(group: GroupConfig, incarnation: string): Promise<number> {
    return this.#admin(group).heldBy(queueRef(group.queue, group.prefix), incarnation);
  }

  recoverDead(group: GroupConfig, incarnation: string, end: HeldAgainst | undefined): Promise<RecoveredIds> {
    return this.#admin(group).recoverDead(queueRef(group.queue, group.prefix), incarnation, group.maxStalledCount, end);
  }

  #admin({ connection }: GroupConfig): AdminStore {
    return new AdminStore((this.#targets.get(keyOf(connection)) as Connections).scripts);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#targets.values()].map((target) => target.close()));
  }
}

async function waitFor({ command }: Connections, limitMs: number): Promise<void> {
  try {
    await command.whenReady(limitMs);
  } catch (error) {
    throw new FatalError('REDIS_UNREACHABLE', messageOf(error), ExitCode.redisUnreachable, { cause: error });
  }
}

function keyOf(connection: ConnectionConfig): string {
  return JSON.stringify(connection);
}
