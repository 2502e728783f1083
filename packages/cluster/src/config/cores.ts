import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { coresOfQuota } from './cpu-quota.js';

/** Cores that this process may use: the cgroup's CPU quota rounded down, at least 1; without a quota what the system offers. */
export function cores(): number {
  const quota = coresOfQuota({
    max: readText('/sys/fs/cgroup/cpu.max'),
    quotaUs: readText('/sys/fs/cgroup/cpu/cpu.cfs_quota_us'),
    periodUs: readText('/sys/fs/cgroup/cpu/cpu.cfs_period_us'),
  });
  return Math.min(quota ?? Number.POSITIVE_INFINITY, availableParallelism());
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // no such cgroup file on this system: no quota there
  }
}
