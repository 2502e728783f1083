import { decodeEvent, readEvent, type StreamEvent } from './decode-event.js';

const event = (...flat: string[]): StreamEvent => {
  const read = readEvent(flat);
  if (!read) throw new Error('no event');
  return read;
};

describe('readEvent', () => {
  test('takes the name apart from the fields', () => {
    const want = { name: 'waiting', jobId: '7', fields: { jobId: '7', prev: 'failed' } };
    expect(readEvent(['event', 'waiting', 'jobId', '7', 'prev', 'failed'])).toEqual(want);
  });

  test('finds the name wherever it stands', () => {
    expect(readEvent(['jobId', '7', 'event', 'stalled'])).toEqual({ name: 'stalled', jobId: '7', fields: { jobId: '7' } });
  });

  test.each([
    { name: 'no fields', flat: [] },
    { name: 'no name', flat: ['jobId', '7'] },
    { name: 'an empty name', flat: ['event', ''] },
    { name: 'a field without a value', flat: ['event'] },
  ])('an entry with $name is no event', ({ flat }) => {
    expect(readEvent(flat)).toBeUndefined();
  });

  test('a field named like a part of every object is a field like any other', () => {
    expect(Object.keys(event('event', 'mine', '__proto__', 'x').fields)).toEqual(['__proto__']);
  });
});

describe('decodeEvent', () => {
  test.each([
    {
      flat: ['event', 'completed', 'jobId', '7', 'returnvalue', '{"a":[1]}', 'prev', 'active'],
      want: { jobId: '7', returnvalue: { a: [1] }, prev: 'active' },
    },
    { flat: ['event', 'completed', 'jobId', '7', 'returnvalue', 'null'], want: { jobId: '7', returnvalue: null } },
    { flat: ['event', 'progress', 'jobId', '7', 'data', '0.5'], want: { jobId: '7', data: 0.5 } },
    { flat: ['event', 'delayed', 'jobId', '7', 'delay', '1700000000000'], want: { jobId: '7', delay: 1_700_000_000_000 } },
    { flat: ['event', 'failed', 'jobId', '7', 'failedReason', '{"a":1}'], want: { jobId: '7', failedReason: '{"a":1}' } },
    { flat: ['event', 'retries-exhausted', 'jobId', '7', 'attemptsMade', '3'], want: { jobId: '7', attemptsMade: '3' } },
    { flat: ['event', 'cleaned', 'count', '12'], want: { count: '12' } },
    { flat: ['event', 'mine', 'jobId', '7', 'data', '1', 'returnvalue', '2'], want: { jobId: '7', data: '1', returnvalue: '2' } },
    { flat: ['event', 'constructor', 'data', '1'], want: { data: '1' } },
    { flat: ['event', 'completed', 'jobId', '7'], want: { jobId: '7' } },
  ])('$flat.1: $want', ({ flat, want }) => {
    expect(decodeEvent(event(...flat))).toEqual({ payload: want });
  });

  test.each([
    { name: 'completed', field: 'returnvalue' },
    { name: 'progress', field: 'data' },
  ])('$field of $name that is not JSON stays the text it is, and is said to be', ({ name, field }) => {
    const { payload, undecodable } = decodeEvent(event('event', name, 'jobId', '7', field, 'raw'));
    expect(payload).toEqual({ jobId: '7', [field]: 'raw' });
    expect(undecodable).toEqual({ field, reason: expect.stringContaining('JSON') });
  });
});
