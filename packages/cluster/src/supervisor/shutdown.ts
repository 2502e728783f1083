import type { Deadline } from '@drover/core/kit';
import type { Shutdown } from './child-adapter.js';

/** One of many to be stopped: its own limit, and the way to ask; a second call may shorten the first. */
export interface Stoppable {
  readonly shutdown: Shutdown;
  stop(shutdown: Shutdown): Promise<void>;
}

/** The shorter of a child's own limit and what is left of the deadline. */
export function shutdownWithin(shutdown: Shutdown, deadline: Deadline): Shutdown {
  return shutdown === 'brutal_kill' ? shutdown : Math.min(shutdown, deadline.remainingMs());
}

/**
 * Stops all, each under its own limit but none past the deadline: in parallel, or in turn as given. If the deadline is moved closer
 * meanwhile, those left are told when it passes. Resolves when all are gone: how long a child may overrun its limit before it is ended by
 * force is its adapter's rule.
 */
export async function stopMany(
  children: Iterable<Stoppable>,
  deadline: Deadline,
  how: 'in parallel' | 'in turn' = 'in parallel',
): Promise<void> {
  const left = new Set(children);
  const hurry = (): void => {
    for (const child of left) void child.stop(0);
  };
  const stop = async (child: Stoppable): Promise<void> => {
    await child.stop(shutdownWithin(child.shutdown, deadline));
    left.delete(child);
  };
  deadline.signal.addEventListener('abort', hurry, { once: true });
  try {
    if (how === 'in parallel') await Promise.all([...left].map(stop));
    else for (const child of [...left]) await stop(child);
  } finally {
    deadline.signal.removeEventListener('abort', hurry);
  }
}
