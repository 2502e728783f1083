import { isConfigFile, parseChange, parseDuration, parseRange, parseWorkers } from './values.js';

describe('parseChange', () => {
  test.each([
    { size: '6', count: undefined, want: { verb: 'scale_to', count: 6 } },
    { size: '0', count: undefined, want: { verb: 'scale_to', count: 0 } },
    { size: 'up', count: undefined, want: { verb: 'scale_up', count: 1 } },
    { size: 'up', count: '4', want: { verb: 'scale_up', count: 4 } },
    { size: 'down', count: undefined, want: { verb: 'scale_down', count: 1 } },
    { size: 'down', count: '100000', want: { verb: 'scale_down', count: 100_000 } },
  ])('scale $size $count', ({ size, count, want }) => {
    expect(parseChange(size, count)).toEqual(want);
  });

  test.each([
    { size: undefined, count: undefined, want: 'how many workers?' },
    { size: '-3', count: undefined, want: '-3 is below zero; to have fewer workers use "scale down 3"' },
    { size: 'abc', count: undefined, want: '"abc" is not a number of workers' },
    { size: '1.5', count: undefined, want: '"1.5" is not a number of workers' },
    { size: '1e3', count: undefined, want: '"1e3" is not a number of workers' },
    { size: '', count: undefined, want: '"" is not a number of workers' },
    { size: 'upp', count: '2', want: 'did you mean "scale up"?' },
    { size: 'dow', count: undefined, want: 'did you mean "scale down"?' },
    { size: 'up', count: 'two', want: 'scale up: "two" is not a number of workers' },
    { size: 'down', count: '-2', want: 'scale down: -2 is below zero' },
    { size: '4', count: '5', want: 'takes one number' },
    { size: '99999999', count: undefined, want: 'up to 1000000' },
  ])('scale $size $count is refused: $want', ({ size, count, want }) => {
    expect(() => parseChange(size, count)).toThrow(want);
  });
});

test.each([
  ['1..4', { min: 1, max: 4 }],
  ['2..', { min: 2 }],
  ['..8', { max: 8 }],
  ['3', { min: 3, max: 3 }],
])('the range %s', (text, want) => {
  expect(parseRange('--processes', text)).toEqual(want);
});

test.each(['', '..', '4..1', '0..3', 'a..b', '1..2..3', '-1', '1.5..2'])('the range %j is refused', (text) => {
  expect(() => parseRange('--processes', text)).toThrow('--processes:');
});

test('workers are a number, or a number per core', () => {
  expect(['3', '0', '1x', '2x'].map((text) => parseWorkers('--workers', text))).toEqual([3, 0, '1x', '2x']);
  for (const text of ['3x', '-1', 'many', '']) expect(() => parseWorkers('--workers', text)).toThrow('--workers: must be');
});

test('durations have a unit, or are ms', () => {
  expect(['1500', '2s', '500ms', '1m'].map((text) => parseDuration('--timeout', text))).toEqual([1500, 2000, 500, 60_000]);
  for (const text of ['soon', '-5s', '5 apples', ''])
    expect(() => parseDuration('--timeout', text)).toThrow('--timeout must be a duration');
});

test('a configuration is told from a processor by its name', () => {
  expect(['drover.config.mjs', 'a/my.config.js', 'x.json'].map(isConfigFile)).toEqual([true, true, true]);
  expect(['mail.js', 'config.js', 'a/processor.mjs'].map(isConfigFile)).toEqual([false, false, false]);
});
