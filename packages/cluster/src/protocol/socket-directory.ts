import { lstatSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { messageOf } from '@drover/core/kit';
import { ControlFailure } from './control-failure.js';
import { type DirectoryFacts, isPipe, refuseDirectory, refusePath, type SocketSurroundings, socketCandidates } from './socket-path.js';

/** The place and the trust of sockets on this machine: the rules are in `socket-path.ts`. Calls are rare and short, so they block. */

export function surroundings(): SocketSurroundings {
  return { platform: process.platform, uid: process.getuid?.(), runtimeDir: process.env.XDG_RUNTIME_DIR, tempDir: tmpdir() };
}

/**
 * The path at which the primary `name` listens: the first candidate whose directory is ours or can be made so.
 * @throws ControlFailure FORBIDDEN no candidate can be used, with the reason for each.
 */
export function claimSocketPath(name: string, around = surroundings()): string {
  const refusals: string[] = [];
  for (const path of socketCandidates(name, around)) {
    const refused = refusePath(path, around.platform) ?? prepareDirectory(path, 'private', around);
    if (refused === undefined) return path;
    refusals.push(`${path}: ${refused}`);
  }
  throw new ControlFailure('FORBIDDEN', `no place for the socket of "${name}": ${refusals.join('; ')}`);
}

/** Makes the directory of a socket, 0700, unless it exists. @returns why it cannot be used, else undefined. */
export function prepareDirectory(path: string, kind: 'private' | 'chosen', around = surroundings()): string | undefined {
  if (isPipe(path, around.platform)) return undefined;
  const directory = dirname(path);
  try {
    // The parent of a private place exists or is none of ours to make.
    if (!statOf(directory)) mkdirSync(directory, { mode: 0o700, recursive: kind === 'chosen' });
  } catch (error) {
    if (!(isErrno(error) && error.code === 'EEXIST')) return `directory ${directory}: ${messageOf(error)}`; // EEXIST: judged below
  }
  return judge(directory, kind, around);
}

/**
 * The path at which a primary `name` seems to listen, for a client: the first one in a directory that can be trusted.
 * @returns undefined when there is no socket in any place.
 * @throws ControlFailure FORBIDDEN there are some, all in directories that others control: commands could reach a stranger.
 */
export function findSocketPath(name: string, around = surroundings()): string | undefined {
  const refusals: string[] = [];
  for (const path of socketCandidates(name, around)) {
    if (isPipe(path, around.platform)) return path;
    if (!statOf(path)) continue;
    const refused = judge(dirname(path), 'private', around);
    if (refused === undefined) return path;
    refusals.push(`the socket ${path} is not trusted: ${refused}`);
  }
  if (refusals.length > 0) throw new ControlFailure('FORBIDDEN', refusals.join('; '));
  return undefined;
}

function judge(directory: string, kind: 'private' | 'chosen', around: SocketSurroundings): string | undefined {
  const found = statOf(directory);
  if (!found) return `directory ${directory} does not exist`;
  const refused = refuseDirectory(factsOf(found), around.uid, kind);
  if (refused !== undefined || kind === 'chosen') return refused && `directory ${directory}: ${refused}`;
  const parent = dirname(directory); // whoever may rename the directory controls what is in it
  const parentRefused = refuseDirectory(factsOf(statSync(parent)), around.uid, 'chosen');
  return parentRefused && `directory ${parent}: ${parentRefused}`;
}

function factsOf(stats: Stats): DirectoryFacts {
  return { isDirectory: stats.isDirectory(), uid: stats.uid, mode: stats.mode & 0o7777 };
}

/** The entry itself, never what a link points to; undefined when there is none that we can see. */
export function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (isErrno(error) && ['ENOENT', 'ENOTDIR', 'EACCES'].includes(error.code ?? '')) return undefined;
    throw error;
  }
}

export function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return typeof error === 'object' && error !== null && 'code' in error; // no instanceof: another realm's Error is one, too
}
