import { join } from 'node:path';
import { InvalidOptionError } from '@drover/core/kit';

/** What the place of a socket depends on. `uid` is undefined where there are none (Windows). */
export interface SocketSurroundings {
  readonly platform: NodeJS.Platform;
  readonly uid: number | undefined;
  /** `$XDG_RUNTIME_DIR` */
  readonly runtimeDir: string | undefined;
  readonly tempDir: string;
}

/** The facts of a directory entry that trust depends on. `mode` holds the permission bits, sticky bit included. */
export interface DirectoryFacts {
  readonly isDirectory: boolean;
  readonly uid: number;
  readonly mode: number;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const STICKY = 0o1000;

/** The name of a cluster, as it may be part of a path. @throws InvalidOptionError */
export function clusterName(name: unknown): string {
  if (typeof name === 'string' && NAME.test(name)) return name;
  throw new InvalidOptionError('name', name, '1 to 64 letters, digits, ".", "_" or "-", starting with a letter or digit');
}

/**
 * Where the socket of the cluster `name` may be, best place first: the runtime directory of the user, that of the system, a private
 * directory among the temporary files. A primary takes the first one it can use; a client tries all, as it may have been started with
 * another environment. Files on Windows are named pipes, and there is one place.
 */
export function socketCandidates(name: string, around: SocketSurroundings): readonly string[] {
  const file = `${clusterName(name)}.sock`;
  if (around.platform === 'win32') return [`\\\\.\\pipe\\drover-${name}`];
  const places: string[] = [];
  if (around.runtimeDir?.startsWith('/')) places.push(join(around.runtimeDir, 'drover', file));
  if (around.platform === 'linux') places.push(join('/run/drover', file));
  places.push(join(around.tempDir, `drover-${around.uid}`, file));
  return places;
}

/** How many bytes the path of a unix socket may have. */
export function maxSocketPathBytes(platform: NodeJS.Platform): number {
  return platform === 'linux' ? 107 : 103;
}

/** Why the path cannot be that of a socket, else undefined. */
export function refusePath(path: string, platform: NodeJS.Platform): string | undefined {
  if (isPipe(path, platform)) return undefined;
  const bytes = Buffer.byteLength(path);
  const most = maxSocketPathBytes(platform);
  if (bytes > most) return `the path has ${bytes} bytes, a socket's may have at most ${most}: choose a shorter one with --socket`;
  return path.includes('\0') ? 'the path has a NUL byte' : undefined;
}

export function isPipe(path: string, platform: NodeJS.Platform): boolean {
  return platform === 'win32' && path.startsWith('\\\\');
}

/**
 * Why a socket in this directory cannot be trusted, else undefined. A `private` one (a place we chose) has to be ours and closed to all
 * others: whoever can write there can put up a socket in our name. In one the operator chose nobody else may replace our socket.
 */
export function refuseDirectory(facts: DirectoryFacts, uid: number | undefined, kind: 'private' | 'chosen'): string | undefined {
  if (!facts.isDirectory) return 'it is not a directory';
  if (uid === undefined) return undefined;
  if (kind === 'private') {
    if (facts.uid !== uid) return `it belongs to uid ${facts.uid}, not to us (uid ${uid})`;
    return (facts.mode & 0o077) === 0 ? undefined : `its mode is ${octal(facts.mode)}, it has to be 0700`;
  }
  if (facts.uid !== uid && facts.uid !== 0) return `it belongs to uid ${facts.uid}, neither to us (uid ${uid}) nor to root`;
  if ((facts.mode & 0o022) !== 0 && (facts.mode & STICKY) === 0) return `its mode is ${octal(facts.mode)}: others may replace files in it`;
  return undefined;
}

function octal(mode: number): string {
  return `0${(mode & 0o7777).toString(8)}`;
}
