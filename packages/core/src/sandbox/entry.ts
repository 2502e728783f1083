// What a sandbox runs: a process that was forked, or a thread that was started, by the worker of a processor file.
import { isMainThread, parentPort } from 'node:worker_threads';
import { Inside } from './inside.js';
import { processPort, threadPort } from './port.js';
import { encodeThrown } from './thrown.js';
import { watchParent } from './watch-parent.js';

const port = parentPort ? threadPort(parentPort) : processPort();
const inside = new Inside(port, () => process.exit());

// Only looks: whether the error ends this process is decided as everywhere, by what the application has installed.
process.on('uncaughtExceptionMonitor', (error) => port.send({ type: 'uncaught', thrown: encodeThrown(error) }));

if (isMainThread) {
  process.on('disconnect', () => process.exit()); // the parent is gone: nobody holds the lock, or takes the result
  watchParent(process.ppid);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => inside.stop()); // a terminal signals the whole group
}
inside.listen();
