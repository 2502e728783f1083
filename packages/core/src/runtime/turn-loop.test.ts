import type { FetchedJob, JobRecord } from '../job/index.js';
import { queueRef } from '../keys/queue-keys.js';
import { ManualClock, silentLogger } from '../kit/index.js';
import type { ExchangeCall, ExchangeReply, ExchangeStore } from '../store/index.js';
import type { Consumer, HeldJob } from './consumer.js';
import { ConsumerTable } from './consumer-table.js';
import { LockRenewer } from './lock-renewer.js';
import { Outage } from './outage.js';
import { OutcomeBuffer } from './outcome-buffer.js';
import { TURN_LIMITS } from './plan-turn.js';
import { TurnLoop } from './turn-loop.js';

const queue = queueRef('mail');
const tick = () => new Promise(setImmediate);

function fetched(id: string, token: string): FetchedJob {
  return { record: { id, name: 'job', opts: {}, data: {} } as unknown as JobRecord, token };
}

/** Our own interface, in memory: hands out what it is told to, records what it is asked. */
class MemoryStore implements Pick<ExchangeStore, 'exchange' | 'extendLocks'> {
  readonly calls: ExchangeCall[] = [];
  ready: string[] = [];
  codes: Record<string, number> = {};
  broken: 'connection' | 'call' | undefined;
  gate: Promise<void> | undefined;

  async exchange(calls: readonly ExchangeCall[]): Promise<(ExchangeReply | Error)[]> {
    this.calls.push(...calls);
    const { broken } = this;
    const answers = broken ? [] : calls.map((call) => this.#answer(call));
    await this.gate;
    if (broken === 'connection') throw new Error('connection lost');
    return broken === 'call' ? calls.map(() => new Error('OOM')) : answers;
  }

  async extendLocks(): Promise<string[]> {
    if (this.broken) throw new Error('connection lost');
    return [];
  }

  #answer(call: ExchangeCall): ExchangeReply {
    const jobs = this.ready.splice(0, call.want).map((id) => fetched(id, call.token));
    const codes = call.outcomes.map(({ jobId }) => this.codes[jobId] ?? 0);
    return { codes, jobs, left: this.ready.length, limitedForMs: 0, isBlocked: false, nextDueAt: 0 };
  }
}

class TestConsumer implements Consumer {
  readonly queue = queue;
  readonly profile = { lockMs: 1_000 };
  readonly upkeep = { lockRenewMs: 500, stalled: undefined, pollMs: 5_000, maxLimitDelayMs: 30_000 };
  readonly jobs: HeldJob[] = [];
  readonly told: string[] = [];
  isClosed = false;

  constructor(readonly places: number) {}

  free(): number {
    return this.isClosed ? 0 : this.places - this.jobs.length;
  }
  deliver(jobs: readonly HeldJob[]): void {
    this.jobs.push(...jobs);
  }
  /** A run has ended: its place is free at once. */
  finish(loop: TurnLoop, count = this.jobs.length): void {
    for (const job of this.jobs.splice(0, count)) loop.settle(job, { kind: 'complete', value: 'null', keep: { count: -1 } }, 1);
  }
  committed(job: HeldJob, code: number): void {
    this.told.push(`${job.jobId}:${code}`);
  }
  refused(job: HeldJob, code: number): void {
    this.told.push(`${job.jobId}:refused:${code}`);
  }
  lost(job: HeldJob): void {
    this.told.push(`${job.jobId}:lost`);
  }
  drained(): void {
    this.told.push('drained');
  }
  stalled(): void {}
  problem(error: Error): void {
    this.told.push(error.message);
  }
}

function rig(places = 2) {
  const store = new MemoryStore();
  const clock = new ManualClock();
  const table = new ConsumerTable();
  const buffer = new OutcomeBuffer();
  let loop: TurnLoop;
  const outage = new Outage(
    clock,
    () => loop.wake(),
    () => 0.5,
  );
  const failed = (error: unknown): never => {
    throw error;
  };
  const renewer = new LockRenewer(
    store,
    clock,
    outage,
    silentLogger,
    (job) => (job.phase === 'settled' ? loop.abandon(job) : undefined),
    failed,
  );
  const limits = { ...TURN_LIMITS, laneMin: 4, maxOutcomes: 200, maxJobs: 200 };
  loop = new TurnLoop({ store, table, buffer, renewer, outage, clock, logger: silentLogger, incarnation: 'inc', limits, failed });
  table.listen({ ready: () => loop.wake(), changed: () => undefined });
  const consumer = new TestConsumer(places);
  return { store, clock, table, buffer, outage, renewer, loop, consumer };
}

test('outcomes go out with the wants for the places they freed, and are told when committed', async () => {
  const { store, table, loop, consumer, renewer } = rig();
  store.ready = ['1', '2', '3'];
  table.register(consumer);
  await tick();
  await tick();
  expect(consumer.jobs.map((job) => [job.jobId, job.token])).toEqual([
    ['1', 'inc:1'],
    ['2', 'inc:1'],
  ]);
  expect(renewer.held.size).toBe(2);
  consumer.finish(loop);
  await tick();
  await tick();
  expect(store.calls.map((call) => [call.outcomes.length, call.want])).toEqual([
    [0, 2],
    [2, 2],
  ]);
  expect(consumer.told).toEqual(['1:0', '2:0']);
  expect(consumer.jobs.map((job) => job.jobId)).toEqual(['3']);
  expect(renewer.held.size).toBe(1);
});

