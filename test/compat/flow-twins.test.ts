/** The same flows through Drover's FlowProducer and BullMQ's, onto queues that BullMQ filled alike: both leave the same keys and events. */
import { FlowProducer } from '@drover/core';
import * as v6 from 'bullmq-v6';
import { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { dump } from '../support/twin.js';
import { until } from '../support/until.js';

// biome-ignore lint/suspicious/noExplicitAny: the same calls on two classes
type Either = any;
/** One step of a scenario. `prefix` is that of this side, `producer` the FlowProducer under test; what it returns is compared. */
type Step = (side: Side) => Promise<unknown>;

interface Side {
  readonly producer: Either;
  readonly prefix: string;
  readonly redis: Redis;
  /** BullMQ's queue, on both sides. */
  queue(name: string): v6.Queue;
  /** BullMQ works as many jobs of a queue. */
  work(name: string, finished: number): Promise<void>;
}

const NOW = 1_900_000_000_000;
let url: string;
let redis: Redis;
beforeEach(() => {
  url = testRedisUrl();
  redis = new Redis(url);
  atEnd(() => redis.disconnect());
});

function sideOf(isOurs: boolean): Side {
  const prefix = freshPrefix();
  const connection = { url, maxRetriesPerRequest: null };
  const producer = isOurs ? new FlowProducer({ connection: url, prefix }) : new v6.FlowProducer({ connection, prefix });
  producer.on('error', () => undefined); // jobs that belong to another parent: looked at in test/engine
  atEnd(() => producer.close());
  return {
    producer,
    prefix,
    redis,
    queue(name) {
      const queue = new v6.Queue(name, { connection, prefix, skipMetasUpdate: true });
      atEnd(() => queue.close());
      return queue;
    },
    async work(name, finished) {
      let count = 0;
      const worker = new v6.Worker(name, async (job) => ({ of: job.name }), { connection, prefix });
      atEnd(() => worker.close());
      worker.on('completed', () => count++);
      await until(() => count >= finished, { what: `${finished} jobs of ${name}`, everyMs: 5 });
      await worker.close();
    },
  };
}

const node = (queueName: string, id: string, more: object = {}, children?: object[]) => {
  const { opts, ...rest } = more as { opts?: object };
  return { name: id, queueName, data: { id }, opts: { jobId: id, timestamp: NOW, ...opts }, ...rest, ...(children ? { children } : {}) };
};
const add =
  (flow: object, options?: object): Step =>
  ({ producer }) =>
    producer.add(flow, options);
const stored =
  (name: string, id: string, opts: object = {}): Step =>
  (side) =>
    side.queue(name).add(id, { id }, { jobId: id, timestamp: NOW, ...opts });
const works =
  (name: string, finished: number): Step =>
  (side) =>
    side.work(name, finished);

const scenarios: Readonly<Record<string, readonly Step[]>> = {
  'three levels over four queues and two prefixes': [
    ({ producer, prefix }) =>
      producer.add(
        node('top', 'root', { opts: { priority: 3 } }, [
          node('mid', 'm1', { prefix: `${prefix}:b`, opts: { failParentOnFailure: true, delay: 60_000 } }, [
            node('low', 'l1', { opts: { ignoreDependencyOnFailure: true } }),
            node('low', 'l2', { prefix: `${prefix}:b`, opts: { removeDependencyOnFailure: true, priority: 7 } }),
            node('low', 'l3', { opts: { continueParentOnFailure: true, lifo: true, attempts: 3, backoff: 500 } }),
          ]),
          node('top', 'm2', { opts: { delay: 90_000, priority: 2 } }),
          node('top', 'm3', { opts: { lifo: true, removeOnComplete: true, keepLogs: 5, sizeLimit: 500 } }),
        ]),
      ),
  ],
  'defaults by queue': [
    add(node('top', 'root', {}, [node('low', 'l1', { opts: { attempts: 2 } }), node('low', 'l2')]), {
      queuesOptions: { top: { defaultJobOptions: { priority: 5 } }, low: { defaultJobOptions: { attempts: 4, removeOnFail: 10 } } },
    }),
  ],
  'no data, no children, an empty list of children': [
    ({ producer }) => producer.addBulk([{ name: 'a', queueName: 'top', opts: { jobId: 'a', timestamp: NOW } }, node('top', 'b', {}, [])]),
  ],
  'many flows that share a child': [
    ({ producer }) =>
      producer.addBulk([
        node('top', 'r1', {}, [node('low', 'l1'), node('low', 'shared')]),
        node('top', 'r2', {}, [node('low', 'l2'), node('low', 'shared')]),
        node('top', 'r3'),
      ]),
  ],
  'children that have all completed before': [
    stored('low', 'l1'),
    stored('low', 'l2'),
    works('low', 2),
    add(node('top', 'r1', {}, [node('low', 'l1'), node('low', 'l2')])),
  ],
  'parents with a priority, children completed before': [
    stored('low', 'l1'),
    works('low', 1),
    add(node('top', 'r1', { opts: { priority: 4 } }, [node('low', 'l1')])),
  ],
  'some children have completed before': [
    stored('low', 'l1'),
    works('low', 1),
    stored('low', 'l2'),
    add(node('top', 'r1', {}, [node('low', 'l1'), node('low', 'l2'), node('low', 'l3')])),
  ],
  'a parent in the middle whose children have completed before': [
    stored('low', 'l1'),
    works('low', 1),
    add(node('top', 'r1', {}, [node('mid', 'm1', {}, [node('low', 'l1')])])),
  ],
  'a child of another living parent': [
    add(node('top', 'r1', {}, [node('low', 'shared')])),
    add(node('top', 'r2', {}, [node('low', 'shared'), node('low', 'l2')])),
    add(node('top', 'r3', {}, [node('low', 'shared')])),
  ],
  'a child of a parent that is gone': [
    add(node('top', 'r1', {}, [node('low', 'shared')])),
    async ({ prefix }) => {
      await redis.del(`${prefix}:top:r1`, `${prefix}:top:r1:dependencies`);
      await redis.zrem(`${prefix}:top:waiting-children`, 'r1');
    },
    add(node('top', 'r2', {}, [node('low', 'shared')])),
  ],
  'the same flow twice': Array<Step>(2).fill(add(node('top', 'r1', {}, [node('mid', 'm1', {}, [node('low', 'l1')]), node('low', 'l2')]))),
  'the same flow twice, worked in between': [
    add(node('top', 'r1', {}, [node('low', 'l1')])),
    works('low', 1),
    add(node('top', 'r1', {}, [node('low', 'l1')])),
  ],
  'children for a root that is stored': [stored('top', 'r1'), add(node('top', 'r1', {}, [node('low', 'l1')]))],
  'a root that is a child': [
    add(node('top', 'r1', {}, [node('low', 'l1')])),
    ({ producer, prefix }) =>
      producer.add(node('mid', 'm1', { opts: { parent: { id: 'r1', queue: `${prefix}:top` } } }, [node('low', 'l2')])),
  ],
  'a root whose parent does not exist': [
    ({ producer, prefix }) =>
      producer.add(node('mid', 'm1', { opts: { parent: { id: 'no', queue: `${prefix}:top` } } }, [node('low', 'l2')])),
  ],
  'a root of another parent': [
    add(node('top', 'r1', {}, [node('mid', 'm1')])),
    add(node('top', 'r2', {}, [node('low', 'l1')])),
    ({ producer, prefix }) => producer.add(node('mid', 'm1', { opts: { parent: { id: 'r2', queue: `${prefix}:top` } } })),
  ],
  'single nodes with a deduplication id': [
    add(node('top', 'r1', { opts: { deduplication: { id: 'x' } } })),
    add(node('top', 'r2', { opts: { deduplication: { id: 'x' } } })),
  ],
  'paused queues': [
    (side) => side.queue('low').pause(),
    (side) => side.queue('top').pause(),
    add(node('top', 'r1', {}, [node('low', 'l1'), node('low', 'l2', { opts: { priority: 1 } })])),
  ],
};

/** Trees by id; what was thrown, by message and code. */
async function told(step: Promise<unknown>, prefix: string): Promise<unknown> {
  const plain = (given: Either): unknown => {
    if (Array.isArray(given)) return given.map(plain);
    if (!given?.job) return undefined;
    const { id, name, parentKey, parent, queueQualifiedName, timestamp } = given.job;
    const children = given.children ? { children: plain(given.children) } : {};
    return { id, name, parentKey, parent, queueQualifiedName, timestamp, ...children };
  };
  const answer = await step.then(plain, (error: Error & { code?: number }) => ({ threw: error.message, code: error.code }));
  return JSON.parse(JSON.stringify(answer ?? null).replaceAll(prefix, '<prefix>'));
}

test.each(Object.keys(scenarios))('%s', async (name) => {
  const left = [];
  for (const isOurs of [true, false]) {
    const side = sideOf(isOurs);
    const answers = [];
    for (const step of scenarios[name] as readonly Step[]) answers.push(await told(step(side), side.prefix));
    left.push({ answers, keys: await dump(redis, side.prefix) });
  }
  expect(Object.keys(left[0]?.keys ?? {}).length).toBeGreaterThan(name === 'a root whose parent does not exist' ? -1 : 0);
  expect(left[0]).toEqual(left[1]);
});
