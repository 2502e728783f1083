import { queueRef } from '../keys/queue-keys.js';
import type { ExchangeReply, FetchProfile } from '../store/index.js';
import type { Consumer, Pool } from './consumer.js';
import { assign, ConsumerTable, freePlaces, profileKey } from './consumer-table.js';

const nothing = () => undefined;
const empty: ExchangeReply = { codes: [], jobs: [], left: 0, limitedForMs: 0, isBlocked: false, nextDueAt: 0 };
const job = {} as ExchangeReply['jobs'][number];

function consumer(name: string, free = 1, profile: FetchProfile = { lockMs: 1_000 }): Consumer {
  return {
    queue: queueRef(name),
    profile,
    upkeep: { lockRenewMs: 500, stalled: undefined, pollMs: 5_000, maxLimitDelayMs: 2_000 },
    free: () => free,
    deliver: nothing,
    committed: nothing,
    refused: nothing,
    lost: nothing,
    drained: nothing,
    stalled: nothing,
    problem: nothing,
  };
}

function served(one: Consumer): { table: ConsumerTable; pool: Pool } {
  const table = new ConsumerTable();
  return { table, pool: table.register(one) };
}

test('consumers of a queue share a pool if they fetch alike', () => {
  const table = new ConsumerTable();
  const [first, second, named] = [consumer('a'), consumer('a'), consumer('a', 1, { lockMs: 1_000, name: 'w' })].map((one) =>
    table.register(one),
  );
  expect(first).toBe(second);
  expect(named).not.toBe(first);
  expect(freePlaces(first as Pool)).toBe(2);
  expect(profileKey({ lockMs: 1, limiter: { max: 1, durationMs: 2 } })).not.toBe(
    profileKey({ lockMs: 1, limiter: { max: 2, durationMs: 1 } }),
  );
});

describe('what an answer says of its queue', () => {
  test.each([
    { name: 'nothing found, nothing left: idle', want: 2, reply: {}, isReady: false },
    { name: 'jobs left behind: ready', want: 2, reply: { jobs: [job, job], left: 5 }, isReady: true },
    { name: 'all taken: idle', want: 2, reply: { jobs: [job, job] }, isReady: false },
    { name: 'jobs left, but none given: idle, the next hint or poll tells', want: 2, reply: { left: 5 }, isReady: false },
    { name: 'jobs left, but the queue is paused or full: idle', want: 2, reply: { left: 5, isBlocked: true }, isReady: false },
    { name: 'limited: ready, as soon as the limit lifts', want: 2, reply: { left: 5, limitedForMs: 700 }, isReady: true },
    { name: 'outcomes alone learn of jobs left, too', want: 0, reply: { left: 5 }, isReady: true },
  ])('$name', ({ want, reply, isReady }) => {
    const { table, pool } = served(consumer('a'));
    table.learn(pool, want, pool.queue.hints, { ...empty, ...reply }, 1_000, 50);
    expect(pool.queue.isReady).toBe(isReady);
    expect([...table.readyQueues()]).toEqual(isReady ? [pool.queue] : []);
  });

  test('a hint that came while the answer was under way counts more', () => {
    const { table, pool } = served(consumer('a'));
    const { hints } = pool.queue;
    table.markReady(pool.queue);
    table.learn(pool, 2, hints, empty, 1_000, 50);
    expect(pool.queue.isReady).toBe(true);
  });

  test('a limit holds until it lifts, but no longer than consumers allow, and ends with the next answer without one', () => {
    const { table, pool } = served(consumer('a'));
    table.learn(pool, 1, pool.queue.hints, { ...empty, limitedForMs: 700 }, 1_000, 50);
    expect(pool.limitedUntil).toBe(1_700);
    table.learn(pool, 1, pool.queue.hints, { ...empty, limitedForMs: 60_000 }, 1_000, 50);
    expect(pool.limitedUntil).toBe(3_000);
    table.learn(pool, 1, pool.queue.hints, empty, 1_000, 50);
    expect(pool.limitedUntil).toBe(0);
  });
});

test('a queue is forgotten when nobody serves it and nothing is open', () => {
  const one = consumer('a');
  const { table, pool } = served(one);
  pool.wanted = 3;
  expect(table.unregister(one)).toBe(true);
  expect(table.queues.size).toBe(1);
  pool.wanted = 0;
  pool.queue.inHand = 1;
  table.sweep(pool.queue);
  expect(table.queues.size).toBe(1);
  pool.queue.inHand = 0;
  table.sweep(pool.queue);
  expect([table.queues.size, [...table.readyQueues()]]).toEqual([0, []]);
  expect(table.unregister(one)).toBe(false);
});

test('the share of a queue is kept, also when it is told before anybody serves it', () => {
  const table = new ConsumerTable();
  table.setShare('a', 4);
  const pool = table.register(consumer('a'));
  expect(pool.queue.share).toBe(4);
  table.setShare('a', 2);
  expect(pool.queue.share).toBe(2);
});

test('odd jobs go round among consumers that are equally free', () => {
  const table = new ConsumerTable();
  const takers = new Map<Consumer, number>();
  const pool = [consumer('a', 5), consumer('a', 5), consumer('a', 5)].map((one) => table.register(one))[0] as Pool;
  for (let n = 0; n < 6; n++) assign(pool, [n], (one) => void takers.set(one, (takers.get(one) ?? 0) + 1));
  expect([...takers.values()]).toEqual([2, 2, 2]);
});

test('jobs beyond the free places are left over', () => {
  const { pool } = served(consumer('a', 2));
  const given: number[] = [];
  expect(assign(pool, [1, 2, 3], (_, jobs) => void given.push(...jobs))).toEqual([3]);
  expect(given).toEqual([1, 2]);
});
