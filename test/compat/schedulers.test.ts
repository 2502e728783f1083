import type { Queue } from '@drover/core';
import { Gate, rig } from '../support/engine.js';
import { type Peer, peers } from '../support/peers.js';
import { freshPrefix } from '../support/redis.js';
import { until } from '../support/until.js';

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Apia', undefined];
const PATTERNS = [
  '0 * * * *',
  '*/7 3 * * *',
  '15 10 * * 1-5',
  '0 0 1 * *',
  '0 0 L * *',
  '30 2 * * *',
  '30 2 29 3 *',
  '0 3 25 10 *',
  '0 0 29 2 *',
  '5,10,50 22 * * 0',
  '0 0 1 1 *',
  '0 12 * * MON',
  '0 0 13 * 5',
  '59 59 23 * * *',
  '0 0 0 31 * *',
  '@daily',
  '@monthly',
];
const IN_A_YEAR = Date.now() + 365 * 86_400_000;

/** One scheduler per pattern and zone, and some with limits and intervals. */
async function createAll(peer: Peer, prefix: string, url: string): Promise<number> {
  const queue = peer.queue('mail', { prefix, url });
  const rules: Record<string, unknown>[] = [];
  for (const pattern of PATTERNS) for (const tz of ZONES) rules.push({ pattern, ...(tz ? { tz } : {}) });
  rules.push(
    { pattern: '0 0 * * *', limit: 2 },
    { pattern: '0 0 * * *', endDate: IN_A_YEAR },
    { pattern: '0 0 * * *', startDate: IN_A_YEAR },
  );
  rules.push({ every: 3_600_000 }, { every: 86_400_000, offset: 5_000 }, { every: 60_000, limit: 2 }, { every: 60_000, limit: 1 });
  rules.push({ every: 60_000, endDate: IN_A_YEAR }, { every: 60_000, startDate: IN_A_YEAR }, { pattern: '0 0 * * *', limit: 1 });
  const template = { name: 'tick', data: { a: [1, 'x/y'] }, opts: { attempts: 3, priority: 2, removeOnComplete: false } };
  await Promise.all(rules.map((repeat, n) => queue.upsertJobScheduler(`s${n}`, repeat, n % 3 === 0 ? template : { name: 'plain' })));
  await queue.promoteJobs();
  return rules.length;
}

describe.each(peers)('schedulers of BullMQ $version', (peer) => {
  test('go on under Drover with the slots that BullMQ itself would have chosen', async () => {
    const { queue, redis, prefix, url, worker, counts, broken } = rig();
    const theirs = freshPrefix();
    const total = await createAll(peer, prefix, url);
    for (const key of await redis.keys(`${prefix}:*`)) await redis.copy(key, theirs + key.slice(prefix.length));
    worker(async () => 1, { concurrency: 20 });
    await counts({ completed: total });
    const other = await peer.worker('mail', async () => 1, { prefix: theirs, url });
    await until(async () => (await redis.zcard(`${theirs}:mail:completed`)) === total, {
      what: 'their worker to run all',
      limitMs: 20_000,
    });
    await other.close();

    const schedule = async (base: string): Promise<unknown> => {
      const flat = await redis.zrange(`${base}:mail:repeat`, '0', '-1', 'WITHSCORES');
      const slots = Object.fromEntries(flat.flatMap((id, n) => (n % 2 === 0 ? [[id, flat[n + 1]]] : [])));
      const definitions: Record<string, unknown> = {};
      for (const id of Object.keys(slots)) definitions[id] = await redis.hgetall(`${base}:mail:repeat:${id}`);
      const next: Record<string, unknown> = {};
      for (const id of await redis.zrange(`${base}:mail:delayed`, '0', '-1')) {
        const { opts, delay, timestamp, ...record } = await redis.hgetall(`${base}:mail:${id}`);
        const { delay: _delay, timestamp: _timestamp, ...options } = JSON.parse(opts as string);
        next[id] = { record, attempts: 0, ...options, due: Number(delay) + Number(timestamp) };
      }
      return { slots, definitions, next, ids: await redis.get(`${base}:mail:id`) };
    };
    expect(await schedule(prefix)).toEqual(await schedule(theirs));
    expect(Object.keys((await schedule(prefix)) as object).length).toBeGreaterThan(0);
    expect((await queue.getJobs('delayed')).length).toBeGreaterThan(PATTERNS.length * ZONES.length);
    expect(await broken()).toEqual([]);
  });

  test('a removed scheduler has no further iteration', async () => {
    const { prefix, url, worker, queue, counts } = rig();
    const theirs = peer.queue('mail', { prefix, url });
    await theirs.upsertJobScheduler('tick', { every: 3_600_000 });
    await theirs.upsertJobScheduler('tock', { pattern: '0 0 1 1 *' });
    await theirs.promoteJobs();
    await theirs.removeJobScheduler('tick');
    await theirs.removeJobScheduler('tock');
    worker(async () => 1);
    await counts({ completed: 2 });
    expect(await queue.getJobCounts()).toMatchObject({ delayed: 0, waiting: 0 });
  });
});

