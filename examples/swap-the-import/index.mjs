// The only line that changes: `from 'bullmq'` becomes `from '@drover/core'`.
import { Queue, Worker } from '@drover/core';

const connection = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const queue = new Queue('greetings', { connection });
const worker = new Worker('greetings', async (job) => `Hello, ${job.data.name}!`, { connection, concurrency: 100 });

const greeted = new Promise((resolve) => worker.once('completed', (job, result) => resolve({ id: job.id, result })));
await queue.add('greet', { name: 'Ada' });
console.log(JSON.stringify(await greeted));

await worker.close();
await queue.close();
