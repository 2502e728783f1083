import { decodeFetched, decodeJob, FETCHED_FIELDS } from './job-record.js';

test('an empty hash gives the defaults', () => {
  expect(decodeJob('1', {})).toEqual({
    record: {
      id: '1',
      name: '',
      data: {},
      opts: {},
      timestamp: 0,
      delay: 0,
      priority: 0,
      attemptsMade: 0,
      attemptsStarted: 0,
      stalledCounter: 0,
      processedOn: undefined,
      processedBy: undefined,
      finishedOn: undefined,
      progress: 0,
      returnvalue: undefined,
      failedReason: undefined,
      stacktrace: [],
      parentKey: undefined,
      parent: undefined,
      repeatJobKey: undefined,
      deduplicationId: undefined,
      deferredFailure: undefined,
    },
  });
});

test.each([
  { name: 'old attempt counter', fields: { attemptsMade: '2' }, want: { attemptsMade: 2 } },
  { name: 'old stalled counter', fields: { stalledCounter: '3' }, want: { stalledCounter: 3 } },
  { name: 'numbers with a fraction', fields: { delay: '10.7', ats: 'x' }, want: { delay: 10, attemptsStarted: 0 } },
  { name: 'options that PHP wrote empty', fields: { opts: '[]' }, want: { opts: {} } },
  { name: 'a reason that Python quoted', fields: { failedReason: '"it \\"broke\\""' }, want: { failedReason: 'it "broke"' } },
  { name: 'a reason with quotes of its own', fields: { failedReason: '"a" is not "b"' }, want: { failedReason: '"a" is not "b"' } },
  { name: 'a value that Elixir stored raw', fields: { returnvalue: 'ok then' }, want: { returnvalue: 'ok then' } },
  { name: 'null as a value', fields: { returnvalue: 'null' }, want: { returnvalue: null } },
  { name: 'a stack trace that is no list', fields: { stacktrace: '{}' }, want: { stacktrace: [] } },
  {
    name: 'a parent id that is a number',
    fields: { parent: '{"id":7,"queueKey":"bull:q"}' },
    want: { parent: { id: '7', queueKey: 'bull:q' } },
  },
  { name: 'a parent that is no object', fields: { parent: 'x' }, want: { parent: undefined } },
  {
    name: 'options Elixir adds',
    fields: { opts: '{"attempts":2,"bo":1,"remove_on_complete":true}' },
    want: { opts: { attempts: 2, bo: 1, remove_on_complete: true } },
  },
])('it reads $name', ({ fields, want }) => {
  const { record, undecodable } = decodeJob('1', fields);
  expect(record).toMatchObject(want);
  expect(undecodable).toBeUndefined();
});

test.each([
  [{ data: '{oops' }, /^job 1 cannot be decoded: data: /],
  [{ opts: 'null' }, /^job 1 cannot be decoded: options: not an object$/],
])('what cannot be decoded is told: %p', (fields, message) => {
  expect(decodeJob('1', fields).undecodable).toMatch(message);
});

test('a fetched job counts the start that the script has counted', () => {
  const values = FETCHED_FIELDS.map((field) => ({ name: 'n', data: '{"a":1}', ats: '2', stacktrace: '["x"]' })[field as string] ?? null);
  expect(decodeFetched('9', values, 't:1', 5, 'w1')).toEqual({
    token: 't:1',
    record: expect.objectContaining({
      id: '9',
      name: 'n',
      data: { a: 1 },
      attemptsStarted: 3,
      processedOn: 5,
      processedBy: 'w1',
      stacktrace: ['x'],
    }),
  });
});

test('a back-off that is a number, as schedulers of BullMQ hand it on, is a fixed one', () => {
  expect(decodeJob('1', { opts: '{"backoff":500}' }).record.opts).toEqual({ backoff: { type: 'fixed', delay: 500 } });
});
