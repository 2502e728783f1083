import { Queue, QueueEvents, type QueueEventsListener, type QueueEventsOptions, QueueEventsProducer } from '@drover/core';
import { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.js';
import { collect, ownRuntime, within } from '../support/engine.js';
import { freshPrefix, startOwnRedis, testRedisUrl } from '../support/redis.js';
import { next, until } from '../support/until.js';

const utf8 = (fields: readonly string[]): string => fields.join(' ');

/** A stream of its own, and listeners to it. */
function fixture({ url = testRedisUrl(), name = 'mail' } = {}) {
  const prefix = freshPrefix();
  const redis = new Redis(url);
  redis.on('error', () => undefined); // a test may stop its server
  atEnd(() => redis.disconnect());
  return {
    prefix,
    redis,
    key: `${prefix}:${name}:events`,
    write: (...fields: string[]) => redis.xadd(`${prefix}:${name}:events`, '*', ...fields) as Promise<string>,
    events: (options: QueueEventsOptions = {}, queue = name): QueueEvents => {
      const events = new QueueEvents(queue, { ...(options.runtime ? {} : { connection: url }), prefix, ...options });
      atEnd(() => events.close());
      return events;
    },
    producer: (queue = name): QueueEventsProducer => {
      const producer = new QueueEventsProducer(queue, { connection: url, prefix });
      atEnd(() => producer.close());
      return producer;
    },
  };
}

/** What arrives under a name of the test's own. */
function heard(events: QueueEvents, name = 'tick'): string[] {
  const numbers: string[] = [];
  (events as { on(event: string, listener: (payload: { n: string }) => void): unknown }).on(name, ({ n }) => numbers.push(n));
  return numbers;
}

const count = (upTo: number, from = 0): string[] => Array.from({ length: upTo - from }, (_, n) => String(from + n));

describe('where listening begins', () => {
  test('at the end of the stream by default: nothing from before, everything from then on', async () => {
    const { events, write } = fixture();
    await write('event', 'tick', 'n', 'before');
    const one = events();
    const ticks = heard(one);
    await one.waitUntilReady();
    for (const n of count(50)) await write('event', 'tick', 'n', n);
    await until(() => ticks.length >= 50, { what: '50 ticks' });
    expect(ticks).toEqual(count(50));
  });

  test('each listener of a queue has a place of its own', async () => {
    const { events, write } = fixture();
    const ids: string[] = [];
    for (const n of count(500)) ids.push(await write('event', 'tick', 'n', n));
    const latest = events();
    const [atLatest, atMiddle, atStart] = [
      heard(latest),
      heard(events({ lastEventId: ids[249] as string })),
      heard(events({ lastEventId: '0' })),
    ];
    await latest.waitUntilReady();
    for (const n of count(520, 500)) await write('event', 'tick', 'n', n);
    await until(() => atLatest.length + atMiddle.length + atStart.length >= 20 + 270 + 520, { what: 'all ticks' });
    expect(atLatest).toEqual(count(520, 500));
    expect(atMiddle).toEqual(count(520, 250));
    expect(atStart).toEqual(count(520));
  });

  test('a listener that comes while the others wait does not wait with them', async () => {
    const { events, write } = fixture();
    await events({ blockingTimeout: 600_000 }, 'quiet').waitUntilReady();
    const late = events({ blockingTimeout: 600_000 });
    const ticks = heard(late);
    let isReady = false;
    const ready = late.waitUntilReady().then(() => {
      isReady = true;
    });
    await until(() => isReady, { what: 'the listener to be ready', limitMs: 5_000 });
    await ready;
    await write('event', 'tick', 'n', '1');
    await until(() => ticks.length === 1, { what: 'the tick', limitMs: 5_000 });
  });

  test('without autorun it begins with run()', async () => {
    const { events, write } = fixture();
    const one = events({ autorun: false });
    const ticks = heard(one);
    await one.waitUntilReady();
    expect(one.isRunning()).toBe(false);
    await write('event', 'tick', 'n', 'before');
    const running = one.run();
    await expect(one.run()).rejects.toThrow('the queue events of mail run already');
    await one.waitUntilReady();
    await write('event', 'tick', 'n', 'after');
    await until(() => ticks.length > 0, { what: 'a tick' });
    await one.close();
    await running;
    expect(ticks).toEqual(['after']);
  });
});

describe('what an entry becomes', () => {
  test('an event of a job is told under its name and under that of the job, with the id of the entry', async () => {
    const { events, write } = fixture();
    const one = events();
    const [all, ofSeven, ofEight] = [collect(one, 'completed'), collect(one, 'completed:7'), collect(one, 'completed:8')];
    await one.waitUntilReady();
    const id = await write('event', 'completed', 'jobId', '7', 'returnvalue', '{"a":1}', 'prev', 'active');
    await until(() => ofSeven.length === 1, { what: 'the event of the job' });
    const want = [{ jobId: '7', returnvalue: { a: 1 }, prev: 'active' }, id];
    expect([all, ofSeven, ofEight]).toEqual([[want], [want], []]);
  });

  test('a value that is not JSON is told as text, reported once for each event, and reading goes on', async () => {
    const { events, write } = fixture();
    const one = events();
    const [completed, progress, errors, drained] = [
      collect(one, 'completed'),
      collect(one, 'progress'),
      collect(one, 'error'),
      next(one as never, 'drained'),
    ];
    await one.waitUntilReady();
    await write('event', 'completed', 'jobId', '1', 'returnvalue', 'ok');
    await write('event', 'completed', 'jobId', '2', 'returnvalue', '{:ok}');
    await write('event', 'progress', 'jobId', '3', 'data', '%{half: 1}');
    await write('event', 'completed', 'jobId', '4', 'returnvalue', '4');
    const id = await write('event', 'drained');
    expect(await drained).toEqual([id]);
    expect(completed.map(([payload]) => payload)).toEqual([
      { jobId: '1', returnvalue: 'ok' },
      { jobId: '2', returnvalue: '{:ok}' },
      { jobId: '4', returnvalue: 4 },
    ]);
    expect(progress[0]?.[0]).toEqual({ jobId: '3', data: '%{half: 1}' });
    expect(errors.map(([error]) => (error as Error).message)).toEqual([
      expect.stringMatching(/^queue mail: the returnvalue of job 1 in the event completed is not JSON and is passed on as text/),
      expect.stringMatching(/^queue mail: the data of job 3 in the event progress is not JSON/),
    ]);
  });

  test('an entry cannot pass for an error of the listener itself, nor is one without a name told', async () => {
    const { events, write } = fixture();
    const one = events();
    const errors = collect(one, 'error');
    const ticks = heard(one);
    await one.waitUntilReady();
    await write('event', 'error', 'message', 'mine');
    await write('jobId', '5');
    await write('event', 'tick', 'n', '1');
    await until(() => ticks.length === 1, { what: 'the tick' });
    expect(errors).toEqual([[expect.objectContaining({ code: 'UNDECODABLE_EVENT' })]]);
  });

  test('what a listener throws or rejects with is an error event, and no other listener misses anything', async () => {
    const { events, write } = fixture();
    const [one, other] = [events(), events()];
    const errors = collect(one, 'error');
    one.on('waiting', () => {
      throw new Error('thrown');
    });
    one.on('waiting', async () => {
      throw new Error('rejected');
    });
    const [mine, others] = [collect(one, 'waiting'), collect(other, 'waiting')];
    await Promise.all([one.waitUntilReady(), other.waitUntilReady()]);
    await write('event', 'waiting', 'jobId', '1');
    await write('event', 'waiting', 'jobId', '2');
    await until(() => mine.length === 2 && others.length === 2 && errors.length === 4, { what: 'two events and four errors' });
    expect(errors.map(([error]) => (error as Error).message).sort()).toEqual(['rejected', 'rejected', 'thrown', 'thrown']);
  });

  test('a listener added with once is called once', async () => {
    const { events, write } = fixture();
    const one = events();
    const told: string[] = [];
    one.once('waiting', ({ jobId }) => told.push(jobId));
    const all = collect(one, 'waiting');
    await one.waitUntilReady();
    await write('event', 'waiting', 'jobId', '1');
    await write('event', 'waiting', 'jobId', '2');
    await until(() => all.length === 2, { what: 'both events' });
    expect(told).toEqual(['1']);
  });
});

describe('events of the application', () => {
  interface MyEvents extends QueueEventsListener {
    shipped: (payload: { orderId: string; boxes: string }, id: string) => void;
  }

  test('are written by the producer, as texts, and told like all others', async () => {
    const { events, producer, redis, key } = fixture();
    const one = events();
    const shipped = new Promise((resolve) => one.on<MyEvents, 'shipped'>('shipped', (payload) => resolve(payload)));
    await one.waitUntilReady();
    await producer().publishEvent({ eventName: 'shipped', orderId: 'o-1', boxes: 2, note: undefined });
    expect(await shipped).toEqual({ orderId: 'o-1', boxes: '2' });
    expect((await redis.xrange(key, '-', '+')).map(([, fields]) => utf8(fields))).toEqual(['event shipped orderId o-1 boxes 2']);
  });

  test('keep the stream at about the length that is asked for', async () => {
    const { producer, redis, key } = fixture();
    const one = producer();
    await Promise.all(count(1_000).map((n) => one.publishEvent({ eventName: 'tick', n }, 200)));
    expect(await redis.xlen(key)).toBeLessThan(400);
    await Promise.all(count(500).map((n) => one.publishEvent({ eventName: 'tick', n })));
    expect(await redis.xlen(key)).toBeGreaterThan(600);
  });

  test.each([
    [{}, 'eventName must be a text, got undefined'],
    [{ eventName: '' }, 'eventName must be a text, got ""'],
    [{ eventName: 'error' }, 'eventName must be another name'],
    [{ eventName: 'mine', event: 'x' }, 'event must be absent: the name of the event is given as `eventName`, got "x"'],
    [{ eventName: 'mine', order: { id: 1 } }, 'order must be a text, a number or a boolean, got an object'],
  ])('%j is refused', async (event, message) => {
    await expect(
      fixture()
        .producer()
        .publishEvent(event as never),
    ).rejects.toThrow(message);
  });

  test('a limit that is none is refused', async () => {
    await expect(fixture().producer().publishEvent({ eventName: 'mine' }, -1)).rejects.toThrow(
      'maxEvents must be an integer of at least 0, got -1',
    );
  });
});

describe('connections', () => {
  const connected = async (redis: Redis): Promise<number> => (((await redis.client('LIST')) as string).match(/^id=/gm) ?? []).length;

  test.each([1_000, 2_500])('%d listeners of as many queues read with one connection', async (many) => {
    const { url } = await startOwnRedis({ appendonly: false });
    const { redis, events, prefix } = fixture({ url });
    const all = count(many).map((n) => events({}, `queue-${n}`));
    const ticks = all.map((each) => heard(each));
    await Promise.all(all.map((each) => each.waitUntilReady()));
    expect(await connected(redis)).toBe(3); // the test's own, the command connection, the stream connection
    expect(await redis.client('LIST')).toContain(`name=${prefix}:${Buffer.from('queue-0').toString('base64')}:qe `);
    const pipeline = redis.pipeline();
    for (const round of ['first', 'second'])
      for (const n of count(many)) pipeline.xadd(`${prefix}:queue-${n}:events`, '*', 'event', 'tick', 'n', round);
    await pipeline.exec();
    await until(() => ticks.every(({ length }) => length === 2), { what: 'two ticks of each queue' });
    expect(ticks.every((each) => each.join() === 'first,second')).toBe(true);
    await Promise.all(all.map((each) => each.close()));
    await until(async () => (await connected(redis)) === 1, { what: 'the connections to end' });
  });

  test('it ends with the last listener, while a queue goes on with the rest, and comes back with the next', async () => {
    const { url } = await startOwnRedis({ appendonly: false });
    const { redis, events, prefix } = fixture({ url });
    const queue = new Queue('mail', { connection: url, prefix });
    atEnd(() => queue.close());
    const [one, other] = [events(), events()];
    await Promise.all([queue.waitUntilReady(), one.waitUntilReady(), other.waitUntilReady()]);
    expect(await connected(redis)).toBe(3);
    await one.close();
    expect(await connected(redis)).toBe(3);
    await other.close();
    await until(async () => (await connected(redis)) === 2, { what: 'the stream connection to end' });
    const late = events();
    const added = collect(late, 'added');
    await late.waitUntilReady();
    await queue.add('a', {});
    await until(() => added.length === 1, { what: 'the event' });
  });

  test('the connection is named after another queue once its own has no listener left', async () => {
    const { events, redis, prefix } = fixture();
    const named = async (queue: string): Promise<boolean> =>
      ((await redis.client('LIST')) as string).includes(`name=${prefix}:${Buffer.from(queue).toString('base64')}:qe `);
    const first = events({ blockingTimeout: 50 }, 'first');
    await first.waitUntilReady();
    expect(await named('first')).toBe(true);
    await events({ blockingTimeout: 50 }, 'second').waitUntilReady();
    await first.close();
    await until(() => named('second'), { what: 'the new name' });
  });

  test('Redis is killed and comes back: everything written is told once, in order', async () => {
    const server = await startOwnRedis();
    const { events, producer } = fixture({ url: server.url });
    const queues = ['a', 'b', 'c'];
    const listeners = queues.map((queue) => events({}, queue));
    const lost = listeners.map((each) => collect(each, 'ioredis:close'));
    for (const each of listeners) each.on('error', () => undefined);
    const told = listeners.map((each) => heard(each));
    await Promise.all(listeners.map((each) => each.waitUntilReady()));
    const written = queues.map((): string[] => []);
    const publish = async (from: number, to: number): Promise<void> => {
      await Promise.all(
        queues.map(async (queue, at) => {
          const own = producer(queue);
          for (const n of count(to, from)) {
            await own.publishEvent({ eventName: 'tick', n }, 100_000);
            written[at]?.push(n);
          }
        }),
      );
    };
    const interrupted = publish(0, 100_000);
    await until(() => told.every(({ length }) => length > 300), { what: 'the first events', everyMs: 1 });
    await Promise.all([expect(interrupted).rejects.toThrow(), server.kill()]);
    await until(() => lost.every(({ length }) => length === 1), { what: 'the loss to be told' });
    await server.restart();
    await publish(200_000, 200_300);
    for (const [at, each] of told.entries()) {
      await until(() => each.at(-1) === '200299', { what: 'the last event' });
      expect(new Set(each).size).toBe(each.length);
      expect(each.map(Number)).toEqual(each.map(Number).sort((a, b) => a - b));
      expect(each).toEqual(expect.arrayContaining(written[at] as string[]));
    }
  });

  test('a reader that is cut off again and again skips and repeats nothing', async () => {
    const { events, write, redis } = fixture();
    const one = events();
    const ticks = heard(one);
    const losses = collect(one, 'ioredis:close');
    await one.waitUntilReady();
    for (let round = 0; round < 3; round++) {
      for (const n of count((round + 1) * 100, round * 100)) await write('event', 'tick', 'n', n);
      const line = ((await redis.client('LIST')) as string)
        .split('\n')
        .find((each) => each.includes(`name=${one.qualifiedName.split(':')[0]}:`));
      const [, id] = /^id=(\d+)/.exec(line ?? '') ?? [];
      await redis.call('CLIENT', 'KILL', 'ID', id as string);
      for (const n of count((round + 1) * 100 + 50, (round + 1) * 100)) await write('event', 'tick', 'n', `extra-${n}`);
      await until(() => losses.length === round + 1, { what: 'the loss' });
      await until(() => ticks.at(-1) === `extra-${(round + 1) * 100 + 49}`, { what: 'the last event of the round' });
    }
    expect(ticks.filter((n) => !n.startsWith('extra'))).toEqual(count(300));
    expect(new Set(ticks).size).toBe(450);
  });

  test('it can be made before Redis is there', async () => {
    const server = await startOwnRedis();
    await server.kill();
    const { events, redis, write } = fixture({ url: server.url });
    const one = events();
    const errors = collect(one, 'error');
    const ticks = heard(one);
    await until(() => errors.length > 0, { what: 'the refused connection to be told' });
    await server.restart();
    await one.waitUntilReady();
    await until(() => redis.status === 'ready', { what: 'the connection of the test' });
    await write('event', 'tick', 'n', '1');
    await until(() => ticks.length === 1, { what: 'the tick' });
  });

  test('it closes while Redis is away, and whoever waits for it is told', async () => {
    const server = await startOwnRedis();
    await server.kill();
    const one = fixture({ url: server.url }).events();
    one.on('error', () => undefined);
    const ready = expect(one.waitUntilReady()).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    await one.close();
    await ready;
    await expect(one.run()).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  });

  test('a queue whose stream is no stream is reported, and disturbs no other', async () => {
    const { events, write, redis, prefix } = fixture();
    const [good, bad, turning] = [events(), events({}, 'bad'), events({}, 'turning')];
    const [atGood, atTurning] = [heard(good), heard(turning)];
    const [errorsOfGood, errorsOfBad, errorsOfTurning] = [collect(good, 'error'), collect(bad, 'error'), collect(turning, 'error')];
    await redis.set(`${prefix}:bad:events`, 'not a stream'); // before its place is known, or after: either way
    await Promise.all([good.waitUntilReady(), turning.waitUntilReady()]);
    await redis.xadd(`${prefix}:turning:events`, '*', 'event', 'tick', 'n', '1');
    await until(() => atTurning.length === 1, { what: 'a stream that can still be read' });
    await redis.multi().del(`${prefix}:turning:events`).set(`${prefix}:turning:events`, 'not a stream').exec();
    for (const n of count(20)) {
      await write('event', 'tick', 'n', n);
      await until(() => atGood.length === Number(n) + 1, { what: `tick ${n}` });
    }
    await until(() => errorsOfBad.length === 1 && errorsOfTurning.length === 1, { what: 'both to be reported' });
    expect(errorsOfTurning[0]?.[0]).toMatchObject({ code: 'COMMAND_FAILED', message: expect.stringContaining(`${prefix}:turning:events`) });
    expect(errorsOfGood).toEqual([]);
  });
});

describe('the end', () => {
  test('after close nothing is told, and closing twice is closing once', async () => {
    const { events, write } = fixture();
    const [one, other] = [events(), events()];
    const [ticks, others] = [heard(one), heard(other)];
    await Promise.all([one.waitUntilReady(), other.waitUntilReady()]);
    const closing = one.close();
    expect(one.close()).toBe(closing);
    await write('event', 'tick', 'n', '1');
    await until(() => others.length === 1, { what: 'the other to hear it' });
    await closing;
    expect(ticks).toEqual([]);
    expect(one.isRunning()).toBe(false);
  });

  test('it ends with the runtime it was given', async () => {
    const runtime = ownRuntime();
    const { events } = fixture();
    const one = events({ runtime, autorun: false });
    const errors = collect(one, 'error');
    const ended = one.run();
    await one.waitUntilReady();
    await runtime.stop(within(1_000));
    await ended;
    expect(errors).toEqual([[expect.objectContaining({ code: 'CONNECTION_CLOSED' })]]);
    const late = events({ runtime, autorun: false });
    late.on('error', () => undefined);
    await late.run();
  });

  test('runtime and connection exclude each other', () => {
    expect(() => new QueueEvents('mail', { runtime: ownRuntime(), connection: testRedisUrl() })).toThrow(
      'connection must be absent when `runtime` is given',
    );
  });
});
