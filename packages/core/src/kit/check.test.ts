import { checked, flag, type Shape, timerMs } from './check.js';
import { InvalidOptionError, positiveInt } from './parse.js';

const SHAPE: Shape<{ count?: number; force?: boolean; ms?: number }> = { count: positiveInt, force: flag, ms: timerMs };

test('what is given comes back; undefined and null count as absent', () => {
  expect(checked('', { count: 2, force: undefined, ms: null }, SHAPE)).toEqual({ count: 2 });
});

test.each([
  ['', null, 'options must be an object, got null'],
  ['limiter', [], 'limiter must be an object, got an array'],
  ['', { counts: 1 }, 'counts must be absent: did you mean "count"?, got 1'],
  ['', { colour: undefined }, 'colour must be absent, got undefined'],
  ['limiter', { force: 1 }, 'limiter.force must be true or false, got 1'],
  ['', { ms: 2 ** 31 }, 'ms must be an integer from 1 to 2147483647, got 2147483648'],
])('%j %j is refused', (option, value, message) => {
  expect(() => checked(option, value, SHAPE)).toThrow(InvalidOptionError);
  expect(() => checked(option, value, SHAPE)).toThrow(message);
});
