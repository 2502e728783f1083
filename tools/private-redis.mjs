/**
 * A Redis server of one's own, for the demo, the tests and the benchmarks. No dependency.
 *
 * Where it comes from: `REDIS_URL` if set (then nothing is started or stopped here); else `redis-server` or `valkey-server`
 * on PATH; else the system's package manager installs one; else an error of one line that says what to do.
 * How it ends: `stop()`, or the exit of this process. A watcher in a session of its own (an `sh` that reads a pipe only we
 * hold open) ends the server and removes its directory even when this process is killed with SIGKILL.
 *
 * As a program, `node tools/private-redis.mjs` prints the URL and serves until it is interrupted.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { findServer, installServer, OLDEST, RedisUnavailableError } from './install-redis.mjs';

export { RedisUnavailableError };

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 5_000;

/**
 * Starts a server on a free loopback port, or hands out the one of `REDIS_URL`.
 * @param {import('./private-redis.mjs').PrivateRedisOptions} [options]
 * @returns {Promise<import('./private-redis.mjs').PrivateRedis>}
 * @throws {RedisUnavailableError} no server can be found, installed or reached.
 */
export async function startPrivateRedis({ dir, appendonly = true, args = [], own = false, log = () => {} } = {}) {
  if (process.env.REDIS_URL && !own) return useGivenServer(process.env.REDIS_URL);
  const binary = findServer() ?? installServer(log);
  const server = new PrivateServer(binary, { dir, appendonly, args });
  await server.start();
  return server;
}

/** Owns one server process, its data directory and the watcher that outlives us for long enough to end both. */
class PrivateServer {
  #binary;
  #args;
  #dir;
  #removeDir;
  #port;
  #child;
  #watcher;
  #stopped = false;
  #onExit = () => this.#endNow();

  constructor(binary, { dir, appendonly, args }) {
    this.#binary = binary;
    this.#removeDir = dir === undefined;
    this.#dir = dir ?? mkdtempSync(join(tmpdir(), 'drover-redis-'));
    this.#args = ['--dir', this.#dir, '--logfile', this.#logFile, '--bind', '127.0.0.1', '--daemonize', 'no', '--save', ''];
    this.#args.push('--appendonly', appendonly ? 'yes' : 'no', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction', ...args);
  }

  get url() {
    return `redis://127.0.0.1:${this.#port}`;
  }

  get pid() {
    return this.#child?.pid;
  }

  get #logFile() {
    return join(this.#dir, 'redis.log');
  }

