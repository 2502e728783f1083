import type { Queue } from '@drover/core';
import { Gate, rig } from '../support/engine.js';
import { until } from '../support/until.js';

/** What one scenario leaves behind: stored jobs by name and state, the owner of the id, its time to live. */
async function seen(queue: Queue) {
  const jobs = await queue.getJobs(['waiting', 'delayed', 'active', 'completed'], 0, -1, true);
  const states = await Promise.all(jobs.map(async (job) => `${job.name} ${await job.getState()}`));
  return { states: states.sort(), owner: await queue.getDeduplicationJobId('x') };
}

test('a second add returns the id of the first, until that has finished', async () => {
  const { queue, worker, counts, redis, prefix, broken } = rig();
  const deduplication = { id: 'x' };
  const first = await queue.add('one', {}, { deduplication });
  const second = await queue.add('two', {}, { deduplication });
  expect([first.id, second.id]).toEqual(['1', '1']);
  expect(await seen(queue)).toEqual({ states: ['one waiting'], owner: '1' });
  expect(await redis.get(`${prefix}:mail:id`)).toBe('2');
  worker(async () => 1);
  await counts({ completed: 1 });
  expect(await queue.getDeduplicationJobId('x')).toBeNull();
  expect((await queue.add('three', {}, { deduplication })).id).toBe('3');
  await counts({ completed: 2 });
  expect(await broken()).toEqual([]);
});

test('many adds of one call find each other', async () => {
  const { queue, counts } = rig();
  const opts = { deduplication: { id: 'x' } };
  const jobs = await queue.addBulk(Array.from({ length: 20 }, (_, n) => ({ name: `n${n}`, data: n, opts })));
  expect(new Set(jobs.map(({ id }) => id))).toEqual(new Set(['1']));
  await counts({ waiting: 1 });
});

test('throttle: the id stays taken for its time, whatever becomes of the job', async () => {
  const { queue, worker, counts, redis, prefix } = rig();
  const deduplication = { id: 'x', ttl: 60_000 };
  await queue.add('one', {}, { deduplication });
  worker(async () => 1);
  await counts({ completed: 1 });
  expect((await queue.add('two', {}, { deduplication })).id).toBe('1');
  expect(await redis.pttl(`${prefix}:mail:de:x`)).toBeGreaterThan(50_000);
  await redis.pexpire(`${prefix}:mail:de:x`, 1);
  await until(async () => (await queue.getDeduplicationJobId('x')) === null, { what: 'the id to be free' });
  await queue.add('three', {}, { deduplication });
  await counts({ completed: 2 });
});

test.each([
  { extend: true, want: 60_000 },
  { extend: false, want: 5_000 },
])('extend $extend: a further add renews the time or not', async ({ extend, want }) => {
  const { queue, redis, prefix } = rig();
  const deduplication = { id: 'x', ttl: 60_000, extend };
  await queue.add('one', {}, { deduplication });
  await redis.pexpire(`${prefix}:mail:de:x`, 5_000);
  await queue.add('two', {}, { deduplication });
  const ttl = await redis.pttl(`${prefix}:mail:de:x`);
  expect(ttl).toBeLessThanOrEqual(want);
  expect(ttl).toBeGreaterThan(want - 5_000);
});

test('replace: the newest of delayed jobs stays', async () => {
  const { queue, redis, prefix, broken } = rig();
  const opts = { delay: 60_000, deduplication: { id: 'x', ttl: 60_000, extend: true, replace: true } };
  await queue.add('one', {}, opts);
  const second = await queue.add('two', {}, opts);
  expect(second.id).toBe('2');
  expect(await seen(queue)).toEqual({ states: ['two delayed'], owner: '2' });
  expect(await queue.getJob('1')).toBeUndefined();
  const events = (await redis.xrange(`${prefix}:mail:events`, '-', '+')).map(([, fields]) => fields.slice(1).join(' '));
  expect(events.slice(2, 4)).toEqual(['removed jobId 1 prev delayed', 'deduplicated jobId 2 deduplicationId x deduplicatedJobId 1']);
  expect(await broken()).toEqual([]);
});

test('replace without extend keeps the time of the first add', async () => {
  const { queue, redis, prefix } = rig();
  const opts = { delay: 60_000, deduplication: { id: 'x', ttl: 60_000, replace: true } };
  await queue.add('one', {}, opts);
  await redis.pexpire(`${prefix}:mail:de:x`, 5_000);
  await queue.add('two', {}, opts);
  expect(await redis.pttl(`${prefix}:mail:de:x`)).toBeLessThanOrEqual(5_000);
});

