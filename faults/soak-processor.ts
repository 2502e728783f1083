/** The processor of the soak: waits, and fails as often as the job says. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FaultJob } from './job-data.js';

export default async function work({ data, attemptsMade }: { readonly data: FaultJob; readonly attemptsMade: number }): Promise<void> {
  await delay(data.ms);
  if (attemptsMade < (data.fails ?? 0)) throw new Error(`attempt ${attemptsMade + 1} fails, as it was told to`);
}
