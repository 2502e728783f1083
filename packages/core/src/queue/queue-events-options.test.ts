import { resolveProducerOptions, resolveQueueEventsOptions } from './queue-events-options.js';

test('defaults are those of BullMQ', () => {
  expect(resolveQueueEventsOptions({})).toEqual({
    connection: { host: '127.0.0.1', port: 6379 },
    runtime: undefined,
    prefix: 'bull',
    isAutorun: true,
    lastEventId: '$',
    blockMs: 10_000,
    skipVersionCheck: false,
  });
});

test.each([
  [{ autorun: 'yes' }, 'autorun must be true or false, got "yes"'],
  [{ blockingTimeout: 0 }, 'blockingTimeout must be an integer from 1'],
  [{ blockingTimeout: '5s' }, 'blockingTimeout must be an integer from 1'],
  [{ lastEventId: 12 }, 'lastEventId must be "$" or the id of a stream entry, such as "1700000000000-0", got 12'],
  [{ prefix: '' }, 'prefix must be a text that is not empty, got ""'],
  [{ connection: 6379 }, 'connection must be a URL, ioredis options or an ioredis client, got 6379'],
  [{ runtime: {} }, 'runtime must be a Runtime, got an object'],
  [{ skipVersionCheck: 1 }, 'skipVersionCheck must be true or false, got 1'],
  [{ lastEventID: '$' }, 'lastEventID must be absent: did you mean "lastEventId"?, got "$"'],
  [{ concurrency: 5 }, 'concurrency must be absent, got 5'],
  ['mail', 'options must be an object, got "mail"'],
])('%j is refused', (options, message) => {
  expect(() => resolveQueueEventsOptions(options as never)).toThrow(message);
});

test('a producer takes no options of a reader', () => {
  expect(resolveProducerOptions({ prefix: 'p' })).toMatchObject({ prefix: 'p' });
  expect(() => resolveProducerOptions({ autorun: false } as never)).toThrow('autorun must be absent, got false');
});