test('replace leaves a job alone that is not delayed any more, and says nothing', async () => {
  const { queue, redis, prefix } = rig();
  await queue.add('one', {}, { deduplication: { id: 'x', replace: true } });
  const before = await redis.xlen(`${prefix}:mail:events`);
  expect((await queue.add('two', {}, { deduplication: { id: 'x', replace: true } })).id).toBe('1');
  expect(await redis.xlen(`${prefix}:mail:events`)).toBe(before);
});

test('reschedule: the delayed job stays, at its new time', async () => {
  const { queue, redis, prefix, broken } = rig();
  const deduplication = { id: 'x', reschedule: true };
  await queue.add('one', {}, { delay: 60_000, deduplication });
  const timestamp = Date.now();
  expect((await queue.add('two', {}, { delay: 5_000, timestamp, deduplication })).id).toBe('1');
  expect(await redis.zscore(`${prefix}:mail:delayed`, '1')).toBe(String((timestamp + 5_000) * 4096));
  expect(await queue.getJob('1')).toMatchObject({ name: 'one', delay: 5_000 });
  expect(await broken()).toEqual([]);
});

test('keepLastIfActive: the last add made while the job was active runs after it', async () => {
  const { queue, worker, counts, broken } = rig();
  const gate = new Gate();
  const ran: string[] = [];
  worker((job, token, signal) => {
    ran.push(job.name);
    return gate.processor(job, token, signal);
  });
  const opts = { deduplication: { id: 'x', keepLastIfActive: true, ttl: 60_000 } };
  await queue.add('one', {}, opts);
  await gate.hasStarted(1);
  for (const name of ['two', 'three']) expect((await queue.add(name, {}, opts)).id).toBe('1');
  await counts({ active: 1, waiting: 0 });
  gate.open('1');
  await gate.hasStarted(2);
  expect(await queue.getDeduplicationJobId('x')).toBe('3');
  gate.open('3');
  await counts({ completed: 2 });
  expect(ran).toEqual(['one', 'three']);
  expect(await queue.getDeduplicationJobId('x')).toBeNull();
  expect(await broken()).toEqual([]);
});

test('keepLastIfActive: a job put off is added also when its id was given a time to live meanwhile', async () => {
  const { queue, worker, counts, broken } = rig();
  const gate = new Gate();
  worker(gate.processor);
  await queue.add('one', {}, { deduplication: { id: 'x' } });
  await gate.hasStarted(1);
  await queue.add('two', {}, { deduplication: { id: 'x', keepLastIfActive: true } });
  await queue.add('three', {}, { deduplication: { id: 'x', ttl: 60_000, extend: true } });
  gate.open('1');
  await gate.hasStarted(2);
  expect(gate.started).toEqual(['1', '2']);
  gate.open('2');
  await counts({ completed: 2 });
  expect(await broken()).toEqual([]);
});

test('an id whose owner was lost does not block', async () => {
  const { queue, redis, prefix } = rig();
  await redis.set(`${prefix}:mail:de:x`, 'lost');
  await redis.set(`${prefix}:mail:de:y`, 'lost', 'PX', 60_000);
  expect((await queue.add('one', {}, { deduplication: { id: 'x' } })).id).toBe('1');
  expect((await queue.add('two', {}, { deduplication: { id: 'y' } })).id).toBe('lost'); // it has a time of its own
});

test('an id can be freed by hand: by anybody, or by the job that owns it', async () => {
  const { queue } = rig();
  const one = await queue.add('one', {}, { deduplication: { id: 'x' } });
  expect(await queue.removeDeduplicationKey('x')).toBe(1);
  expect(await queue.removeDeduplicationKey('x')).toBe(0);
  const two = await queue.add('two', {}, { deduplication: { id: 'x' } });
  expect(await one.removeDeduplicationKey()).toBe(false);
  expect(await two.removeDeduplicationKey()).toBe(true);
  expect(await queue.getDeduplicationJobId('x')).toBeNull();
});

test('removing a job frees its id', async () => {
  const { queue } = rig();
  const one = await queue.add('one', {}, { deduplication: { id: 'x' } });
  await one.remove();
  expect(await queue.getDeduplicationJobId('x')).toBeNull();
});
