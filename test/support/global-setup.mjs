import { startPrivateRedis } from '../../tools/private-redis.mjs';

/** Gives a run of jest by hand the Redis server that `npm test` hands out in REDIS_URL. The forked test processes inherit it. */
export default async function globalSetup() {
  if (process.env.REDIS_URL) return;
  const redis = await startPrivateRedis({ log: (line) => console.error(line) });
  process.env.REDIS_URL = redis.url;
  globalThis.droverTestRedis = redis;
}
