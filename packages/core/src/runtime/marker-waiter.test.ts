import { queueRef } from '../keys/queue-keys.js';
import { deferred, ManualClock, silentLogger } from '../kit/index.js';
import type { ExchangeReply } from '../store/index.js';
import type { Consumer } from './consumer.js';
import { ConsumerTable } from './consumer-table.js';
import { type MarkerSource, MarkerWaiter } from './marker-waiter.js';

type Popped = { readonly key: string; readonly score: number } | undefined;

const ticks = async (count = 6) => {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
};

/** Our own interface: a blocked call that the test answers. */
class TestSource implements MarkerSource {
  readonly calls: string[][] = [];
  readonly restored: string[] = [];
  unblocks = 0;
  #answer = deferred<Popped>();

  pop(keys: readonly string[]): Promise<Popped> {
    this.calls.push([...keys]);
    this.#answer = deferred();
    return this.#answer.promise;
  }
  async unblock(): Promise<boolean> {
    this.unblocks++;
    this.#answer.resolve(undefined);
    return true;
  }
  async restore(key: string): Promise<void> {
    this.restored.push(key);
  }
  answer(popped: Popped): void {
    this.#answer.resolve(popped);
  }
  fail(): void {
    this.#answer.reject(new Error('connection lost'));
  }
}

function consumer(name: string, places = { free: 1 }): Consumer {
  const nothing = () => undefined;
  return {
    queue: queueRef(name),
    profile: { lockMs: 1_000 },
    upkeep: { lockRenewMs: 500, stalled: undefined, pollMs: 5_000, maxLimitDelayMs: 30_000 },
    free: () => places.free,
    deliver: nothing,
    committed: nothing,
    refused: nothing,
    lost: nothing,
    drained: nothing,
    stalled: nothing,
    problem: nothing,
  };
}

const empty: ExchangeReply = { codes: [], jobs: [], left: 0, limitedForMs: 0, isBlocked: false, nextDueAt: 0 };

function rig() {
  const clock = new ManualClock();
  const table = new ConsumerTable();
  const source = new TestSource();
  const waiter = new MarkerWaiter(source, table, clock, silentLogger, (error) => {
    throw error;
  });
  table.listen({ ready: () => undefined, changed: () => waiter.changed() });
  /** A fetch found the queue as `reply` says. */
  const fetched = (one: Consumer, reply: Partial<ExchangeReply> = {}) => {
    const queue = table.queues.get(one.queue);
    const [pool] = queue?.pools.values() ?? [];
    if (queue && pool) table.learn(pool, 1, queue.hints, { ...empty, ...reply }, clock.now(), clock.monotonic());
  };
  const ready = () => [...table.readyQueues()].map(({ ref }) => ref.name);
  waiter.start();
  return { clock, table, source, waiter, fetched, ready };
}

test('waits for idle queues in one call, and a popped marker makes its queue ready', async () => {
  const { table, source, fetched, ready, waiter } = rig();
  const [a, b] = [consumer('a'), consumer('b')];
  for (const one of [a, b]) {
    table.register(one);
    fetched(one);
  }
  await ticks();
  expect(source.calls).toEqual([['bull:a:marker', 'bull:b:marker']]);
  source.answer({ key: 'bull:b:marker', score: 0 });
  await ticks();
  expect(ready()).toEqual(['b']);
  expect(source.calls.at(-1)).toEqual(['bull:a:marker']);
  fetched(b);
  await ticks();
  expect(source.unblocks).toBe(1); // b is missing from the call
  expect(source.calls.at(-1)).toEqual(['bull:a:marker', 'bull:b:marker']);
  await waiter.stop();
});

test('a queue without a free place is not waited for, and its marker goes back', async () => {
  const { table, source, fetched, ready, waiter } = rig();
  const places = { free: 1 };
  const one = consumer('a', places);
  table.register(one);
  fetched(one);
  await ticks();
  places.free = 0;
  source.answer({ key: 'bull:a:marker', score: 0 });
  await ticks();
  expect([ready(), source.restored]).toEqual([[], ['bull:a:marker']]);
  expect(source.calls).toHaveLength(1);
  places.free = 1;
  waiter.changed();
  await ticks();
  expect(source.calls).toHaveLength(2);
  await waiter.stop();
});

test('a marker of later, and a delayed job a fetch has seen, are waited for by the clock', async () => {
  const { clock, table, source, fetched, ready, waiter } = rig();
  const one = consumer('a');
  table.register(one);
  fetched(one, { nextDueAt: clock.now() + 900 });
  await ticks();
  source.answer({ key: 'bull:a:marker', score: clock.now() + 300 });
  await ticks();
  expect(ready()).toEqual([]);
  clock.advance(299);
  await ticks();
  expect(ready()).toEqual([]);
  clock.advance(1);
  await ticks();
  expect(ready()).toEqual(['a']);
  await waiter.stop();
});

test('an idle queue is asked again after its poll time', async () => {
  const { clock, table, source, fetched, ready, waiter } = rig();
  const one = consumer('a');
  table.register(one);
  fetched(one);
  await ticks();
  clock.advance(5_000);
  source.answer(undefined);
  await ticks();
  expect(ready()).toEqual(['a']);
  await waiter.stop();
});

test('after a lost connection every queue is presumed ready once', async () => {
  const { clock, table, source, fetched, ready, waiter } = rig();
  const one = consumer('a');
  table.register(one);
  fetched(one);
  await ticks();
  source.fail();
  await ticks();
  expect(ready()).toEqual([]);
  clock.advance(1_000);
  await ticks();
  expect(ready()).toEqual(['a']);
  await waiter.stop();
});

test('the call ends when one of its queues is not served any more, so that its hints reach others', async () => {
  const { table, source, fetched, waiter } = rig();
  const [a, b] = [consumer('a'), consumer('b')];
  for (const one of [a, b]) {
    table.register(one);
    fetched(one);
  }
  await ticks();
  table.unregister(b);
  await ticks();
  expect(source.unblocks).toBe(1);
  expect(source.calls.at(-1)).toEqual(['bull:a:marker']);
  await waiter.stop();
});
