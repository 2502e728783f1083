import { Queue, Worker } from '@drover/core';
import { type Engine, JOB_NAME, type JobData, type OpenQueue, type StartedWorkers, type Target, type WorkerPlan } from '../engine.js';

/** The engine of this product, through its public interface. */
export async function openEngine(): Promise<Engine> {
  return { startWorkers, openQueue };
}

async function startWorkers(plan: WorkerPlan): Promise<StartedWorkers> {
  const { target, queues, concurrency, onCompleted, onError } = plan;
  const workers = Array.from({ length: plan.workers }, (_, at) => {
    const options = { connection: target.url, prefix: target.prefix, concurrency, autorun: false };
    const worker = new Worker<JobData, string>(queues[at % queues.length] as string, plan.process, options);
    worker.on('completed', (job) => onCompleted(1, job.data));
    worker.on('error', onError);
    return worker;
  });
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  return {
    run: () => {
      for (const worker of workers) worker.run().catch(onError);
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close()));
    },
  };
}

async function openQueue({ url, prefix }: Target, name: string): Promise<OpenQueue> {
  const queue = new Queue<JobData>(name, { connection: url, prefix });
  await queue.waitUntilReady();
  return {
    add: (data) => queue.add(JOB_NAME, data),
    addBulk: (jobs) => queue.addBulk(jobs.map((data) => ({ name: JOB_NAME, data }))),
    close: () => queue.close(),
  };
}
