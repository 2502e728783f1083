import { OncePrinter } from './once-printer.js';

test('a line is printed once, until so many others came that it is forgotten', () => {
  const lines: string[] = [];
  const printer = new OncePrinter((line) => lines.push(line), 2);
  for (const line of ['a', 'a', 'b', 'a', 'c', 'b', 'a']) printer.print(line);
  expect(lines).toEqual(['a', 'b', 'c', 'a']);
});
