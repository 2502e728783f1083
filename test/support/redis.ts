/** The Redis server of the test run, key prefixes nobody else uses, and servers a test may kill. */
import { randomBytes } from 'node:crypto';
import { type PrivateRedis, type PrivateRedisOptions, startPrivateRedis } from '../../tools/private-redis.mjs';
import { atEnd } from './at-end.js';

export type { PrivateRedis, PrivateRedisOptions };
export { startPrivateRedis };

/** Address of the server all tests share. A test keeps to prefixes of its own there and never flushes or stops it. */
export function testRedisUrl(): string {
  const url = process.env.REDIS_URL;
  if (!url) throw new Error('REDIS_URL is not set: run the tests with `npm test`, or jest with -c test/jest.config.js');
  return url;
}

/** A key prefix (BullMQ's `prefix` option) no other test has. */
export function freshPrefix(): string {
  return `t-${randomBytes(6).toString('hex')}`;
}

/** A server for this test alone (or, from `beforeAll`, this file), stopped at its end: to be killed, frozen or restarted. */
export async function startOwnRedis(options: Omit<PrivateRedisOptions, 'own'> = {}): Promise<PrivateRedis> {
  const redis = await startPrivateRedis({ ...options, own: true });
  atEnd(() => redis.stop());
  return redis;
}