test('drained is told once, when nothing is in hand any more', async () => {
  const { store, table, loop, consumer } = rig(1);
  store.ready = ['1'];
  table.register(consumer);
  await tick();
  await tick();
  expect(consumer.told).toEqual([]);
  consumer.finish(loop);
  await tick();
  await tick();
  expect(consumer.told).toEqual(['1:0', 'drained']);
  for (const known of table.queues.values()) table.markReady(known);
  await tick();
  await tick();
  expect(consumer.told).toEqual(['1:0', 'drained']);
});

test('an outcome whose turn was not answered is sent again, with the instant of its first try', async () => {
  const { store, table, loop, consumer, clock, outage } = rig();
  store.ready = ['1'];
  table.register(consumer);
  await tick();
  await tick();
  store.broken = 'connection';
  consumer.finish(loop);
  await tick();
  await tick();
  expect(outage.isOngoing).toBe(true);
  store.broken = undefined;
  clock.advance(100);
  await tick();
  await tick();
  expect(store.calls.slice(-2).map((call) => call.outcomes.map(({ jobId, at }) => [jobId, at]))).toEqual([[['1', 1]], [['1', 1]]]);
  expect(consumer.told[0]).toBe('1:0');
});

test('a second try that finds the job gone was committed by the first, if nothing was to be kept', async () => {
  const { store, table, loop, consumer, clock } = rig();
  store.ready = ['1', '2'];
  table.register(consumer);
  await tick();
  await tick();
  store.broken = 'connection';
  const [first, second] = consumer.jobs.splice(0) as [HeldJob, HeldJob];
  loop.settle(first, { kind: 'complete', value: 'null', keep: { count: 0 } }, 1);
  loop.settle(second, { kind: 'complete', value: 'null', keep: { count: -1 } }, 1);
  await tick();
  await tick();
  store.broken = undefined;
  store.codes = { 1: -1, 2: -1 };
  clock.advance(100);
  await tick();
  await tick();
  expect(consumer.told.slice(0, 2)).toEqual(['1:0', '2:-1']);
});

test('once its lock has run out during an outage, an outcome is given up', async () => {
  const { store, table, loop, consumer, clock, renewer, buffer } = rig();
  store.ready = ['1'];
  table.register(consumer);
  await tick();
  await tick();
  store.broken = 'connection';
  consumer.finish(loop);
  for (let passed = 0; passed < 1_100; passed += 100) {
    await tick();
    await tick();
    clock.advance(100);
    await renewer.renewDue();
  }
  expect(consumer.told).toEqual(['1:-2']);
  expect([buffer.size, renewer.held.size]).toEqual([0, 0]);
});

test('jobs that arrive for a consumer without room go back unstarted', async () => {
  const { store, table, loop, consumer } = rig();
  let open = (): void => undefined;
  store.gate = new Promise((resolve) => {
    open = resolve;
  });
  store.ready = ['1'];
  table.register(consumer);
  await tick();
  consumer.isClosed = true;
  table.unregister(consumer);
  const settled = loop.settleFetches();
  open();
  await settled;
  expect(consumer.jobs).toEqual([]);
  expect(store.calls.at(-1)?.outcomes.map(({ jobId, outcome }) => [jobId, outcome.kind])).toEqual([['1', 'wait']]);
  expect(table.queues.size).toBe(0);
});

test('a call that fails on its own is tried again with fewer outcomes, and told once', async () => {
  const { store, table, loop, consumer, clock } = rig(4);
  store.ready = ['1', '2', '3', '4'];
  table.register(consumer);
  await tick();
  await tick();
  store.broken = 'call';
  consumer.finish(loop);
  await tick();
  await tick();
  clock.advance(60);
  await tick();
  await tick();
  store.broken = undefined;
  clock.advance(200);
  await tick();
  await tick();
  expect(store.calls.map((call) => call.outcomes.length)).toEqual([0, 4, 2, 1, 3]);
  expect(consumer.told.slice(0, 2)).toEqual(['OOM', '1:0']);
});

test('an outcome refused for its children is still held and can be settled anew', async () => {
  const { store, table, loop, consumer, renewer } = rig();
  store.ready = ['1'];
  store.codes = { 1: -4 };
  table.register(consumer);
  await tick();
  await tick();
  const [job] = consumer.jobs as [HeldJob];
  consumer.finish(loop);
  await tick();
  await tick();
  expect(consumer.told).toEqual(['1:refused:-4']);
  expect(renewer.held.has(job)).toBe(true);
  store.codes = {};
  loop.settle(job, { kind: 'wait' }, 2);
  await tick();
  await tick();
  expect(consumer.told[1]).toBe('1:0');
});

test('many free places and one new job cost one fetch', async () => {
  const { store, table, consumer } = rig(500);
  store.gate = tick();
  table.register(consumer);
  await tick();
  await tick();
  await tick();
  expect(store.calls.map((call) => call.want)).toEqual([200]);
});

test('once fetching has stopped, jobs that a turn under way brings go back even if there is room', async () => {
  const { store, table, loop, consumer } = rig();
  let open = (): void => undefined;
  store.gate = new Promise((resolve) => {
    open = resolve;
  });
  store.ready = ['1', '2'];
  table.register(consumer);
  await tick();
  loop.stopFetching();
  const settled = loop.settleFetches();
  open();
  await settled;
  expect(consumer.jobs).toEqual([]);
  expect(store.calls.flatMap((call) => call.outcomes.map(({ jobId, outcome }) => [jobId, outcome.kind]))).toEqual([
    ['1', 'wait'],
    ['2', 'wait'],
  ]);
});
