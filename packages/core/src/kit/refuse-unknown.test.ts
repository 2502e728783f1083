import { refuseUnknown } from './refuse-unknown.js';

const known = new Set(['prefix', 'autorun']);

test('known options pass, also those that are undefined', () => {
  expect(() => refuseUnknown('', { prefix: 'bull', autorun: undefined }, known)).not.toThrow();
});

test('a mistyped option is refused by its path, with the one that was meant', () => {
  expect(() => refuseUnknown('events.', { prefx: 'bull' }, known)).toThrow(
    'events.prefx must be absent: did you mean "prefix"?, got "bull"',
  );
});

test('an option like no other is refused without a guess', () => {
  expect(() => refuseUnknown('', { concurrency: 5 }, known)).toThrow(/^concurrency must be absent, got 5$/);
});
