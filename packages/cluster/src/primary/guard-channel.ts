import type { ChildProcess } from 'node:child_process';

interface ChannelHandle {
  onread?: (...args: unknown[]) => unknown;
}

/**
 * Bytes on the channel that are no message make Node throw where nobody can catch, and would end the primary: user code of a process can
 * write there. Node offers no event for it, so the handle's own reader is wrapped; messages are emitted later, outside of it.
 * @returns whether the handle was found: where Node keeps it is not documented.
 */
export function guardChannel(child: ChildProcess, onGarbage: (error: Error) => void): boolean {
  const key = Object.getOwnPropertySymbols(child).find(({ description }) => description === 'kChannelHandle');
  const handle = key && (child as unknown as Record<symbol, ChannelHandle | null>)[key];
  const onread = handle?.onread;
  if (!handle || !onread) return false;
  handle.onread = function (this: unknown, ...args: unknown[]): unknown {
    try {
      return onread.apply(this, args);
    } catch (error) {
      onGarbage(error as Error);
      return undefined;
    }
  };
  return true;
}
