import { readFileSync } from 'node:fs';

/**
 * Resident memory of a process in bytes. The kernel says it, so it is known while the process hangs.
 * @returns undefined where there is no /proc, or no such process.
 * @see https://docs.kernel.org/filesystems/proc.html (VmRSS, in kB of 1,024 bytes)
 */
export function residentMemory(pid: number): number | undefined {
  try {
    return parseResident(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return undefined; // another system, or it has just ended
  }
}

export function parseResident(status: string): number | undefined {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
}
