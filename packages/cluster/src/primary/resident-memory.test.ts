import { parseResident, residentMemory } from './resident-memory.js';

test('the resident part of a status file, in bytes', () => {
  expect(parseResident('VmHWM:\t    9 kB\nVmRSS:\t   512 kB\nRssAnon:\t 1 kB\n')).toBe(524_288);
  expect(parseResident('Name:\tkthreadd\n')).toBeUndefined();
});

test('a process that is not there has none', () => {
  expect(residentMemory(2 ** 30)).toBeUndefined();
});
