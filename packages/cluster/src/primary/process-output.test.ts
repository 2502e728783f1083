import { LineReader, Tail } from './process-output.js';

function lines(...chunks: string[]): string[] {
  const read: string[] = [];
  const reader = new LineReader((line) => read.push(line));
  for (const chunk of chunks) reader.push(Buffer.from(chunk, 'latin1'));
  reader.end();
  return read;
}

test('lines come whole, whatever the chunks; the last one needs no newline', () => {
  expect(lines('one\ntw', 'o\r\nthr', 'ee')).toEqual(['one', 'two', 'three']);
});

test('a character cut in two by chunks comes whole', () => {
  const [first, second] = [Buffer.from('ü').subarray(0, 1).toString('latin1'), Buffer.from('ü').subarray(1).toString('latin1')];
  expect(lines(first, second)).toEqual(['ü']);
});

test('control characters are escaped, tabs and colours stay', () => {
  expect(lines('a\rb\u001b[2Jc\td\u001b[31mred\u001b[0m\n')).toEqual(['a\\x0db\\x1b[2Jc\td\u001b[31mred\u001b[0m']);
});

test('a line without end is handed over in pieces', () => {
  expect(lines('x'.repeat(40_000)).length).toBeLessThanOrEqual(3);
});

test('the tail keeps the last 4 KiB and no broken character at its start', () => {
  const tail = new Tail();
  tail.push(Buffer.from('a'.repeat(10)));
  tail.push(Buffer.from(`${'é'.repeat(2_048)}z`));
  expect(tail.text()).toBe(`${'é'.repeat(2_047)}z`);
});
