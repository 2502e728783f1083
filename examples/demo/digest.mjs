// The work itself. The processor does it for a job; the demo does it once more to check what came back.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const compress = promisify(gzip);

/** @returns {Promise<{ sha256: string, gzipBytes: number }>} of the content of one file. */
export async function digest(path) {
  const content = await readFile(path);
  const compressed = await compress(content, { level: 9 });
  return { sha256: createHash('sha256').update(content).digest('hex'), gzipBytes: compressed.length };
}
