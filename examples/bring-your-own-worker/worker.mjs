// The workers you have: stock BullMQ. Whatever has run() and close() will do.
import { Worker } from 'bullmq-v6'; // in your application: from 'bullmq'

export default ({ queue, prefix, connection, concurrency }) =>
  new Worker(queue, async (job) => job.data.n * 2, {
    connection: { url: connection, maxRetriesPerRequest: null },
    prefix,
    concurrency,
    autorun: false, // the cluster calls run()
  });
