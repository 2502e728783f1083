/** Composition root of a process: its environment in, a `Host` on the IPC channel of the fork out. */
import { readFileSync } from 'node:fs';
import { parseInteger, systemClock } from '@drover/core/kit';
import { ExitCode, FatalError } from './errors/errors.js';
import { coreEngine } from './host/core-engine.js';
import { Host } from './host/host.js';
import { HostStats } from './host/host-stats.js';
import { loadModule } from './host/load-module.js';
import { Watchdog } from './host/watchdog.js';
import { IpcPort } from './link/index.js';

/** Handled so that they do nothing: Ctrl-C, a closed terminal and `systemctl stop` reach every process of the group. */
const NOTED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGUSR2'];

/** Starts the process that `env` describes. @throws FatalError when its variables are missing. */
export function startHost(env: NodeJS.ProcessEnv): void {
  const slot = numberOf(env, 'DROVER_SLOT');
  numberOf(env, 'DROVER_GENERATION'); // the primary tells it again in `init`; a process without it was not started by one
  const incarnation = textOf(env, 'DROVER_INCARNATION');
  process.title = `drover slot ${slot}`;
  surviveClosedPipes();
  const clock = systemClock();
  const writeError = (text: string) => void process.stderr.write(text);
  const exit = (code: ExitCode) => process.exit(code);
  const parentPid = process.ppid;
  const reportFd = env.DROVER_WATCHDOG_FD ? numberOf(env, 'DROVER_WATCHDOG_FD') : undefined;
  const host = new Host({
    port: new IpcPort(process),
    incarnation,
    version: ownVersion(),
    engine: coreEngine,
    clock,
    random: Math.random,
    load: loadModule,
    stats: new HostStats(),
    watchdog: new Watchdog({ clock, parentPid, incarnation, reportFd, writeError, exit }),
    writeError,
    exit,
  });
  for (const signal of NOTED) process.on(signal, () => host.onSignal(signal));
  host.start();
}

/** Output goes to pipes that end with the primary; writing there must not end a drain. */
function surviveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
    });
  }
}

function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}

function numberOf(env: NodeJS.ProcessEnv, name: string): number {
  const number = parseInteger(textOf(env, name));
  if (number === undefined)
    throw new FatalError('BAD_CONFIG', `${name} must be a number, got ${JSON.stringify(env[name])}`, ExitCode.badConfig);
  return number;
}

function textOf(env: NodeJS.ProcessEnv, name: string): string {
  const text = env[name];
  if (!text) throw new FatalError('BAD_CONFIG', `${name} is not set: processes are forked by the primary`, ExitCode.badConfig);
  return text;
}
