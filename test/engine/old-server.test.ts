/** A server that is too old is refused when it is first reached, with one error that says what to do. A proxy makes a real one look old. */
import { FlowProducer, JobScheduler, Queue, QueueEvents, Worker } from '@drover/core';
import { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.js';
import { collect, rig } from '../support/engine.js';
import { TcpProxy } from '../support/proxy.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';

/** 7.0.15 -> 5.0.00: as many bytes, and older than all that will do. */
const older = (found: string): string => `redis_version:5.${'0'.repeat(found.length - 'redis_version:5.'.length)}`;

async function oldServer(): Promise<TcpProxy> {
  const proxy = await TcpProxy.start(testRedisUrl());
  proxy.rewrite(/redis_version:[\d.]+/, older);
  return proxy;
}

const REFUSAL = {
  name: 'UnsupportedServerError',
  code: 'UNSUPPORTED_SERVER',
  message: expect.stringMatching(
    /^Redis at 127\.0\.0\.1:\d+ cannot be used: it is version 5\.0+, and 6\.2 is the oldest that will do: upgrade it \(skipVersionCheck: true/,
  ),
};

test('a queue refuses it: one error event, and every call rejects with the same', async () => {
  const { url } = await oldServer();
  const queue = new Queue('mail', { connection: url, prefix: freshPrefix() });
  atEnd(() => queue.close());
  const errors = collect(queue, 'error');
  await expect(queue.waitUntilReady()).rejects.toMatchObject(REFUSAL);
  await expect(queue.add('a', {})).rejects.toMatchObject(REFUSAL);
  await expect(queue.getJobCounts()).rejects.toMatchObject(REFUSAL);
  expect(errors).toEqual([[expect.objectContaining(REFUSAL)]]);
});

test('a worker refuses it: it takes no job, says why once, and closes', async () => {
  const { url } = await oldServer();
  const { queue, prefix } = rig();
  await queue.add('a', {});
  const started: string[] = [];
  const worker = new Worker('mail', async ({ id }) => void started.push(id), { connection: url, prefix });
  atEnd(() => worker.close());
  const errors = collect(worker, 'error');
  const ready = collect(worker, 'ready');
  const closed = collect(worker, 'closed');
  await expect(worker.waitUntilReady()).rejects.toMatchObject(REFUSAL);
  await until(() => closed.length === 1, { what: 'the worker to close' });
  expect(errors).toEqual([[expect.objectContaining(REFUSAL)]]);
  expect({ started, ready, counts: await queue.getJobCounts('waiting') }).toEqual({ started: [], ready: [], counts: { waiting: 1 } });
});

test('queue events refuse it: they say why once, and close', async () => {
  const { url } = await oldServer();
  const events = new QueueEvents('mail', { connection: url, prefix: freshPrefix() });
  atEnd(() => events.close());
  const errors = collect(events, 'error');
  await expect(events.waitUntilReady()).rejects.toMatchObject(REFUSAL);
  await until(() => !events.isRunning(), { what: 'the events to close' });
  expect(errors).toEqual([[expect.objectContaining(REFUSAL)]]);
});

test('flow producers and job schedulers refuse it, and use it with skipVersionCheck', async () => {
  const { url } = await oldServer();
  const make = (skipVersionCheck: boolean) => {
    const options = { connection: url, prefix: freshPrefix(), skipVersionCheck };
    const made = { flows: new FlowProducer(options), schedulers: new JobScheduler('mail', options), queue: new Queue('mail', options) };
    made.flows.on('error', () => undefined);
    made.queue.on('error', () => undefined);
    atEnd(() => Promise.all(Object.values(made).map((one) => one.close())));
    return made;
  };
  const flow = { name: 'a', queueName: 'mail', children: [{ name: 'b', queueName: 'mail' }] };
  const refusing = make(false);
  await expect(refusing.flows.add(flow)).rejects.toMatchObject(REFUSAL);
  await expect(refusing.flows.getFlow({ queueName: 'mail', id: 'a' })).rejects.toMatchObject(REFUSAL);
  await expect(refusing.schedulers.upsertJobScheduler('s', { every: 60_000 }, 'a', {})).rejects.toMatchObject(REFUSAL);
  await expect((await refusing.queue.jobScheduler).getSchedulersCount()).rejects.toMatchObject(REFUSAL);
  const { flows, schedulers, queue } = make(true);
  const { job } = await flows.add(flow);
  expect(await flows.getFlow({ queueName: 'mail', id: job.id })).toMatchObject({ children: [{ job: { name: 'b' } }] });
  await schedulers.upsertJobScheduler('s', { every: 60_000 }, 'a', {});
  expect(await (await queue.jobScheduler).getSchedulersCount()).toBe(1);
});

test('with skipVersionCheck it is used all the same, beside those who refuse it', async () => {
  const { url } = await oldServer();
  const prefix = freshPrefix();
  const refusing = new Queue('mail', { connection: url, prefix });
  refusing.on('error', () => undefined);
  atEnd(() => refusing.close());
  const options = { connection: url, prefix, skipVersionCheck: true };
  const queue = new Queue('mail', options);
  atEnd(() => queue.close());
  const events = new QueueEvents('mail', options);
  atEnd(() => events.close());
  const worker = new Worker('mail', async () => 'done', options);
  atEnd(() => worker.close());
  await events.waitUntilReady();
  const job = await queue.add('a', {});
  expect(await job.waitUntilFinished(events, 10_000)).toBe('done');
  await expect(refusing.waitUntilReady()).rejects.toMatchObject(REFUSAL);
});

test('a server that does not tell its version is believed, also through a client of the caller', async () => {
  const { redis, prefix, queue: onlooker } = rig();
  const user = freshPrefix();
  await redis.call('ACL', 'SETUSER', user, 'on', '>secret', '~*', '&*', '+@all', '-info');
  atEnd(() => redis.call('ACL', 'DELUSER', user));
  const { host, port } = redis.options;
  const client = new Redis({ host: host as string, port: port as number, username: user, password: 'secret', enableReadyCheck: false });
  atEnd(() => client.disconnect());
  await until(() => client.status === 'ready', { what: 'the client to be ready' });
  await expect(client.info()).rejects.toThrow('NOPERM');
  const queue = new Queue('mail', { connection: client, prefix });
  atEnd(() => queue.close());
  await queue.waitUntilReady();
  await queue.add('a', {});
  expect(await onlooker.getJobCounts('waiting')).toEqual({ waiting: 1 });
});
