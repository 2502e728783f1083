import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { deferred } from '../kit/index.js';
import type { SandboxChannel } from './channel.js';
import { forkOptions } from './fork-options.js';
import { passOutput } from './pass-output.js';
import { openFromSandbox, seal } from './protocol.js';
import type { SandboxEnd } from './sandbox-errors.js';

const ENTRY = fileURLToPath(new URL('./entry.js', import.meta.url));

/** How long the messages of a process that is gone may take to arrive, ms. */
const LAST_MESSAGES_MS = 1_000;

/** A sandbox in a process of its own. @throws what `fork` throws for options it refuses. */
export function processChannel(options: ForkOptions): SandboxChannel {
  const child = fork(ENTRY, [], forkOptions(options, process.execArgv, process.env));
  passOutput(child.stdout, process.stdout);
  passOutput(child.stderr, process.stderr);
  const ended = endOf(child);
  return {
    ended,
    // A failure to send means that the process is gone or going: its end is told, and settles whatever waits for an answer.
    send: (message) => void (child.connected && child.send(seal(message), () => undefined)),
    listen(onMessage) {
      child.on('message', (raw) => {
        const message = openFromSandbox(raw);
        if (message) onMessage(message);
      });
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** Gone *and* heard out: the exit of a process may be noticed before its last messages are read. */
function endOf(child: ChildProcess): Promise<SandboxEnd> {
  const ended = deferred<SandboxEnd>();
  const silent = deferred();
  child.once('disconnect', silent.resolve);
  child.once('exit', (exitCode, signal) => {
    const limit = setTimeout(() => child.disconnect(), LAST_MESSAGES_MS); // a descendant may hold the channel open
    void silent.promise.then(() => {
      clearTimeout(limit);
      ended.resolve({ exitCode, signal });
    });
  });
  child.on('error', (error) => {
    if (child.pid === undefined) ended.resolve({ exitCode: null, signal: null, error }); // never ran; anything else ends with `exit`
  });
  return ended.promise;
}
