import { isAfter, streamPosition } from './stream-position.js';

describe('streamPosition', () => {
  test.each([
    ['$', '$'],
    ['0', '0-0'],
    ['0-0', '0-0'],
    ['1700000000000', '1700000000000-0'],
    ['0017-05', '17-5'],
    ['18446744073709551615-18446744073709551615', '18446744073709551615-18446744073709551615'],
  ])('%s is %s', (value, want) => {
    expect(streamPosition('lastEventId', value)).toBe(want);
  });

  test.each([5, null, '', '+', '1-', '-1', '1-2-3', 'abc', ' 1', '18446744073709551616', '1-18446744073709551616'])(
    '%p is refused',
    (value) => {
      expect(() => streamPosition('lastEventId', value)).toThrow(/^lastEventId must be "\$" or the id of a stream entry/);
    },
  );
});

describe('isAfter', () => {
  test.each([
    ['5-1', '5-0'],
    ['5-10', '5-9'],
    ['10-0', '9-99'],
    ['1700000000001-0', '1700000000000-7'],
    ['18446744073709551615-0', '9999999999999999999-0'],
  ])('%s stands behind %s, not the other way', (later, earlier) => {
    expect(isAfter(later, earlier)).toBe(true);
    expect(isAfter(earlier, later)).toBe(false);
  });

  test('nothing stands behind itself', () => {
    expect(isAfter('5-1', '5-1')).toBe(false);
  });
});
