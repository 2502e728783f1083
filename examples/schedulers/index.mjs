// Two job schedulers: one by an interval, whose first job runs at once, and one by a cron pattern in a time zone.
import { Queue, Worker } from '@drover/core';

const connection = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const queue = new Queue('reports', { connection });

await queue.upsertJobScheduler('heartbeat', { every: 50, limit: 3 }, { name: 'beat', data: { host: 'a' }, opts: { attempts: 3 } });
await queue.upsertJobScheduler('daily', { pattern: '0 9 * * 1-5', tz: 'Europe/Berlin' }, { name: 'report' });
const schedules = (await queue.getJobSchedulers(0, -1, true)).map(({ key }) => key);

const beats = [];
const worker = new Worker('reports', async (job) => beats.push(`${job.name} ${job.data.host}`), { connection });
const done = new Promise((resolve) => worker.on('completed', () => beats.length === 3 && resolve()));
await done;

const removed = [
  await queue.removeJobScheduler('heartbeat'),
  await queue.removeJobScheduler('daily'),
  await queue.removeJobScheduler('nobody'),
];
console.log(JSON.stringify({ schedules, beats, removed, left: await queue.getJobSchedulersCount() }));

await worker.close();
await queue.close();
