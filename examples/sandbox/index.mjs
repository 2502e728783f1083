import { Queue, Worker } from '@drover/core';

const connection = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const queue = new Queue('primes', { connection });
const worker = new Worker('primes', new URL('./primes.mjs', import.meta.url), { connection, concurrency: 2 });

const done = new Promise((resolve, reject) =>
  worker.on('completed', (_job, found) => resolve(found)).on('failed', (_job, error) => reject(error)),
);
await queue.add('count', { below: 100_000 });
console.log(JSON.stringify({ primes: await done }));

await worker.close(); // its sandboxes end with it
await queue.close();
