import { Redis } from 'ioredis';
import { brokenInvariants } from '../test/support/invariants.js';

/** What must not be true of a queue that nobody uses any more, one line each. */
export async function checkQueue(url: string, prefix: string, queue: string): Promise<string[]> {
  const redis = new Redis(url);
  try {
    return await brokenInvariants(redis, queue, { prefix, isIdle: true });
  } finally {
    redis.disconnect();
  }
}
