import { type QueueRef, queueKeys } from '../keys/queue-keys.js';
import { toError } from '../kit/index.js';
import type { RedisArgument, Scripts } from '../redis/index.js';
import type { ExchangeCall, ExchangeReply, ExchangeStore, HeldLockRef, StalledCheck } from './exchange.js';
import { pushOutcomes } from './outcome-args.js';
import { readExchangeReply } from './replies.js';

const LOCKS_PER_CALL = 500;

/**
 * What consumers of queues ask of Redis, over scripts. Nothing waits for a connection here: without one, calls reject with
 * ConnectionLostError at once, and the runtime decides when to ask again.
 */
export class ConsumerStore implements ExchangeStore {
  constructor(private readonly scripts: Scripts) {}

  /**
   * All calls in one round trip. Codes: 0 done (by this try or an earlier one with the same `at`), 1 a `wait-children` outcome without
   * children to wait for (nothing changed), else a negative status. A second try of a `complete` or `fail` that keeps nothing answers
   * -1 when the first one had committed: the job is gone.
   * A call's arguments go out as one write; keep large outcomes to about 1 MiB a call.
   * @see lua/commands/exchange-jobs.lua
   */
  async exchange(calls: readonly ExchangeCall[]): Promise<readonly (ExchangeReply | Error)[]> {
    const replies = await this.scripts.callAll(
      calls.map((call) => ({ script: 'exchange-jobs', keys: [queueKeys(call.queue).meta], args: exchangeArgs(call) })),
    );
    return replies.map((reply, at) => {
      if (reply instanceof Error) return reply;
      try {
        return readExchangeReply(reply, calls[at] as ExchangeCall);
      } catch (error) {
        return toError(error);
      }
    });
  }

  /** Same meaning as extendLocks of BullMQ. @see lua/commands/extend-locks.lua */
  async extendLocks(queue: QueueRef, locks: readonly HeldLockRef[], lockMs: number): Promise<readonly string[]> {
    const calls = [];
    for (let first = 0; first < locks.length; first += LOCKS_PER_CALL) {
      const args: RedisArgument[] = [lockMs];
      for (const { jobId, token } of locks.slice(first, first + LOCKS_PER_CALL)) args.push(jobId, token);
      calls.push({ script: 'extend-locks' as const, keys: [queueKeys(queue).meta], args });
    }
    const replies = await this.scripts.callAll(calls);
    return replies.flatMap((reply) => {
      if (reply instanceof Error) throw reply;
      return reply as string[];
    });
  }

  /** How often each job went back to wait because a drain left it no time, of those within the last days. */
  async returnsOf(queue: QueueRef, jobs: readonly { readonly id: string; readonly timestamp: number }[]): Promise<readonly number[]> {
    if (jobs.length === 0) return [];
    const fields = jobs.map(({ id, timestamp }) => `${timestamp}:${id}`);
    const counts = (await this.scripts.connection.send('hmget', [queueKeys(queue).returns, ...fields])) as (string | null)[];
    return counts.map((count) => Number(count ?? 0));
  }

  /** @see lua/commands/move-stalled.lua */
  async moveStalled(
    queue: QueueRef,
    {
      maxStalledCount,
      stalledIntervalMs,
      now,
    }: { readonly maxStalledCount: number; readonly stalledIntervalMs: number; readonly now: number },
  ): Promise<StalledCheck> {
    const args = [now, stalledIntervalMs, maxStalledCount];
    const [moved, nextMs] = (await this.scripts.call('move-stalled', [queueKeys(queue).meta], args)) as [string[], number];
    return { moved, nextMs: Math.max(1, nextMs) };
  }
}

function exchangeArgs({ profile, now, want, share, token, outcomes }: ExchangeCall): RedisArgument[] {
  const { lockMs, name = '', limiter, maxMetricsSize = 0, asksSchedules = false } = profile;
  const args: RedisArgument[] = [now, want, share, token, lockMs, name];
  args.push(limiter?.max ?? '', limiter?.durationMs ?? '', maxMetricsSize, asksSchedules ? 1 : 0, outcomes.length);
  pushOutcomes(args, outcomes);
  return args;
}
