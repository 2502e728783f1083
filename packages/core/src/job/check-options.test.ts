import { InvalidOptionError } from '../kit/index.js';
import { checkJobOptions } from './check-options.js';
import type { JobsOptions } from './job-options.js';

const parent = { id: 'p', queue: 'bull:q' };

test.each([
  { timestamp: 1, priority: 2_097_151, delay: 0.5, attempts: 0, lifo: true, keepLogs: 0, stackTraceLimit: 0, sizeLimit: 0, jobId: 'a' },
  { backoff: 0, removeOnComplete: true, removeOnFail: -1 },
  { backoff: { type: 'exponential', delay: 1, jitter: 1 }, removeOnComplete: { count: -1, age: 0, limit: 1 } },
  { backoff: { type: 'mine', own: 1 } as JobsOptions['backoff'] },
  { parent, failParentOnFailure: true, removeDependencyOnFailure: false },
  { deduplication: { id: 'x', ttl: 1, extend: true, replace: true, reschedule: false, keepLastIfActive: false } },
  { telemetry: { metadata: 'm', omitContext: true } },
  { lifo: null as unknown as boolean, attempts: undefined as unknown as number },
] as JobsOptions[])('%j is accepted', (options) => {
  expect(() => checkJobOptions(options)).not.toThrow();
});

test.each([
  [{ delai: 1 }, 'delai must be absent: did you mean "delay"?, got 1'],
  [{ timestamp: 'now' }, 'timestamp must be an integer of at least 0, got "now"'],
  [{ priority: 2_097_152 }, 'priority must be an integer from 0 to 2097151, got 2097152'],
  [{ delay: '5s' }, 'delay must be a number of ms from 0 to 315360000000, got "5s"'],
  [{ delay: -5 }, 'delay must be a number of ms from 0 to 315360000000, got -5'],
  [{ delay: Number.NaN }, 'delay must be a number of ms from 0 to 315360000000, got NaN'],
  [{ delay: Number.POSITIVE_INFINITY }, 'delay must be a number of ms from 0 to 315360000000, got Infinity'],
  [{ backoff: -1 }, 'backoff must be a number of ms from 0 to 315360000000, got -1'],
  [{ attempts: 1.5 }, 'attempts must be an integer of at least 0, got 1.5'],
  [{ lifo: 1 }, 'lifo must be true or false, got 1'],
  [{ keepLogs: -1 }, 'keepLogs must be an integer of at least 0, got -1'],
  [{ stackTraceLimit: -1 }, 'stackTraceLimit must be an integer of at least 0, got -1'],
  [{ sizeLimit: -1 }, 'sizeLimit must be an integer of at least 0, got -1'],
  [{ removeOnComplete: 'all' }, 'removeOnComplete must be an object, got "all"'],
  [{ removeOnComplete: -2 }, 'removeOnComplete must be an integer of at least -1, got -2'],
  [{ removeOnFail: { counts: 1 } }, 'removeOnFail.counts must be absent: did you mean "count"?, got 1'],
  [{ removeOnFail: { age: -1 } }, 'removeOnFail.age must be an integer of at least 0, got -1'],
  [{ backoff: 'fixed' }, 'backoff must be an object, got "fixed"'],
  [{ backoff: { delay: 5 } }, 'backoff.type must be "fixed", "exponential" or the name of a strategy, got undefined'],
  [{ backoff: { type: 'fixed', dellay: 5 } }, 'backoff.dellay must be absent: did you mean "delay"?, got 5'],
  [{ backoff: { type: 'fixed', jitter: 2 } }, 'backoff.jitter must be a number from 0 to 1, got 2'],
  [{ jobId: '12' }, 'jobId must be a text that does not look like an integer, got "12"'],
  [{ jobId: 'a:b' }, 'jobId must be a text without ":", got "a:b"'],
  [{ parent: { id: 'p' } }, 'parent.queue must be the qualified name of a queue, "<prefix>:<queue>", got undefined'],
  [{ failParentOnFailure: 'yes' }, 'failParentOnFailure must be true or false, got "yes"'],
  [
    { failParentOnFailure: true, ignoreDependencyOnFailure: true },
    'failParentOnFailure and ignoreDependencyOnFailure must be given one at a time, got true',
  ],
  [{ deduplication: {} }, 'deduplication.id must be a text that is not empty, got undefined'],
  [{ deduplication: { id: 'x', ttl: -1 } }, 'deduplication.ttl must be an integer of at least 1, got -1'],
  [{ deduplication: { id: 'x', extends: true } }, 'deduplication.extends must be absent: did you mean "extend"?, got true'],
  [{ deduplication: { id: 'x', replace: 1 } }, 'deduplication.replace must be true or false, got 1'],
  [{ deduplication: { id: 'x' }, parent }, 'deduplication must be absent for a child job, got an object'],
  [{ debounce: { id: 'x' } }, 'debounce must be absent: the option is called "deduplication", got an object'],
  [{ repeat: { every: 5 } }, 'repeat must be absent: repeated jobs are made by a job scheduler, got an object'],
  [{ telemetry: { metadata: 1 } }, 'telemetry.metadata must be a text, got 1'],
])('%j is refused with the name and the value', (options, message) => {
  expect(() => checkJobOptions(options as JobsOptions)).toThrow(InvalidOptionError);
  expect(() => checkJobOptions(options as JobsOptions)).toThrow(message);
});

test('names are given with the path to them', () => {
  expect(() => checkJobOptions({ attempts: -1 }, 'defaultJobOptions.')).toThrow('defaultJobOptions.attempts must be');
});
