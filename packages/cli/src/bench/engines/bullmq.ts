import { EventEmitter } from 'node:events';
import { type Engine, JOB_NAME, type JobData, type OpenQueue, type StartedWorkers, type WorkerPlan } from '../engine.js';

/** The part of the stock client that is used here, as its documentation has it. */
interface Stock {
  Queue: new (name: string, options: object) => StockQueue;
  Worker: new (name: string, processor: () => Promise<string>, options: object) => StockWorker;
}
interface StockQueue {
  waitUntilReady(): Promise<unknown>;
  add(name: string, data: JobData): Promise<unknown>;
  addBulk(jobs: { name: string; data: JobData }[]): Promise<unknown>;
  close(): Promise<void>;
}
interface StockWorker extends EventEmitter {
  waitUntilReady(): Promise<unknown>;
  run(): Promise<void>;
  close(): Promise<void>;
}

/** The stock client. It is not shipped with this program: `module` is the URL of the one that is installed. */
export async function openEngine({ module }: Readonly<Record<string, string>>): Promise<Engine> {
  EventEmitter.defaultMaxListeners = 0; // it listens to a shared emitter once per worker
  const { Queue, Worker } = (await import(module as string)) as Stock;
  return {
    startWorkers: (plan) => startWorkers(Worker, plan),
    openQueue: ({ url, prefix }, name) => openQueue(new Queue(name, { connection: { url }, prefix })),
  };
}

async function startWorkers(Worker: Stock['Worker'], plan: WorkerPlan): Promise<StartedWorkers> {
  const { target, queues, concurrency, onCompleted, onError } = plan;
  const workers = Array.from({ length: plan.workers }, (_, at) => {
    const options = { connection: { url: target.url }, prefix: target.prefix, concurrency, autorun: false };
    const worker = new Worker(queues[at % queues.length] as string, plan.process, options);
    worker.on('completed', (job: { data: JobData }) => onCompleted(1, job.data));
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

async function openQueue(queue: StockQueue): Promise<OpenQueue> {
  await queue.waitUntilReady();
  return {
    add: (data) => queue.add(JOB_NAME, data),
    addBulk: (jobs) => queue.addBulk(jobs.map((data) => ({ name: JOB_NAME, data }))),
    close: () => queue.close(),
  };
}
