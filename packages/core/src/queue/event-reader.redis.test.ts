import { Redis } from 'ioredis';
import { atEnd } from '../../../../test/support/at-end.js';
import { freshPrefix, startOwnRedis, testRedisUrl } from '../../../../test/support/redis.js';
import { until } from '../../../../test/support/until.js';
import { queueKeys, queueRef } from '../keys/queue-keys.js';
import { systemClock } from '../kit/index.js';
import { Connections } from '../redis/index.js';
import { EventReader } from './event-reader.js';
import type { EventSink } from './event-stream.js';

class Heard implements EventSink {
  readonly blockMs = 10_000;
  readonly texts: string[] = [];
  readonly problems: string[] = [];
  isPlaced = false;
  losses = 0;

  entry(_id: string, fields: readonly string[]): void {
    this.texts.push(fields.join(' '));
  }
  placed(): void {
    this.isPlaced = true;
  }
  problem(error: Error): void {
    this.problems.push(error.message);
  }
  offline(): void {
    this.losses++;
  }
  ended(): void {}
}

/** A reader whose clock can be put forward. */
function fixture(url = testRedisUrl()) {
  let aheadMs = 0;
  const clock = { ...systemClock(), monotonic: () => performance.now() + aheadMs };
  const connections = new Connections({ connection: url });
  atEnd(() => connections.close());
  const reader = new EventReader(connections, clock);
  reader.start();
  atEnd(() => reader.stop());
  const redis = new Redis(url);
  atEnd(() => redis.disconnect());
  const prefix = freshPrefix();
  return {
    redis,
    key: (name: string) => queueKeys(queueRef(name, prefix)).events,
    forward: (ms: number) => {
      aheadMs += ms;
    },
    listen: async (name: string): Promise<Heard> => {
      const heard = new Heard();
      reader.subscribe(queueRef(name, prefix), '$', heard);
      return heard;
    },
    placed: (heard: Heard) => until(() => heard.isPlaced, { what: 'the place to be known' }),
  };
}

test('a stream that could not be read is read again once its key is a stream, and reported once', async () => {
  const server = await startOwnRedis();
  const { redis, key, forward, listen, placed } = fixture(server.url);
  const heard = await listen('mail');
  await placed(heard);
  await redis.set(key('mail'), 'no stream'); // ends the waiting read with an error at its next turn
  await placed(await listen('wakes-the-reader-1'));
  await until(() => heard.problems.length > 0, { what: 'the report' });
  forward(5_000);
  await placed(await listen('wakes-the-reader-2'));
  forward(5_000);
  await redis.del(key('mail'));
  await redis.xadd(key('mail'), '*', 'event', 'back');
  await placed(await listen('wakes-the-reader-3'));
  await until(() => heard.texts.length === 1, { what: 'the event' });
  await redis.xadd(key('mail'), '*', 'event', 'again');
  await until(() => heard.texts.length === 2, { what: 'an event that is waited for like all others', limitMs: 5_000 });
  expect(heard.texts).toEqual(['event back', 'event again']);
  expect(heard.problems).toEqual([expect.stringContaining('WRONGTYPE')]);
  const reads = Number(/cmdstat_xread:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1]);
  expect(reads).toBeLessThan(40); // it has waited, not asked in a loop
});

test('a place that could not be found is asked for again, and reported once', async () => {
  const { redis, key, forward, listen, placed } = fixture();
  await redis.set(key('mail'), 'no stream');
  const heard = await listen('mail');
  await until(() => heard.problems.length > 0, { what: 'the report' });
  forward(5_000);
  await placed(await listen('wakes-the-reader-1'));
  await redis.del(key('mail'));
  forward(5_000);
  await placed(await listen('wakes-the-reader-2'));
  await placed(heard);
  expect(heard.problems).toEqual([expect.stringContaining('WRONGTYPE')]);
});

test('a server that lost its last entries, and gives lower ids now, is read on from its end', async () => {
  const { redis, key, listen, placed } = fixture();
  const heard = await listen('mail');
  await placed(heard);
  await redis.xadd(key('mail'), '9999999999999-0', 'event', 'of a clock that ran ahead');
  await until(() => heard.texts.length === 1, { what: 'the first event' });
  await redis.del(key('mail'));
  await redis.xadd(key('mail'), '1000000000000-0', 'event', 'seen by nobody');
  const line = ((await redis.client('LIST')) as string).split('\n').find((each) => each.includes(`name=${key('mail').split(':')[0]}:`));
  await redis.call('CLIENT', 'KILL', 'ID', /^id=(\d+)/.exec(line as string)?.[1] as string);
  await until(() => heard.losses === 1, { what: 'the loss' });
  const late = await listen('wakes-the-reader');
  await placed(late);
  await redis.xadd(key('mail'), '*', 'event', 'next');
  await until(() => heard.texts.length === 2, { what: 'the next event' });
  expect(heard.texts[1]).toBe('event next');
});

test('a server that refuses for a while is asked again, told of once for each reason, and nothing is lost', async () => {
  const server = await startOwnRedis();
  const { redis, key, listen, placed } = fixture(server.url);
  const [heard, other] = [await listen('mail'), await listen('other')];
  await Promise.all([placed(heard), placed(other)]);
  await redis.config('SET', 'replica-serve-stale-data', 'no');
  await redis.xadd(key('mail'), '*', 'event', 'before');
  await redis.replicaof('127.0.0.1', 1);
  const refusals = async (): Promise<number> => Number(/errorstat_MASTERDOWN:count=(\d+)/.exec(await redis.info('errorstats'))?.[1]);
  await until(async () => (await refusals()) > 3, { what: 'several refusals' });
  await redis.replicaof('NO', 'ONE');
  await redis.xadd(key('mail'), '*', 'event', 'after');
  await until(() => heard.texts.length === 2, { what: 'both events' });
  expect(heard.texts).toEqual(['event before', 'event after']);
  expect(heard.problems).toContainEqual(expect.stringContaining('MASTERDOWN'));
  expect(heard.problems).toEqual(other.problems);
  expect(new Set(heard.problems).size).toBe(heard.problems.length);
});
