// Stock BullMQ workers under Drover's cluster: forked, supervised, scaled and drained like its own.
import { WorkerManager } from '@drover/cluster';
import { Queue } from 'bullmq-v6'; // in your application: from 'bullmq'

const connection = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const queue = new Queue('numbers', { connection: { url: connection } });

const manager = await WorkerManager.start({
  queue: 'numbers',
  connection,
  worker: new URL('./worker.mjs', import.meta.url), // instead of `processor`
  concurrency: 20,
});

const sizes = [];
const size = async () => sizes.push(await manager.workerCount());
await manager.scaleTo(1);
await size();
await queue.addBulk(Array.from({ length: 500 }, (_, n) => ({ name: 'double', data: { n } })));
await manager.scaleTo(4);
await size();
await manager.scaleTo(1);
await size();

const completed = async () => (await queue.getJobCounts('completed')).completed;
while ((await completed()) < 500) await new Promise((resolve) => setTimeout(resolve, 50));
const { exitCode } = await manager.stop();
console.log(JSON.stringify({ sizes, completed: await completed(), exitCode }));
await queue.close();