  /** Picks a port and starts; another program may take the port in between, so it tries a few. */
  async start() {
    this.#watcher = startWatcher(this.#removeDir ? this.#dir : '');
    process.once('exit', this.#onExit);
    try {
      for (let attempt = 1; ; attempt++) {
        this.#port = await freePort();
        if (await this.#spawn()) return;
        if (attempt === 5 || !this.#logTail().includes('already in use')) throw this.#startFailure();
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Ends the server as a crash would: SIGKILL. The data directory stays, `restart` brings the server back. */
  async kill() {
    await this.#end('SIGKILL');
  }

  /** Starts the server again on the same port and data, ending it in good order first if it runs. */
  async restart() {
    if (this.#stopped) throw new Error('this private Redis was stopped for good');
    await this.#end('SIGTERM');
    if (!(await this.#spawn())) throw this.#startFailure();
  }

  /** Ends the server for good and removes the directory made for it. */
  async stop() {
    if (this.#stopped) return;
    this.#stopped = true;
    process.off('exit', this.#onExit);
    await this.#end('SIGTERM');
    this.#watcher.stdin.end();
    if (this.#removeDir) rmSync(this.#dir, { recursive: true, force: true });
  }

  /** @returns whether our own server answers; false when it ended first (its log says why). */
  async #spawn() {
    // Detached: Ctrl-C in a terminal goes to the foreground group, and the server must outlive the programs that use it.
    const child = spawn(this.#binary, ['--port', String(this.#port), ...this.#args], { stdio: 'ignore', detached: true });
    const failed = once(child, 'error').then(([error]) => error);
    child.unref();
    if (child.pid === undefined) throw new RedisUnavailableError(`cannot run ${this.#binary}: ${(await failed).message}`);
    this.#child = child;
    this.#watcher.stdin.write(`${child.pid}\n`);
    child.once('exit', () => {
      this.#child = undefined;
      this.#watcher.stdin.write('\n'); // the pid may soon be somebody else's
    });
    for (const limit = Date.now() + START_LIMIT_MS; Date.now() < limit; await delay(20)) {
      if (this.#child !== child) return false;
      const info = await probe(this.#port);
      if (info?.pid !== child.pid) continue;
      if (isTooOld(info.version)) {
        throw new RedisUnavailableError(
          `${this.#binary} is version ${info.version}; ${OLDEST.join('.')} or later is needed, or set REDIS_URL`,
        );
      }
      return true;
    }
    return false;
  }

  async #end(signal) {
    const child = this.#child;
    if (child === undefined) return;
    child.ref();
    const gone = once(child, 'exit');
    child.kill(signal);
    const hard = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await gone;
    clearTimeout(hard);
  }

  /** This process is exiting: nothing can be awaited any more. */
  #endNow() {
    this.#child?.kill('SIGKILL');
    if (this.#removeDir) rmSync(this.#dir, { recursive: true, force: true });
  }

  #logTail() {
    try {
      return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
    } catch {
      return ''; // it ended before it opened its log
    }
  }

  #startFailure() {
    return new RedisUnavailableError(`${this.#binary} did not start: ${this.#logTail() || 'it left no log'}`);
  }
}

/** The end of its input means that we are gone: it ends the server it last heard of, then removes the directory. */
function startWatcher(dirToRemove) {
  const script = `
    trap '' INT TERM HUP
    while read -r line; do pid=$line; done
    if [ -n "$pid" ]; then
      kill -9 "$pid" 2>/dev/null
      n=0; while kill -0 "$pid" 2>/dev/null && [ $n -lt 5 ]; do n=$((n + 1)); sleep 0.1; done
    fi
    [ -z "$1" ] || rm -rf -- "$1"`;
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin' };
  const watcher = spawn('/bin/sh', ['-c', script, 'private-redis-watcher', dirToRemove], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env,
  });
  watcher.on('error', (error) => process.emitWarning(`private Redis runs without its watcher: ${error.message}`));
  watcher.stdin.on('error', () => {}); // EPIPE: somebody ended the watcher; stop() and the exit hook still do their part
  watcher.unref();
  watcher.stdin.unref();
  return watcher;
}

/** `REDIS_URL` belongs to somebody else: it is checked once and never stopped. */
async function useGivenServer(url) {
  const { hostname, port } = parseUrl(url);
  if (!(await answersTcp(hostname, port)))
    throw new RedisUnavailableError(`no Redis answers at REDIS_URL (${hostname}:${port}): start it, or unset REDIS_URL`);
  const notOurs = async () => {
    throw new Error('the server of REDIS_URL is not ours to end; ask for one with { own: true }');
  };
  return { url, pid: undefined, stop: async () => {}, kill: notOurs, restart: notOurs };
}

function parseUrl(text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'redis:' && url?.protocol !== 'rediss:')
    throw new RedisUnavailableError('REDIS_URL is not a URL like redis://host:6379');
  return { hostname: url.hostname || '127.0.0.1', port: Number(url.port || 6379) };
}

function answersTcp(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host: host.replace(/^\[|\]$/g, ''), port, timeout: 5_000 });
    const settle = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .once('connect', () => settle(true))
      .once('error', () => settle(false))
      .once('timeout', () => settle(false));
  });
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Asks a server who it is. Its pid tells it from a stranger that took the port first; undefined while it does not answer PING. */
function probe(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 });
    let text = '';
    const settle = (info) => {
      socket.destroy();
      resolve(info);
    };
    socket.setEncoding('utf8');
    socket.once('connect', () => socket.write('INFO server\r\nPING\r\n'));
    socket.on('data', (chunk) => {
      text += chunk;
      const pid = /^process_id:(\d+)/m.exec(text);
      if (/^-LOADING/m.test(text))
        settle(undefined); // it is still reading its append-only file
      else if (pid && text.endsWith('+PONG\r\n')) settle({ pid: Number(pid[1]), version: /^redis_version:(\S+)/m.exec(text)?.[1] ?? '0' });
    });
    socket
      .once('error', () => settle(undefined))
      .once('timeout', () => settle(undefined))
      .once('close', () => settle(undefined));
  });
}

function isTooOld(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}

async function main() {
  const server = await startPrivateRedis({ log: (line) => console.error(line) });
  console.log(server.url);
  const hold = setInterval(() => {}, 60_000);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      clearInterval(hold);
      void server.stop();
    });
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error) => {
    console.error(error instanceof RedisUnavailableError ? error.message : error);
    process.exitCode = error.exitCode ?? 70;
  });
}
