/** The dashboard that BullMQ users have, over our Queue objects: what its HTTP API shows and does. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { atEnd } from '../support/at-end.js';
import { type Rig, rig } from '../support/engine.js';

interface BoardQueue {
  readonly name: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly jobs: readonly { readonly id: string; readonly name: string; readonly data: unknown; readonly failedReason?: string }[];
  readonly isPaused: boolean;
  readonly hasWorkers: boolean | null;
}

interface Board {
  /** What the page of one queue shows. */
  page(status: string, options?: Readonly<Record<string, string | number>>): Promise<BoardQueue>;
  /** One request; the body of its answer, if any. @throws when it is refused. */
  call(method: string, path: string, body?: unknown): Promise<unknown>;
}

async function board({ queue }: Rig): Promise<Board> {
  const serverAdapter = new ExpressAdapter();
  createBullBoard({ queues: [new BullMQAdapter(queue as never)], serverAdapter });
  const server = createServer(serverAdapter.getRouter() as RequestListener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;

  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { connection: 'close', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    call,
    async page(status, options = {}) {
      const query = new URLSearchParams({ activeQueue: 'mail', status, page: '1', jobsPerPage: '10', ...options } as Record<
        string,
        string
      >);
      const { queues } = (await call('GET', `/queues?${query}`)) as { queues: BoardQueue[] };
      return queues[0] as BoardQueue;
    },
  };
}

const names = ({ jobs }: BoardQueue): string[] => jobs.map(({ name }) => name);

async function filled(): Promise<{ readonly r: Rig; readonly b: Board }> {
  const r = rig();
  const worker = r.worker(async (job) => {
    if (job.name === 'bad') throw new Error('no luck');
    await job.log('a row');
    return { sent: true };
  });
  await r.queue.addBulk([
    { name: 'bad', data: { n: 1 } },
    { name: 'good', data: { n: 2 } },
  ]);
  await r.counts({ completed: 1, failed: 1 });
  await worker.close();
  await r.queue.addBulk([
    { name: 'late', data: {}, opts: { delay: 100_000 } },
    { name: 'urgent', data: {}, opts: { priority: 3 } },
    { name: 'first', data: { to: 'you' } },
    { name: 'second', data: {} },
  ]);
  return { r, b: await board(r) };
}

test('shows counts, the latest jobs and the page of each state', async () => {
  const { b } = await filled();
  const latest = await b.page('latest');
  expect(latest).toMatchObject({
    name: 'mail',
    isPaused: false,
    counts: { active: 0, waiting: 2, prioritized: 1, delayed: 1, completed: 1, failed: 1, 'waiting-children': 0 },
  });
  expect(names(latest).sort()).toEqual(['bad', 'first', 'good', 'late', 'second', 'urgent']);
  expect(names(await b.page('waiting'))).toEqual(['second', 'first']);
  expect(names(await b.page('waiting', { jobsPerPage: 1, page: 2 }))).toEqual(['first']);
  expect(names(await b.page('prioritized'))).toEqual(['urgent']);
  expect((await b.page('failed')).jobs).toMatchObject([{ id: '1', name: 'bad', data: { n: 1 }, failedReason: 'no luck' }]);
  expect((await b.page('completed')).jobs).toMatchObject([{ id: '2', name: 'good', returnValue: { sent: true } }]);
});

test('shows one job with its log, and what the server says of itself', async () => {
  const { b } = await filled();
  expect(await b.call('GET', '/queues/mail/5')).toMatchObject({ job: { id: '5', name: 'first', data: { to: 'you' } }, status: 'waiting' });
  expect(await b.call('GET', '/queues/mail/2/logs')).toEqual(['a row']);
  expect(await b.call('GET', '/redis/stats')).toHaveProperty('version');
  expect(await b.call('GET', '/queues/mail/workers')).toBeDefined();
});

test('retries, promotes and removes single jobs, and changes them', async () => {
  const { r, b } = await filled();
  await b.call('PUT', '/queues/mail/1/retry');
  expect(await r.queue.getJobState('1')).toBe('waiting');
  await b.call('PATCH', '/queues/mail/5/update-data', { jobData: { to: 'them' } });
  expect((await r.queue.getJob('5'))?.data).toEqual({ to: 'them' });
  await b.call('PATCH', '/queues/mail/4/priority', { priority: 9 });
  expect((await r.queue.getJob('4'))?.priority).toBe(9);
  await b.call('PATCH', '/queues/mail/3/delay', { runAt: Date.now() + 5_000_000 });
  expect((await r.queue.getJob('3'))?.delay).toBeGreaterThan(100_000);
  await b.call('PUT', '/queues/mail/3/promote');
  expect(await r.queue.getJobState('3')).toBe('waiting');
  await b.call('PUT', '/queues/mail/6/clean');
  expect(await r.queue.getJob('6')).toBeUndefined();
  expect(await r.broken()).toEqual([]);
});

test('retries all, promotes all, cleans, empties and obliterates', async () => {
  const { r, b } = await filled();
  await b.call('PUT', '/queues/mail/promote');
  expect(await r.queue.getDelayedCount()).toBe(0);
  await r.redis.zadd(`${r.prefix}:mail:completed`, 1, '2'); // the board cleans what is older than 5 s
  await b.call('PUT', '/queues/mail/clean/completed');
  await r.counts({ completed: 0, failed: 1 });
  await b.call('PUT', '/queues/mail/retry/failed');
  await r.counts({ failed: 0, waiting: 4 });
  await b.call('PUT', '/queues/mail/empty');
  await r.counts({ waiting: 0, prioritized: 0 });
  expect(await r.broken()).toEqual([]);
  await b.call('PUT', '/queues/mail/pause');
  await b.call('PUT', '/queues/mail/obliterate');
  expect(await r.redis.keys(`${r.prefix}:*`)).toEqual([]);
});

test('pauses, resumes, adds, and sets the limits of the queue', async () => {
  const { r, b } = await filled();
  await b.call('PUT', '/queues/mail/pause');
  expect(await b.page('latest')).toMatchObject({ isPaused: true });
  await b.call('PUT', '/queues/mail/resume');
  expect(await b.page('latest')).toMatchObject({ isPaused: false });
  await b.call('POST', '/queues/mail/add', { name: 'by hand', data: { n: 9 }, options: { priority: 1 } });
  expect(await r.queue.getPrioritized(0, 0)).toMatchObject([{ name: 'by hand', data: { n: 9 } }]);
  await b.call('PUT', '/queues/mail/concurrency', { concurrency: 4 });
  expect(await r.queue.getGlobalConcurrency()).toBe(4);
  expect(await r.broken()).toEqual([]);
});
