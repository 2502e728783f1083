import { UnrecoverableError } from '../errors/index.js';
import { decodeThrown, encodeThrown, isThrown } from './thrown.js';

/** Over a channel that only knows JSON. */
const across = (thrown: unknown): unknown => decodeThrown(JSON.parse(JSON.stringify(encodeThrown(thrown))));

test('an error keeps its name, message, stack, properties and cause', () => {
  const cause = new RangeError('too far');
  const error = Object.assign(new TypeError('bad', { cause }), { code: 'EBAD', at: { line: 3 } });
  const arrived = across(error) as TypeError & { code: string; at: object };
  expect(arrived).toBeInstanceOf(Error);
  expect([arrived.name, arrived.message, arrived.stack]).toEqual([error.name, error.message, error.stack]);
  expect([arrived.code, arrived.at]).toEqual(['EBAD', { line: 3 }]);
  expect(arrived.cause).toMatchObject({ name: 'RangeError', message: 'too far' });
  expect(Object.keys(arrived)).toEqual(['code', 'at']);
});

test('what steers a job comes back as its class', () => {
  expect(across(new UnrecoverableError('no more'))).toBeInstanceOf(UnrecoverableError);
  expect(across(Object.assign(new Error('no more'), { name: 'UnrecoverableError' }))).toBeInstanceOf(UnrecoverableError);
  expect(across(new Error('bullmq:rateLimitExceeded'))).toMatchObject({ message: 'bullmq:rateLimitExceeded' });
});

test.each([['a text'], [7], [null], [undefined], [{ any: ['thing'] }]])('%j is thrown as it is', (thrown) => {
  expect(across(thrown)).toEqual(thrown);
});

test('what JSON cannot write is left out, or becomes a text; circular causes end', () => {
  const error: Error & { self?: unknown; big?: unknown } = new Error('odd');
  error.self = error;
  error.big = 1n;
  error.cause = error;
  expect(across(error)).toMatchObject({ message: 'odd', cause: { message: 'odd' } });
  expect(Object.keys(across(error) as object)).toEqual([]);
  expect(across(7n)).toBe('7');
});

test.each([[undefined], [null], ['error'], [{ kind: 'error' }], [{ kind: 'other', message: '' }]])('%j is none', (value) => {
  expect(isThrown(value)).toBe(false);
});
