import { fileURLToPath } from 'node:url';
import { ConfigError } from '../errors/errors.js';
import { resolveConfig } from './resolve-config.js';

const here = fileURLToPath(import.meta.url);
const context = { cores: 4, baseDir: '/', source: 'test', defaultWorkers: '2x' as const };
const mail = { queue: 'mail', processor: here };

function failure(input: unknown): ConfigError {
  try {
    resolveConfig(input, context);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('resolved');
}

test('one group given directly gets its name from its queue and every default', () => {
  const config = resolveConfig(mail, context);
  expect(config.groups.mail).toMatchObject({
    group: 'mail',
    queue: 'mail',
    prefix: 'bull',
    workers: 8,
    min: 0,
    max: 10_000,
    concurrency: 500,
    lockMs: 30_000,
    renewMs: 15_000,
    restart: 'permanent',
    drain: { deadlineMs: 25_000, abortLeadMs: 5_000, onTimeout: 'linger' },
  });
  expect(config).toMatchObject({ name: 'drover', workersPerProcess: 1, processes: { min: 1, max: 4 }, maxWorkersHard: 10_000 });
  expect(Object.isFrozen(config.groups.mail)).toBe(true);
});

test('defaults reach every group, and a group beats them', () => {
  const { groups } = resolveConfig(
    {
      defaults: { concurrency: 7, drain: { deadline: '9s' } },
      groups: { a: { processor: here }, b: { processor: here, concurrency: 2, drain: { abortLead: '1s' } } },
    },
    context,
  );
  expect(groups.a).toMatchObject({ queue: 'a', concurrency: 7, drain: { deadlineMs: 9_000, abortLeadMs: 5_000 } });
  expect(groups.b).toMatchObject({ concurrency: 2, drain: { deadlineMs: 9_000, abortLeadMs: 1_000 } });
});

test('sizes are clamped to the bounds of the group', () => {
  expect(resolveConfig({ ...mail, workers: 50, max: 6 }, context).groups.mail?.workers).toBe(6);
  expect(resolveConfig({ ...mail, workers: 0, min: 2 }, context).groups.mail?.workers).toBe(2);
  expect(resolveConfig({ ...mail, workers: '1x' }, context).groups.mail?.workers).toBe(4);
});

test.each([
  { name: 'a typo at the top', input: { ...mail, proceses: {} }, path: 'proceses', says: 'did you mean "processes"?' },
  { name: 'a typo in a single group', input: { ...mail, concurency: 3 }, path: 'concurency', says: 'did you mean "concurrency"?' },
  {
    name: 'a typo in a group',
    input: { groups: { a: { processor: here, concurency: 3 } } },
    path: 'groups.a.concurency',
    says: 'did you mean "concurrency"?',
  },
  {
    name: 'a typo in a nested block',
    input: { ...mail, health: { heartbeet: 1 } },
    path: 'health.heartbeet',
    says: 'did you mean "heartbeat"?',
  },
  { name: 'a wrong type', input: { ...mail, concurrency: 'many' }, path: 'groups.mail.concurrency', says: 'got "many"' },
  { name: 'a value out of range', input: { ...mail, concurrency: 0 }, path: 'groups.mail.concurrency', says: 'must be at least 1, got 0' },
  { name: 'a bad number of workers', input: { ...mail, workers: '3x' }, path: 'groups.mail.workers', says: '"1x" or "2x", got "3x"' },
  { name: 'a bad duration', input: { ...mail, lockDuration: 'long' }, path: 'groups.mail.lockDuration', says: '"10s"' },
  {
    name: 'a function',
    input: { queue: 'mail', processor: () => 1 },
    path: 'groups.mail.processor',
    says: 'functions do not cross a fork',
  },
  {
    name: 'a missing module',
    input: { queue: 'mail', processor: './nowhere.js' },
    path: 'groups.mail.processor',
    says: '/nowhere.js, and there is no such file',
  },
  { name: 'no processor', input: { queue: 'mail' }, path: 'groups.mail', says: 'names no "processor"' },
  { name: 'no group', input: {}, path: 'groups', says: 'has no group' },
  { name: 'min above max', input: { ...mail, min: 5, max: 3 }, path: 'groups.mail.min', says: 'is 5, above max, which is 3' },
  { name: 'processes the wrong way round', input: { ...mail, processes: { min: 9 } }, path: 'processes.min', says: 'above processes.max' },
  {
    name: 'a renewal later than the lock',
    input: { ...mail, lockDuration: 100, lockRenewTime: 100 },
    path: 'groups.mail.lockRenewTime',
    says: 'shorter than lockDuration',
  },
  {
    name: 'a size that is none',
    input: { ...mail, memory: { soft: '600' } },
    path: 'memory.soft',
    says: 'such as "600mb", or bytes, got "600"',
  },
  {
    name: 'a hard limit below the soft one',
    input: { ...mail, memory: { soft: '2kb', hard: '1kb' } },
    path: 'memory.hard',
    says: 'is 1024 bytes, below memory.soft, which is 2048',
  },
  { name: 'a queue name with a colon', input: { queue: 'a:b', processor: here }, path: 'groups.a:b', says: 'letters, digits' },
  { name: 'a bad name', input: { ...mail, name: 'a b' }, path: 'name', says: 'got "a b"' },
  { name: 'not an object', input: 7, path: '', says: 'must be an object' },
])('$name is refused in one line that names it', ({ input, path, says }) => {
  const error = failure(input);
  expect(error.message).toContain(says);
  expect(error.message).not.toContain('\n');
  expect({ path: error.path, exitCode: error.exitCode }).toEqual({ path, exitCode: 78 });
});
