/** What outlives the primary: the sizes of groups as they were last commanded. A small JSON file of this user's, 0600, replaced as a whole. */
import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Logger, messageOf } from '@drover/core/kit';
import { z } from 'zod';
import { ConfigError } from '../errors/errors.js';
import { ControlFailure, claimSocketPath, isErrno } from '../protocol/index.js';
import type { SocketSurroundings } from '../protocol/socket-path.js';

/** Number of workers by group. */
export type Sizes = Readonly<Record<string, number>>;

const Content = z.object({ v: z.literal(1), sizes: z.record(z.string(), z.number().int().min(0).max(1_000_000)) });
const MAX_BYTES = 1_000_000;

/**
 * Where the file of a cluster is: in the private directory that its socket has by default.
 * @throws ConfigError there is none: sizes that were asked to be remembered could not be.
 */
export function stateFilePath(name: string, around?: SocketSurroundings): string {
  try {
    return join(dirname(claimSocketPath(name, around)), `${name}.state.json`);
  } catch (error) {
    if (!(error instanceof ControlFailure)) throw error;
    throw new ConfigError('persistScale', `persistScale needs a private directory, and there is none: ${error.message}`, { cause: error });
  }
}

/** Owns the file at one path. Whatever is wrong with it is one warning and never ends the primary. */
export class StateFile {
  #hasWarned = false;

  constructor(
    private readonly path: string,
    private readonly logger: Logger,
  ) {}

  /** The remembered sizes; none when there is no file, or none that can be trusted. */
  load(): Sizes {
    try {
      const found = lstatSync(this.path);
      if (!found.isFile()) throw new Error('it is not a regular file');
      const uid = process.getuid?.();
      if (uid !== undefined && found.uid !== uid) throw new Error(`it belongs to uid ${found.uid}, not to us (uid ${uid})`);
      if (uid !== undefined && (found.mode & 0o022) !== 0) throw new Error('others may write to it');
      if (found.size > MAX_BYTES) throw new Error(`it has ${found.size} bytes`);
      const parsed = Content.safeParse(JSON.parse(readFileSync(this.path, 'utf8')));
      if (!parsed.success) throw new Error('it does not hold sizes of groups');
      return parsed.data.sizes;
    } catch (error) {
      if (isErrno(error) && error.code === 'ENOENT') return {};
      this.logger.warn('the remembered sizes are ignored', { path: this.path, error: messageOf(error) });
      return {};
    }
  }

  /** Replaces the file at once and as a whole: whoever reads sees the old content or the new. */
  save(sizes: Sizes): void {
    const fresh = `${this.path}.${process.pid}`;
    try {
      rmSync(fresh, { force: true }); // of an earlier program with our pid
      writeFileSync(fresh, `${JSON.stringify({ v: 1, sizes })}\n`, { mode: 0o600, flag: 'wx' });
      renameSync(fresh, this.path);
      this.#hasWarned = false;
    } catch (error) {
      if (!this.#hasWarned) this.logger.warn('the sizes cannot be remembered', { path: this.path, error: messageOf(error) });
      this.#hasWarned = true;
    }
  }
}
