/** The tables of docs/compatibility.md against what is exported: a name that works is there, and none is missing. */
import { readFileSync } from 'node:fs';
import type { FlowEventMap, QueueEventMap, QueueEventsListener, WorkerEvents } from '@drover/core';
import * as drover from '@drover/core';
import * as v6 from 'bullmq-v6';
import { rig } from '../support/engine.js';
import { testRedisUrl } from '../support/redis.js';

type Status = 'works' | 'differs' | 'ours';

interface Row {
  readonly name: string;
  readonly status: Status;
  readonly notes: string;
}

const TABLES = readTables(readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8'));

/** Rows by the heading they stand under. */
function readTables(text: string): ReadonlyMap<string, readonly Row[]> {
  const tables = new Map<string, Row[]>();
  for (const section of text.split(/^#+ /m).slice(1)) {
    const heading = section.slice(0, section.indexOf('\n'));
    const rows = [...section.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]*)\|$/gm)];
    if (rows.length > 0)
      tables.set(
        heading,
        rows.map(([, name, status, notes]) => ({ name, status, notes: notes?.trim() }) as Row),
      );
  }
  return tables;
}

function rowsOf(heading: string): readonly Row[] {
  const rows = TABLES.get(heading);
  if (!rows) throw new Error(`docs/compatibility.md has no table under "${heading}"`);
  return rows;
}

const named = (heading: string, ...statuses: Status[]) =>
  rowsOf(heading)
    .filter(({ status }) => statuses.includes(status))
    .map(({ name }) => name);

/** Names of an instance that are declared by its class and those above it, up to the emitter. */
function membersOf(instance: object): Set<string> {
  const members = new Set(Object.keys(instance).filter((name) => !name.startsWith('_')));
  for (let each = Object.getPrototypeOf(instance); each && each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    if (Object.hasOwn(each, 'listenerCount')) break; // the emitter
    for (const name of Object.getOwnPropertyNames(each)) members.add(name);
  }
  members.delete('constructor');
  return members;
}

test('every row has a known status, once, and notes unless it works', () => {
  for (const [heading, rows] of TABLES) {
    const names = rows.map(({ name }) => name);
    expect({ heading, twice: names.filter((name, at) => names.indexOf(name) !== at) }).toEqual({ heading, twice: [] });
    for (const { name, status, notes } of rows) {
      expect({ heading, name, isKnown: ['works', 'differs', 'ours'].includes(status), status }).toMatchObject({ isKnown: true });
      if (status === 'differs') expect({ heading, name, notes }).toEqual({ heading, name, notes: expect.stringMatching(/./) });
    }
  }
});

test('exports', () => {
  for (const name of named('Exports', 'works')) expect(Object.keys(drover)).toContain(name);
});

test('error codes and times have the values of BullMQ', () => {
  const numbers = (values: object) => Object.fromEntries(Object.entries(values).filter(([, value]) => typeof value === 'number'));
  expect(numbers(drover.ErrorCode)).toEqual(numbers(v6.ErrorCode));
  expect(numbers(drover.MetricsTime)).toEqual(numbers(v6.MetricsTime));
});

describe('methods and properties', () => {
  const make: Record<string, () => Promise<object>> = {
    Queue: async () => rig().queue,
    Worker: async () => rig().worker(async () => 1),
    Job: async () => rig().queue.add('a', {}, { jobId: 'one' }),
    QueueEvents: async () => closing(new drover.QueueEvents('mail', { connection: testRedisUrl() })),
    FlowProducer: async () => closing(new drover.FlowProducer({ connection: testRedisUrl() })),
    JobScheduler: async () => closing(new drover.JobScheduler('mail', { connection: testRedisUrl() })),
    QueueEventsProducer: async () => closing(new drover.QueueEventsProducer('mail', { connection: testRedisUrl() })),
  };
  const opened: { close(): Promise<unknown> }[] = [];
  const closing = <T extends { close(): Promise<unknown> }>(one: T): T => {
    opened.push(one);
    return one;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });

  test.each(Object.keys(make))('of %s', async (name) => {
    const instance = await (make[name] as () => Promise<object>)();
    const heading = `Methods and properties of ${name}`;
    const offered = named(heading, 'works', 'ours').filter((member) => !(member in instance));
    expect({ missing: offered }).toEqual({ missing: [] });
    const emitters = new Set(['on', 'once', 'off', 'opts']);
    const untold = [...membersOf(instance)].filter(
      (member) => !emitters.has(member) && !rowsOf(heading).some((row) => row.name === member),
    );
    expect({ untold }).toEqual({ untold: [] });
  });

  test.each([drover.Worker, drover.Job])('static ones of %p', (ofClass) => {
    const statics = named(`Static methods of ${ofClass.name}`, 'works');
    expect(statics.filter((member) => typeof Reflect.get(ofClass, member) !== 'function')).toEqual([]);
  });
});

