/**
 * One primary per name on this machine. The lock is a listening socket, which goes with its program however that ends, so it is never
 * stale: on Linux an abstract socket (no file), on Windows a named pipe, elsewhere a socket file that is taken over when nobody answers.
 */
import { unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExitCode, FatalError } from '../errors/errors.js';

const ASK_MS = 1_000;

/** Where the lock of a name is; of this user, and on Linux of this network namespace: containers have their own. */
export function lockAddress(name: string, platform: NodeJS.Platform, uid: number | undefined): string {
  if (platform === 'linux') return `\0drover/${uid}/${name}`;
  if (platform === 'win32') return `\\\\.\\pipe\\drover-lock-${name}`;
  return join(tmpdir(), `drover-${uid}-${name}.lock`);
}

/** Holds the name of a primary until it is released, or the program ends. */
export class NameLock {
  private constructor(private readonly server: Server) {}

  /** @throws FatalError 75 another primary has this name; 73 the lock cannot be made. */
  static async acquire(name: string): Promise<NameLock> {
    const address = lockAddress(name, process.platform, process.getuid?.());
    const server = (await tryListen(name, address)) ?? (await takeOver(name, address));
    server.unref();
    return new NameLock(server);
  }

  release(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

/** @returns undefined when the address is in use. */
function tryListen(name: string, address: string): Promise<Server | undefined> {
  // Whoever finds the name taken is told by whom.
  const server = createServer((socket) => socket.on('error', () => socket.destroy()).end(String(process.pid)));
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(new FatalError('NAME_LOCK', `cannot take the name "${name}": ${error.message}`, ExitCode.cannotCreate, { cause: error }));
    });
    server.listen(address, () => resolve(server));
  });
}

/** The address is in use: by a primary, or by the file of a dead one. */
async function takeOver(name: string, address: string): Promise<Server> {
  const holder = await askHolder(address);
  if (holder === 'nobody' && !address.startsWith('\0') && process.platform !== 'win32') {
    unlinkSync(address);
    const server = await tryListen(name, address);
    if (server) return server;
  }
  const who = typeof holder === 'number' ? ` (pid ${holder})` : '';
  throw new FatalError('NAME_TAKEN', `another primary${who} has the name "${name}": stop it, or choose another --name`, ExitCode.nameTaken);
}

function askHolder(address: string): Promise<number | 'nobody' | 'unknown'> {
  return new Promise((resolve) => {
    let text = '';
    const socket = createConnection(address);
    const settle = (answer: number | 'nobody' | 'unknown'): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ASK_MS, () => settle('unknown'));
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => settle(/^\d{1,10}$/.test(text) ? Number(text) : 'unknown'));
    socket.on('error', (error: NodeJS.ErrnoException) => settle(error.code === 'ECONNREFUSED' ? 'nobody' : 'unknown'));
  });
}
