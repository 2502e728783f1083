import type { CommandOf, ReplyOf, Verb } from '../protocol/index.js';
import type { CommandContext, ControlOperations } from './control-operations.js';

/** What a handler is told about the call beside its command. */
export interface Call {
  readonly context: CommandContext;
  /** Aborted when nobody waits for the reply any longer: its deadline is over, or the peer has gone. */
  readonly signal: AbortSignal;
  /** Adds topics to the subscription of this peer. */
  subscribe(patterns: readonly string[]): void;
}

/** One handler per verb: it translates, calls one use case, and replies. @throws ControlFailure */
export type Handlers = {
  readonly [T in Verb]: (command: CommandOf<T>, call: Call) => ReplyOf<T> | Promise<ReplyOf<T>>;
};

export function createHandlers(operations: ControlOperations): Handlers {
  return {
    scale_up: ({ group, count = 1 }, { context }) => operations.scaleUp(group, count, context),
    scale_down: ({ group, count = 1, victim, drainMs }, { context }) => operations.scaleDown(group, count, { victim, drainMs }, context),
    scale_to: ({ group, count, victim, drainMs }, { context }) => operations.scaleTo(group, count, { victim, drainMs }, context),
    worker_count: ({ group }) => operations.workerCount(group),
    status: () => operations.status(),
    list: ({ type: _, ...query }) => operations.list(query),
    show: ({ type: _, ...query }) => operations.show(query),
    operation: async ({ opId, wait }, { signal }) => {
      if (wait) await untilEnded(operations, opId, signal);
      return operations.operation(opId);
    },
    ping: () => operations.ping(),
    subscribe: ({ topics }, call) => {
      call.subscribe(topics);
      return { slots: {} };
    },
    reload: ({ type: _, ...options }, { context }) => operations.reload(options, context),
    restart: ({ slot, mode = 'drain' }, { context }) => operations.restart(slot, mode, context),
    recycle: ({ slot }, { context }) => operations.recycle(slot, context),
    stop: ({ mode = 'drain', drainMs }, { context }) => operations.stop(mode, drainMs, context),
  };
}

/** Resolves when the operation has ended, or when nobody waits any longer. @throws ControlFailure NOT_FOUND */
function untilEnded(operations: ControlOperations, opId: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const unfollow = operations.follow(opId, ({ state }) => {
      if (state !== 'running') resolve();
    });
    signal.addEventListener('abort', () => resolve(unfollow()), { once: true });
  });
}
