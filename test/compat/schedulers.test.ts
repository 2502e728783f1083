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

  test('hand over to and fro: each iteration runs once, in slots of one interval', async () => {
    const { redis, prefix, url, worker, queue, broken } = rig();
    const theirs = peer.queue('mail', { prefix, url });
    await theirs.upsertJobScheduler('tick', { every: 200, limit: 10 }, { name: 'tick', data: { n: 1 } });
    const ran: string[] = [];
    worker(async (job) => void ran.push(job.id));
    await peer.worker('mail', async (job) => void ran.push(job.id as string), { prefix, url });
    await until(() => ran.length === 10, { what: 'ten iterations', limitMs: 20_000 });
    await until(async () => (await queue.getJobCounts()).completed === 10, { what: 'ten completions' });
    expect(new Set(ran).size).toBe(10);
    const slots = ran.map((id) => Number(id.split(':')[2]));
    for (const slot of slots) expect((slot - (slots[0] as number)) % 200).toBe(0);
    expect(await redis.hget(`${prefix}:mail:repeat:tick`, 'ic')).toBe('10');
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
