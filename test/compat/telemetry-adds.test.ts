/** What flow producers and job schedulers tell their telemetry, on BullMQ 6.7, 5.81 and this engine: the same spans for the same calls. */
import * as drover from '@drover/core';
import * as v5 from 'bullmq-v5';
import * as v6 from 'bullmq-v6';
import { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.js';
import { comparableSpans, type RecordingTelemetry, recordingTelemetry } from '../support/recording-telemetry.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';

type Engine = Pick<typeof v6, 'Queue' | 'Worker' | 'FlowProducer' | 'JobScheduler'>;
const ENGINES = { ours: drover as unknown as Engine, v6, v5: v5 as unknown as Engine };

interface Side {
  readonly engine: Engine;
  readonly telemetry: RecordingTelemetry;
  readonly prefix: string;
  /** Connection, prefix and telemetry. */
  readonly where: { readonly connection: object; readonly prefix: string; readonly telemetry: never };
  /** Closes it when the test ends. */
  using<T extends { close(): Promise<unknown> }>(one: T): T;
}

const { hostname, port } = new URL(testRedisUrl());
const CONNECTION = { host: hostname, port: Number(port), maxRetriesPerRequest: null };
const redis = new Redis(testRedisUrl());
afterAll(() => redis.disconnect());

function sideOf(engine: Engine): Side {
  const telemetry = recordingTelemetry();
  const prefix = freshPrefix();
  const where = { connection: CONNECTION, prefix, telemetry: telemetry as never };
  const using = <T extends { close(): Promise<unknown> }>(one: T): T => {
    (one as unknown as { on(name: string, listener: () => void): void }).on('error', () => undefined);
    atEnd(() => one.close());
    return one;
  };
  return { engine, telemetry, prefix, where, using };
}

const ignore = async (attempt: Promise<unknown>): Promise<void> => void (await attempt.catch(() => undefined));
const spansOf = ({ telemetry }: Side): unknown[] =>
  comparableSpans(telemetry.spans, ['startStalled', 'moveStalled', 'close', 'extendLocks']);
/** Name, `tm` and `omc` of the jobs of these queues, sorted. */
async function carried(prefix: string, ...queues: string[]): Promise<unknown[][]> {
  const keys = (await Promise.all(queues.map((queue) => redis.keys(`${prefix}:${queue}:*`)))).flat();
  const isJob = /:([0-9a-f-]{36}|repeat:[^:]+:\d{13})$/;
  const hashes = await Promise.all(keys.filter((key) => isJob.test(key)).map((key) => redis.hmget(key, 'name', 'opts')));
  const jobs = hashes.map(([name, opts]) => {
    const { tm, omc } = JSON.parse(opts as string) as { tm?: unknown; omc?: unknown };
    return [name, tm === false ? undefined : tm, omc];
  });
  return jobs.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
}

// biome-ignore lint/suspicious/noExplicitAny: the same calls on three classes
type Calls = Record<string, (subject: any) => Promise<unknown>>;
const node = (name: string, queueName: string, more: object = {}) => ({ name, queueName, ...more });
const tree = node('root', 'a', {
  children: [node('mid', 'b', { children: [node('leaf', 'c')] }), node('own', 'b', { opts: { jobId: 'own' }, children: [node('l', 'c')] })],
});

describe('a flow producer', () => {
  const sequences: Calls = {
    'a flow of three levels': (flows) => flows.add(tree),
    'a lone job': (flows) => flows.add(node('lone', 'a')),
    'a prefix of its own': (flows) => flows.add(node('p', 'a', { prefix: 'other', children: [node('c', 'a')] })),
    'a root whose parent is gone': (flows) => ignore(flows.add(node('r', 'a', { opts: { parent: { id: 'none', queue: 'bull:x' } } }))),
    'a job that belongs to another parent': async (flows) => {
      await flows.add(tree);
      await flows.add(node('second', 'a', { children: [node('own', 'b', { opts: { jobId: 'own' }, children: [node('below', 'c')] })] }));
    },
    'a deduplicated root, twice': async (flows) => {
      for (const name of ['d', 'e']) await flows.add(node(name, 'a', { opts: { deduplication: { id: 'x' } } }));
    },
    'flows in bulk': (flows) => flows.addBulk([tree, node('x', 'z', { children: [node('y', 'z')] })]),
    'no flows': (flows) => flows.addBulk([]),
    'reading, and what its jobs do': async (flows) => {
      const { job } = await flows.add(node('p', 'a', { children: [node('c', 'b')] }));
      await flows.getFlow({ queueName: 'a', id: job.id });
      await job.updateProgress(1);
      await job.remove({ removeChildren: true });
      await flows.close();
    },
  };

  test.each(Object.keys(sequences))('tells the same of %s', async (name) => {
    const told = await everyEngine(async (side) => {
      const flows = side.using(new side.engine.FlowProducer(side.where));
      await flows.waitUntilReady();
      await sequences[name]?.(flows);
    });
    expect(told.ours).toEqual(told.v6);
    expect(told.ours).toEqual(told.v5);
  });

  test('lets jobs carry what BullMQ lets those with options carry, and those without as well', async () => {
    const flow = node('root', 'a', {
      opts: {},
      children: [
        node('plain', 'b', { opts: { attempts: 2 }, children: [node('below', 'c', { opts: {} })] }),
        node('omits', 'b', { opts: { telemetry: { omitContext: true } } }),
        node('given', 'b', { opts: { telemetry: { metadata: '["given"]' } } }),
      ],
    });
    const found: unknown[][][] = [];
    for (const engine of Object.values(ENGINES)) {
      const { where, using, prefix } = sideOf(engine);
      await using(new engine.FlowProducer(where)).add(flow);
      found.push(await carried(prefix, 'a', 'b', 'c'));
    }
    expect(found[0]).toEqual(found[1]);
    expect(found[0]).toEqual(found[2]);
    expect(found[0]).toEqual([
      ['below', '["addFlow a","addNode a","addNode b","addNode c"]', undefined],
      ['given', '["given"]', undefined],
      ['omits', undefined, true],
      ['plain', '["addFlow a","addNode a","addNode b"]', undefined],
      ['root', '["addFlow a","addNode a"]', undefined],
    ]);

    const { where, using, prefix } = sideOf(ENGINES.ours);
    const { job } = await using(new drover.FlowProducer(where)).add(node('root', 'a', { children: [node('child', 'b')] }));
    expect(await carried(prefix, 'a', 'b')).toEqual([
      ['child', '["addFlow a","addNode a","addNode b"]', undefined],
      ['root', '["addFlow a","addNode a"]', undefined],
    ]);
    expect(job.opts.telemetry).toEqual({ metadata: '["addFlow a","addNode a"]' });
  });

  test('of a flow that is refused, we tell the flow alone', async () => {
    const flow = node('root', 'a', { children: [node('child', 'b', { opts: { jobId: '0' } })] });
    const told = await everyEngine(async (side) => ignore(side.using(new side.engine.FlowProducer(side.where)).add(flow as never)));
    expect(told.ours).toEqual((told.v6 as unknown[]).slice(0, 1));
    expect(told.ours).toEqual([expect.objectContaining({ name: 'addFlow a', exceptions: 1, ends: 1 })]);
  });
});

describe('job schedulers', () => {
  const NEVER = '0 0 1 1 *';
  const sequences: Calls = {
    'an interval': (queue) => queue.upsertJobScheduler('s', { every: 100_000 }, { name: 'tick', data: { x: 1 } }),
    'the same again, and another interval': async (queue) => {
      for (const every of [100_000, 100_000, 200_000]) await queue.upsertJobScheduler('s', { every });
    },
    'a pattern': (queue) => queue.upsertJobScheduler('s', { pattern: NEVER }, { name: 'tock' }),
    'a template with a trace, and one without any': async (queue) => {
      await queue.upsertJobScheduler('s', { pattern: NEVER }, { name: 'given', opts: { telemetry: { metadata: '["given"]' } } });
      await queue.upsertJobScheduler('t', { every: 100_000 }, { name: 'omits', opts: { telemetry: { omitContext: true } } });
    },
    'a pattern that is none, and a limit that is reached': async (queue) => {
      await ignore(queue.upsertJobScheduler('s', { pattern: 'bad bad' }));
      await ignore(queue.upsertJobScheduler('s', { every: 1_000, limit: 0 }));
    },
    'reads and removal': async (queue) => {
      await queue.upsertJobScheduler('s', { every: 100_000 });
      await queue.getJobScheduler('s');
      await queue.getJobSchedulers();
      await queue.getJobSchedulersCount();
      await queue.removeJobScheduler('s');
      await queue.removeJobScheduler('s');
    },
    'the schedulers behind the queue': async (queue) => {
      const schedulers = await queue.jobScheduler;
      await schedulers.upsertJobScheduler('s', { every: 100_000 }, 'tick', {}, {}, { override: true });
    },
  };

  test.each(Object.keys(sequences))('tell the same of %s', async (name) => {
    const told = await everyEngine(async (side) => {
      const queue = side.using(new side.engine.Queue('mail', side.where));
      await queue.waitUntilReady();
      await sequences[name]?.(queue);
      return carried(side.prefix, 'mail');
    });
    expect(told.ours).toEqual(told.v6);
    expect(told.ours).toEqual(told.v5);
  });

  test('tell the same without a queue', async () => {
    const told = await everyEngine(async (side) => {
      const schedulers = side.using(new side.engine.JobScheduler('mail', side.where));
      await schedulers.upsertJobScheduler('s', { every: 100_000 }, 'tick', {}, {}, { override: true });
      await schedulers.getScheduler('s');
      await schedulers.removeJobScheduler('s');
    });
    expect(told.ours).toEqual(told.v6);
    expect(told.ours).toEqual(told.v5);
  });

  const templates = { plain: {}, given: { telemetry: { metadata: '["given"]' } }, omits: { telemetry: { omitContext: true } } };
  const rules = { every: { every: 100 }, pattern: { pattern: '* * * * * *', immediately: true } };
  const cases = Object.keys(rules).flatMap((rule) => Object.keys(templates).map((template) => [rule, template] as const));

  test.each(cases)('tell the same of the iterations that a worker adds, by %s, of a template that is %s', async (rule, template) => {
    const told: unknown[] = [];
    for (const engine of [ENGINES.ours, ENGINES.v6]) {
      const side = sideOf(engine);
      const queue = side.using(new engine.Queue('mail', side.where));
      const opts = templates[template as keyof typeof templates];
      await queue.upsertJobScheduler('s', { ...rules[rule as keyof typeof rules], limit: 2 }, { name: 'tick', opts });
      const worker = side.using(new engine.Worker('mail', async () => 1, side.where));
      const ended = () => side.telemetry.spans.filter(({ name, ends }) => name === 'process mail' && ends > 0);
      await until(() => ended().length === 2, { what: 'two runs to be told' });
      await worker.close();
      told.push([
        spansOf(side)
          .map((span) => JSON.stringify(span))
          .sort(),
        await carried(side.prefix, 'mail'),
      ]);
    }
    expect(told[0]).toEqual(told[1]);
  });

  test.each(Object.keys(rules))('tell the same of an iteration that is taken by hand, by %s', async (rule) => {
    const told: unknown[] = [];
    for (const engine of [ENGINES.ours, ENGINES.v6]) {
      const side = sideOf(engine);
      const queue = side.using(new engine.Queue('mail', side.where));
      await queue.upsertJobScheduler('s', { ...rules[rule as keyof typeof rules], limit: 2 }, { name: 'tick' });
      const worker = side.using(new engine.Worker('mail', null, side.where));
      const { tracer, contextManager } = side.telemetry;
      const request = tracer.startSpan('request');
      side.telemetry.clear();
      await contextManager.with(request.setSpanOnContext(contextManager.active()), () => worker.getNextJob('t'));
      told.push(spansOf(side).filter((span) => (span as { name: string }).name === 'add mail.tick'));
    }
    expect(told[0]).toEqual(told[1]);
    expect(told[0]).toHaveLength(1);
  });
});

/** What each engine tells of the same sequence, and what that came to. */
async function everyEngine(sequence: (side: Side) => Promise<unknown>): Promise<Record<keyof typeof ENGINES, unknown>> {
  const told: Partial<Record<keyof typeof ENGINES, unknown>> = {};
  for (const [name, engine] of Object.entries(ENGINES)) {
    const side = sideOf(engine);
    const result = await sequence(side);
    expect(side.telemetry.spans.filter(({ ends }) => ends !== 1)).toEqual([]);
    told[name as keyof typeof ENGINES] = result === undefined ? spansOf(side) : [spansOf(side), result];
  }
  return told as Record<keyof typeof ENGINES, unknown>;
}
