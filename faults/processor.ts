/**
 * The processor of the fault suite. Each run is noted, at its start and its end, in a Redis that no fault touches; a start looks for
 * runs of the same job that have not ended and whose process is still there.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { FaultJob } from './job-data.js';

const url = process.env.TEST_LEDGER_URL;
if (!url) throw new Error('TEST_LEDGER_URL is not set: this processor belongs to the fault suite');
const ledger = new Redis(url, { keyPrefix: 'ledger:', maxRetriesPerRequest: null });
ledger.on('error', () => undefined); // a command that cannot be sent rejects its run
const self = `${process.pid}:${bornAt(process.pid)}`;

interface RunningJob {
  readonly id: string;
  readonly data: FaultJob;
  readonly attemptsMade: number;
}

/** @returns the id of the run that completed the job. */
export default async function work({ id, data, attemptsMade }: RunningJob, _token: string, signal: AbortSignal): Promise<string> {
  const run = randomUUID();
  await noteStart(id, run);
  try {
    if (data.loops && (await ledger.set(`looped:${id}`, self, 'NX')) === 'OK') {
      await ledger.lpush(`hung:${id}`, process.pid);
      for (;;); // until somebody kills us
    }
    await delay(data.ms, undefined, { signal });
    if (attemptsMade < (data.fails ?? 0)) throw new Error(`attempt ${attemptsMade + 1} of ${id} fails, as it was told to`);
    return run;
  } finally {
    await ledger.hdel(`open:${id}`, run);
  }
}

async function noteStart(id: string, run: string): Promise<void> {
  const replies = await ledger
    .multi()
    .hgetall(`open:${id}`)
    .hset(`open:${id}`, run, self)
    .expire(`open:${id}`, 3_600)
    .hset('last', id, run)
    .hincrby('starts', id, 1)
    .exec();
  const open = (replies?.[0]?.[1] ?? {}) as Record<string, string>;
  for (const [earlier, holder] of Object.entries(open)) {
    if (isAlive(holder)) await ledger.rpush('overlaps', JSON.stringify({ id, earlier, holder, later: run, by: self, at: Date.now() }));
  }
}

/** @param holder pid and start time: a pid is used again. */
function isAlive(holder: string): boolean {
  const [pid, born] = holder.split(':');
  const now = bornAt(Number(pid));
  return now !== undefined && String(now) === born;
}

/** When the process began, in ticks of the kernel; undefined when it is gone, or dead and not collected. */
function bornAt(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
