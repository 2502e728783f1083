import { isMainThread, Worker, workerData } from 'node:worker_threads';

const EVERY_MS = 1_000;

/**
 * Ends this process when its parent is gone, even while a processor blocks the event loop and the closed channel goes unnoticed: a thread
 * looks at who the parent is, as orphans get another one. The thread does not keep the process alive.
 * @param parent the process id of the parent.
 */
export function watchParent(parent: number): void {
  const limits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };
  const options = { workerData: { droverWatchedParent: parent }, execArgv: [], env: {}, resourceLimits: limits };
  new Worker(new URL(import.meta.url), options).unref();
}

/** In the thread. */
function look(parent: number): void {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}

// A sandbox that is a thread loads this file as well; its `workerData` is the application's.
const watched: unknown = isMainThread ? undefined : workerData?.droverWatchedParent;
if (typeof watched === 'number') setInterval(look, EVERY_MS, watched);