test('a job of a repeatable of BullMQ 5 is left for version 5, untouched', async () => {
  const { prefix, url, worker, queue, redis } = rig();
  const v5 = (peers[1] as Peer).queue('mail', { prefix, url });
  await v5.add('old', {}, { repeat: { every: 3_600_000 } });
  await v5.promoteJobs();
  const gate = new Gate();
  const one = worker(gate.processor, { allowErrors: true });
  const errors: Error[] = [];
  one.on('error', (error) => errors.push(error));
  await until(() => errors.length > 0, { what: 'the report' });
  expect(errors[0]?.message).toContain('of BullMQ 5 or before');
  await until(async () => (await queue.getJobCounts()).waiting === 1, { what: 'the job to be back' });
  expect(gate.started).toEqual([]);
  expect(await redis.zcard(`${prefix}:mail:repeat`)).toBe(1);
});

/** Who makes the scheduler; workers of all three run it. */
const makers = [
  { name: 'Drover', make: (where: Place) => where.ours },
  ...peers.map((peer) => ({ name: `BullMQ ${peer.version}`, make: ({ prefix, url }: Place) => peer.queue('mail', { prefix, url }) })),
];
interface Place {
  readonly ours: Pick<Queue, 'upsertJobScheduler'>;
  readonly prefix: string;
  readonly url: string;
}

test.each(makers)(
  'made by $name, run by workers of Drover and both versions at once: 500 iterations, none missing, none twice',
  async ({ make }) => {
    const { queue, prefix, url, redis, worker, broken } = rig();
    const [every, limit] = [10, 500];
    const ran: string[] = [];
    const by = new Set<string>();
    const run = (who: string) => async (job: { readonly id?: string }) => {
      ran.push(job.id as string);
      by.add(who);
    };
    await make({ ours: queue, prefix, url }).upsertJobScheduler('tick', { every, limit }, { name: 'tick', data: { n: 1 } });
    worker(run('Drover'));
    for (const peer of peers) await peer.worker('mail', run(peer.version), { prefix, url });
    await until(async () => (await queue.getJobCounts()).completed === limit, { what: `${limit} completions`, limitMs: 60_000 });

    const jobs = await queue.getJobs('completed');
    const iterations = jobs
      .map(({ id, opts, timestamp }) => ({ slot: Number(id.split(':')[2]), count: opts.repeat?.count, madeAt: timestamp }))
      .sort((a, b) => a.slot - b.slot);
    expect(ran.length).toBe(limit);
    expect(new Set(ran).size).toBe(limit);
    expect(iterations.map(({ count }) => count)).toEqual(Array.from({ length: limit }, (_, nth) => nth + 1));
    const offset = (iterations[0]?.slot as number) % every;
    for (const [nth, { slot, madeAt }] of iterations.entries()) {
      if (nth > 0) expect({ nth, slot }).toEqual({ nth, slot: slotAfter(iterations[nth - 1]?.slot as number, every, offset, madeAt) });
    }
    expect(await redis.hget(`${prefix}:mail:repeat:tick`, 'ic')).toBe(String(limit));
    expect(by).toEqual(new Set(['Drover', 'v5', 'v6']));
    expect(await broken()).toEqual([]);
  },
  90_000,
);

/** The one slot that may follow: the next of the grid, or, when that had passed as the successor was made, the first after then. */
function slotAfter(slot: number, every: number, offset: number, now: number): number {
  if (slot + every >= now) return slot + every;
  const onGrid = Math.floor(now / every) * every + offset;
  return onGrid > now ? onGrid : onGrid + every;
}

describe.each(peers)('beside BullMQ $version', (peer) => {
  test('either side finds, replaces and removes what the other has made', async () => {
    const { queue, prefix, url, broken } = rig();
    const theirs = peer.queue('mail', { prefix, url }) as unknown as Queue;
    const template = { name: 'tick', data: { a: [1, 'x/y'] }, opts: { attempts: 3, priority: 2 } };
    const rules = [
      { every: 3_600_000, offset: 5 },
      { pattern: '0 0 1 1 *', tz: 'Europe/Berlin', limit: 3 },
    ] as const;
    for (const [maker, other] of [
      [queue, theirs],
      [theirs, queue],
    ] as const) {
      for (const [nth, rule] of rules.entries()) {
        await maker.upsertJobScheduler(`s${nth}`, rule, template);
        expect(await other.getJobScheduler(`s${nth}`)).toEqual(await maker.getJobScheduler(`s${nth}`));
        await other.upsertJobScheduler(`s${nth}`, { ...rule, limit: 9 }, template);
        expect(await maker.getJobScheduler(`s${nth}`)).toMatchObject({ limit: 9, iterationCount: 1 });
      }
      expect(await other.getJobSchedulers()).toEqual(await maker.getJobSchedulers());
      expect((await queue.getDelayed()).length).toBe(2);
      expect([await other.removeJobScheduler('s0'), await maker.removeJobScheduler('s1')]).toEqual([true, true]);
      expect(await queue.getJobCounts()).toMatchObject({ delayed: 0, waiting: 0 });
    }
    expect(await broken()).toEqual([]);
  });
});

test('repeatable jobs of BullMQ 5 are listed, and can be removed', async () => {
  const { prefix, url, queue } = rig();
  const v5 = (peers[1] as Peer).queue('mail', { prefix, url });
  await v5.add('old', {}, { repeat: { every: 3_600_000, key: 'hourly' } });
  expect(await queue.getJobSchedulers()).toEqual([{ key: 'hourly', name: 'old', every: 3_600_000, next: expect.any(Number) }]);
  expect(await queue.removeJobScheduler('hourly')).toBe(true);
  expect(await queue.getJobCounts()).toMatchObject({ delayed: 0 });
  expect(await queue.getJobSchedulersCount()).toBe(0);
});
