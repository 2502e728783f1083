import { join } from 'node:path';
import { digest } from './digest.mjs';

const AT_A_TIME = 8;
const PAGE = 500;

/**
 * Compares what the jobs returned with the same computed here, file by file.
 * @param {(done: number) => void} onProgress called after each file.
 * @returns files nobody returned a result for, files with more than one job, files whose result is wrong, and how many results
 * each process returned.
 */
export async function checkResults({ redis, queue, jobIds, root, files, onProgress }) {
  const { results, repeated, byProcess } = await readResults(redis, queue, jobIds);
  const missing = [];
  const different = [];
  const waiting = files.entries();
  let done = 0;
  const checkSome = async () => {
    for (const [, path] of waiting) {
      const got = results.get(path);
      if (got === undefined) missing.push(path);
      else if (!isSame(got, await digest(join(root, path)))) different.push(path);
      onProgress(++done);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, checkSome));
  return { missing: missing.sort(), repeated, different: different.sort(), byProcess };
}

function isSame(got, want) {
  return got.sha256 === want.sha256 && got.gzipBytes === want.gzipBytes;
}

/** The returned values by the path in the job's data. */
async function readResults(redis, queue, jobIds) {
  const results = new Map();
  const repeated = [];
  const byProcess = new Map();
  for (let start = 0; start < jobIds.length; start += PAGE) {
    const pipeline = redis.pipeline();
    for (const id of jobIds.slice(start, start + PAGE)) pipeline.hmget(`bull:${queue}:${id}`, 'data', 'returnvalue');
    for (const [error, [data, returned]] of await pipeline.exec()) {
      if (error) throw error;
      const { path } = JSON.parse(data);
      const result = JSON.parse(returned);
      if (results.has(path)) repeated.push(path);
      results.set(path, result);
      byProcess.set(result.pid, (byProcess.get(result.pid) ?? 0) + 1);
    }
  }
  return { results, repeated, byProcess };
}
