import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Every regular file below `root`, as sorted relative paths; links are not followed.
 * @param {number} limit at most so many: then evenly spaced ones, so that large and small files stay mixed as they are.
 */
export async function listFiles(root, limit) {
  const found = [];
  const folders = [''];
  for (const folder of folders) {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) found.push(path);
    }
  }
  found.sort();
  if (found.length <= limit) return found;
  return Array.from({ length: limit }, (_, i) => found[Math.floor((i * found.length) / limit)]);
}
