/**
 * Cores that a cgroup grants, from the text of its files. Kubernetes and Docker limit by quota, which `availableParallelism()` of
 * Node 20 does not see.
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max) and the v1 files cpu.cfs_quota_us, cpu.cfs_period_us
 */
export interface CgroupCpuFiles {
  /** cgroup v2 `cpu.max`: "max 100000" or "250000 100000". */
  readonly max?: string;
  /** cgroup v1 `cpu.cfs_quota_us`: -1 for no limit. */
  readonly quotaUs?: string;
  readonly periodUs?: string;
}

/** @returns whole cores, rounded down, at least 1; undefined when there is no limit or the text is not understood. */
export function coresOfQuota(files: CgroupCpuFiles): number | undefined {
  const [quota, period] = files.max ? files.max.trim().split(/\s+/) : [files.quotaUs?.trim(), files.periodUs?.trim()];
  const quotaUs = Number(quota);
  const periodUs = Number(period);
  if (!quota || !period || !(quotaUs > 0) || !(periodUs > 0)) return undefined;
  return Math.max(1, Math.floor(quotaUs / periodUs));
}