describe('options', () => {
  const known = (name: string): Record<string, undefined> => ({ [name]: undefined });
  /** Without `connection`: every test here has one, and there is no server where it is missing. */
  const all = (heading: string) => rowsOf(heading).flatMap(({ name }) => (name === 'connection' ? [] : [name]));

  test.each(all('Options of Queue'))('%s of Queue', (name) => {
    expect(() => rig('mail', known(name))).not.toThrow();
  });
  test.each(all('Options of Worker'))('%s of Worker', (name) => {
    expect(() => rig().worker(async () => 1, known(name))).not.toThrow();
  });
  test.each(all('Options of jobs'))('%s of a job', async (name) => {
    await expect(rig().queue.add('a', {}, known(name))).resolves.toBeInstanceOf(drover.Job);
  });
  test.each(all('Options of schedulers').filter((name) => name !== 'every'))('%s of a scheduler', async (name) => {
    await expect(rig().queue.upsertJobScheduler('s', { every: 1_000, ...known(name) })).resolves.toBeInstanceOf(drover.Job);
  });
  test.each(all('Options of QueueEvents'))('%s of QueueEvents', async (name) => {
    const events = new drover.QueueEvents('mail', { connection: testRedisUrl(), ...known(name) });
    await events.close();
  });

  test.each(all('Options of FlowProducer'))('%s of FlowProducer', async (name) => {
    const flows = new drover.FlowProducer({ connection: testRedisUrl(), ...known(name) });
    await flows.close();
  });
  test('of a flow, and its members', async () => {
    const { prefix, url } = rig();
    const flows = new drover.FlowProducer({ connection: url, prefix });
    const absent = (heading: string) => Object.fromEntries(all(heading).map((name) => [name, undefined]));
    const flow = { ...absent('Members of a flow'), name: 'a', queueName: 'mail' };
    await expect(flows.add(flow, absent('Options of a flow'))).resolves.toHaveProperty('job.name', 'a');
    await flows.close();
  });

  test('and no others', async () => {
    const { queue, worker } = rig();
    const unknown = { concurency: 1 } as object;
    expect(() => rig('mail', unknown)).toThrow(drover.InvalidOptionError);
    expect(() => worker(async () => 1, unknown)).toThrow('did you mean "concurrency"?');
    await expect(queue.add('a', {}, unknown)).rejects.toThrow(drover.InvalidOptionError);
    await expect(queue.upsertJobScheduler('s', { every: 1_000, ...unknown })).rejects.toThrow(drover.InvalidOptionError);
  });
});

/** Kept complete by the compiler: a name more or less in the type is an error here. */
const events = {
  Queue: { waiting: 0, progress: 0, removed: 0, cleaned: 0, paused: 0, resumed: 0, error: 0, 'ioredis:close': 0 } satisfies Record<
    keyof QueueEventMap,
    0
  >,
  Worker: {
    ...{ active: 0, completed: 0, failed: 0, progress: 0, stalled: 0, drained: 0, error: 0, paused: 0, resumed: 0 },
    ...{ closing: 0, closed: 0, ready: 0, 'ioredis:close': 0, lockRenewalFailed: 0, locksRenewed: 0 },
  } satisfies Record<keyof WorkerEvents<unknown, unknown, string>, 0>,
  FlowProducer: { error: 0, 'ioredis:close': 0 } satisfies Record<keyof FlowEventMap, 0>,
  QueueEvents: {
    ...{ added: 0, waiting: 0, delayed: 0, active: 0, progress: 0, completed: 0, failed: 0, 'retries-exhausted': 0, stalled: 0 },
    ...{ 'waiting-children': 0, drained: 0, paused: 0, resumed: 0, removed: 0, cleaned: 0, duplicated: 0, deduplicated: 0, debounced: 0 },
    ...{ error: 0, 'ioredis:close': 0 },
  } satisfies Record<Exclude<keyof QueueEventsListener, `${string}:${string}`> | 'ioredis:close', 0>,
};

test.each(Object.entries(events))('events of %s', (name, known) => {
  expect(
    rowsOf(`Events of ${name}`)
      .map((row) => row.name)
      .sort(),
  ).toEqual(Object.keys(known).sort());
});
