import { type Stats, unlinkSync } from 'node:fs';
import { createConnection } from 'node:net';
import { messageOf } from '@drover/core/kit';
import { ExitCode, FatalError } from '../../errors/errors.js';
import { claimSocketPath, isErrno, isPipe, prepareDirectory, refusePath, statOf } from '../../protocol/index.js';

/** The path to listen on: the one that was chosen, else the place that belongs to the name. @throws FatalError 73 */
export function socketPathFor(name: string, chosen: string | undefined): string {
  try {
    if (chosen === undefined) return claimSocketPath(name);
    const refused = refusePath(chosen, process.platform) ?? prepareDirectory(chosen, 'chosen');
    if (refused === undefined) return chosen;
    throw cannotCreate(chosen, refused);
  } catch (error) {
    throw error instanceof FatalError ? error : new FatalError('SOCKET', messageOf(error), ExitCode.cannotCreate, { cause: error });
  }
}

/**
 * Makes room for our socket. What a dead primary left is removed, and nothing else: only a socket, only ours, only if nobody listens.
 * @throws FatalError 73 something else is in its place; 75 a primary answers there
 */
export async function removeStaleSocket(path: string): Promise<void> {
  if (isPipe(path, process.platform)) return; // goes with its program
  const found = statOf(path);
  if (!found) return;
  const refused = refuseToRemove(found, process.getuid?.());
  if (refused) throw cannotCreate(path, `${refused}; it was left alone: remove it, or choose another path with --socket`);
  const state = await probe(path);
  if (state === 'answers')
    throw new FatalError('NAME_TAKEN', `another primary listens on ${path}: stop it, or choose another --name`, ExitCode.nameTaken);
  if (state === 'unclear') throw cannotCreate(path, 'a socket is in its place, and it cannot be told whether somebody listens');
  unlinkSync(path);
}

/** Why the entry is not ours to remove, else undefined. */
export function refuseToRemove(found: Pick<Stats, 'isSocket' | 'isSymbolicLink' | 'uid'>, uid: number | undefined): string | undefined {
  if (found.isSymbolicLink()) return 'a symbolic link is in its place';
  if (!found.isSocket()) return 'a file that is no socket is in its place';
  return uid === undefined || found.uid === uid ? undefined : `a socket of uid ${found.uid} is in its place`;
}

export function cannotCreate(path: string, reason: string, options?: ErrorOptions): FatalError {
  return new FatalError('SOCKET', `cannot create the socket ${path}: ${reason}`, ExitCode.cannotCreate, options);
}

/** A refused connection is the only proof that nobody listens. */
function probe(path: string): Promise<'refused' | 'answers' | 'unclear'> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    const settle = (state: 'refused' | 'answers' | 'unclear'): void => {
      socket.destroy();
      resolve(state);
    };
    socket.once('connect', () => settle('answers'));
    socket.once('error', (error) => settle(isErrno(error) && error.code === 'ECONNREFUSED' ? 'refused' : 'unclear'));
  });
}
