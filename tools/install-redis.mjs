/** Finds a Redis or Valkey server on PATH, or has the system's package manager install one. No dependency. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const SERVERS = ['redis-server', 'valkey-server'];

/** The oldest version of Redis that will do (Valkey reports 7.2). */
export const OLDEST = [6, 2];

/** Package managers in the order they are looked for. `install` is tried package by package until a server is on PATH. */
const MANAGERS = [
  {
    command: 'apt-get',
    refresh: ['update'],
    install: ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'],
    packages: ['redis-server', 'valkey-server'],
  },
  { command: 'dnf', install: ['install', '-y'], packages: ['valkey', 'redis'] },
  { command: 'apk', install: ['add', '--no-cache'], packages: ['redis', 'valkey'] },
  { command: 'pacman', install: ['-Sy', '--noconfirm', '--needed'], packages: ['valkey', 'redis'] },
  { command: 'brew', install: ['install'], packages: ['redis', 'valkey'], unprivileged: true },
];
/** apt asks nothing; RUNLEVEL=1 asks Debian's maintainer scripts not to start the packaged service. If they do, it is left alone. */
const INSTALL_ENV = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', HOMEBREW_NO_AUTO_UPDATE: '1' };

/** No usable Redis; the message is one line that says what to do. A program ends with `exitCode` (EX_UNAVAILABLE). */
export class RedisUnavailableError extends Error {
  name = 'RedisUnavailableError';
  exitCode = 69;
}

/** @returns the full path of the first of these programs that PATH has. */
function findOnPath(names) {
  const dirs = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => dirs.map((dir) => join(dir, name))).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // absent, or not ours to run
  }
}

/** @returns the path of a Redis or Valkey server on PATH, or undefined. */
export function findServer() {
  return findOnPath(SERVERS);
}

/** Installs a server with the first package manager there is. @returns the path of its program. */
export function installServer(log) {
  const manager = MANAGERS.find(({ command }) => findOnPath([command]));
  const advice = `install Redis ${OLDEST.join('.')} or later (or Valkey), or set REDIS_URL`;
  if (manager === undefined)
    throw new RedisUnavailableError(`no redis-server or valkey-server on PATH and no known package manager: ${advice}`);
  const prefix = privilegePrefix(manager);
  if (prefix === undefined)
    throw new RedisUnavailableError(`no redis-server on PATH, and ${manager.command} needs root or a sudo without password: ${advice}`);
  log(`no redis-server or valkey-server on PATH: installing one with ${manager.command}`);
  let output = '';
  const run = (args) => {
    const variables = Object.entries(INSTALL_ENV).map(([name, value]) => `${name}=${value}`);
    const [program, ...rest] = [...prefix, '/usr/bin/env', ...variables, findOnPath([manager.command]), ...args];
    const result = spawnSync(program, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 1024 * 1024 });
    output += `$ ${manager.command} ${args.join(' ')}\n${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`;
  };
  if (manager.refresh) run(manager.refresh); // its failure shows at the installation, if it matters
  for (const name of manager.packages) {
    run([...manager.install, name]);
    const binary = findServer();
    if (binary) return binary;
  }
  log(output.trimEnd());
  throw new RedisUnavailableError(`${manager.command} could not install a Redis server: ${advice}`);
}

/** What to put before a command that changes the system: nothing, sudo, or undefined when neither will do. */
function privilegePrefix(manager) {
  if (manager.unprivileged || process.getuid?.() === 0) return [];
  const sudo = findOnPath(['sudo']);
  return sudo && spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? [sudo, '-n'] : undefined;
}
