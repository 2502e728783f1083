import { decodeFrame, encodeFrame, FrameError, FrameReader, plainCopy } from './framing.js';

const feed = (reader: FrameReader, ...chunks: string[]): string[] => chunks.flatMap((chunk) => reader.push(Buffer.from(chunk)));

describe('FrameReader', () => {
  test.each([
    { name: 'a line in one chunk', chunks: ['{"a":1}\n'], want: ['{"a":1}'] },
    { name: 'two lines in one chunk', chunks: ['1\n2\n'], want: ['1', '2'] },
    { name: 'a line over three chunks', chunks: ['{"a"', ':', '1}\n'], want: ['{"a":1}'] },
    { name: 'a line end at the start of a chunk', chunks: ['1', '\n2\n'], want: ['1', '2'] },
    { name: 'an unfinished line is kept back', chunks: ['1\n2'], want: ['1'] },
    { name: 'empty lines and carriage returns are skipped', chunks: ['\n\r\n1\r\n'], want: ['1'] },
  ])('$name', ({ chunks, want }) => {
    expect(feed(new FrameReader(100), ...chunks)).toEqual(want);
  });

  test('a character whose bytes are split over chunks stays whole', () => {
    const reader = new FrameReader(100);
    const bytes = Buffer.from('"ä€😀"\n');
    const lines = [...bytes].flatMap((byte) => reader.push(Buffer.of(byte)));
    expect(lines).toEqual(['"ä€😀"']);
  });

  test('a line of exactly the limit passes and one byte more does not', () => {
    expect(feed(new FrameReader(4), '1234\n')).toEqual(['1234']);
    expect(() => feed(new FrameReader(4), '12345')).toThrow(FrameError);
    expect(() => feed(new FrameReader(4), '12', '34', '5')).toThrow('more than 4 bytes');
  });
});

describe('frames', () => {
  test('what is encoded is decoded', () => {
    const message = { v: 1, text: 'line\nbreak', list: [1, null, true] };
    const frame = encodeFrame(message, 1_000);
    expect(frame.indexOf('\n')).toBe(frame.length - 1);
    expect(decodeFrame(frame)).toEqual(message);
  });

  test('keys that reach a prototype are dropped at any depth', () => {
    const value = decodeFrame('{"a":{"__proto__":{"polluted":1},"constructor":2,"prototype":3,"b":4},"__proto__":{"polluted":1}}');
    expect(value).toEqual({ a: { b: 4 } });
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test.each(['{', 'undefined', "{'a':1}", '{"a":1} x'])('%s is refused', (line) => {
    expect(() => decodeFrame(line)).toThrow(FrameError);
  });

  test('a plain copy is what JSON would deliver', () => {
    const source = { at: new Date(0), gone: undefined, deep: JSON.parse('{"__proto__":1,"kept":2}') as object };
    expect(plainCopy(source, 1_000)).toEqual({ at: '1970-01-01T00:00:00.000Z', deep: { kept: 2 } });
  });

  test('what JSON cannot express is refused, and so is what is too long', () => {
    const cycle: { self?: object } = {};
    cycle.self = cycle;
    for (const value of [cycle, { big: 1n }, undefined, () => 1]) expect(() => plainCopy(value, 1_000)).toThrow(FrameError);
    expect(() => encodeFrame({ text: 'ä'.repeat(10) }, 20)).toThrow('a message of 31 bytes; at most 20 are allowed');
  });
});
