import { Worker, type WorkerOptions } from 'node:worker_threads';
import { deferred } from '../kit/index.js';
import type { SandboxChannel } from './channel.js';
import { passOutput } from './pass-output.js';
import { openFromSandbox, seal } from './protocol.js';
import type { SandboxEnd } from './sandbox-errors.js';

const ENTRY = new URL('./entry.js', import.meta.url);

/** A sandbox in a thread of this process. @throws what `Worker` throws for options it refuses. */
export function threadChannel(options: WorkerOptions): SandboxChannel {
  const thread = new Worker(ENTRY, options);
  if (options.stdout) passOutput(thread.stdout, process.stdout);
  if (options.stderr) passOutput(thread.stderr, process.stderr);
  const ended = deferred<SandboxEnd>();
  let error: unknown;
  thread.once('error', (thrown) => {
    error = thrown;
  });
  thread.once('exit', (exitCode) => ended.resolve({ exitCode, signal: null, ...(error === undefined ? {} : { error }) }));
  return {
    ended: ended.promise,
    send: (message) => thread.postMessage(seal(message)),
    listen(onMessage) {
      thread.on('message', (raw) => {
        const message = openFromSandbox(raw);
        if (message) onMessage(message);
      });
    },
    kill: () => void thread.terminate(),
  };
}
