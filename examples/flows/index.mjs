// An order is packed when its items have been fetched; an item that is missing does not hold it up.
import { FlowProducer, UnrecoverableError, Worker } from '@drover/core';

const connection = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';

const fetching = new Worker(
  'fetching',
  async (job) => {
    if (job.data.shelf === undefined) throw new UnrecoverableError(`no shelf has ${job.data.item}`);
    return `${job.data.item} from shelf ${job.data.shelf}`;
  },
  { connection, concurrency: 100 },
);
const packing = new Worker(
  'packing',
  async (job) => ({
    packed: Object.values(await job.getChildrenValues()).sort(),
    missing: Object.values(await job.getIgnoredChildrenFailures()),
  }),
  { connection, concurrency: 100 },
);
const packed = new Promise((resolve) => packing.once('completed', (_job, result) => resolve(result)));

const flows = new FlowProducer({ connection });
const fetch = (item, shelf) => ({ name: 'fetch', queueName: 'fetching', data: { item, shelf }, opts: { ignoreDependencyOnFailure: true } });
const order = await flows.add({
  name: 'pack',
  queueName: 'packing',
  children: [fetch('tea', 4), fetch('cups', 7), fetch('saucers')],
});

const result = await packed;
const tree = await flows.getFlow({ queueName: 'packing', id: order.job.id });
console.log(JSON.stringify({ ...result, jobs: 1 + tree.children.length }));

await Promise.all([fetching.close(), packing.close()]);
await flows.close();
