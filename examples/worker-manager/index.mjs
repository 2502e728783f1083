// An application that is its own primary: it forks the processes and scales the workers in code.
import { WorkerManager } from '@drover/cluster';
import { Queue } from '@drover/core';

const connection = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const manager = await WorkerManager.start({
  name: `sums-${process.pid}`,
  queue: 'sums',
  connection,
  processor: new URL('./processor.mjs', import.meta.url),
  concurrency: 50,
});

const sizes = [];
const note = async () => sizes.push(await manager.workerCount());
await manager.scaleUp();
await note();
await manager.scaleUp(3);
await note();

const queue = new Queue('sums', { connection });
await queue.addBulk(Array.from({ length: 1_000 }, (_, n) => ({ name: 'sum', data: { a: n, b: 1 } })));

await manager.scaleDown(2);
await note();
while ((await queue.getJobCounts('completed')).completed < 1_000) await new Promise((resolve) => setTimeout(resolve, 50));

const report = await manager.stop();
console.log(JSON.stringify({ sizes, completed: (await queue.getJobCounts('completed')).completed, exitCode: report.exitCode }));
await queue.close();
