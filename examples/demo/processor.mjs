// What a worker does with one job. Runs in the forked processes; the cluster loads it by its path.
import { join } from 'node:path';
import { digest } from './digest.mjs';

/** @param {{ data: { root: string, path: string } }} job */
export default async function processor(job) {
  return { ...(await digest(join(job.data.root, job.data.path))), pid: process.pid };
}
