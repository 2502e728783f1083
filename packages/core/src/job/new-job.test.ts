import { InvalidOptionError } from '../kit/index.js';
import { MAX_DELAY_MS } from './delay.js';
import type { JobsOptions } from './job-options.js';
import { newJob } from './new-job.js';
import { toPublicOptions, toStoredOptions } from './stored-options.js';

const NOW = 1_700_000_000_000;

test('options of the call win over defaults, which never give an id', () => {
  const job = newJob('n', undefined, { attempts: 2 }, { attempts: 9, backoff: 100, jobId: 'never' }, NOW);
  expect(job).toEqual({
    id: undefined,
    name: 'n',
    data: '{}',
    opts: { attempts: 2, backoff: { type: 'fixed', delay: 100 } },
    timestamp: NOW,
    delay: 0,
    priority: 0,
    lifo: false,
    parent: undefined,
    deduplication: undefined,
  });
});

test('a child stores its parent with one true flag', () => {
  const job = newJob('n', {}, { parent: { id: 'p', queue: 'bull:q' }, continueParentOnFailure: true, failParentOnFailure: false }, {}, NOW);
  expect(job.parent).toEqual({ key: 'bull:q:p', json: '{"id":"p","queueKey":"bull:q","cpof":true}' });
});

test('stored options have short names, no null and no undefined, and read back as they were', () => {
  const options: JobsOptions = {
    attempts: 3,
    keepLogs: 5,
    failParentOnFailure: true,
    removeOnComplete: { count: 3, age: undefined as unknown as number },
    telemetry: { metadata: 'm', omitContext: true },
    lifo: undefined as unknown as boolean,
    jobId: null as unknown as string,
  };
  const stored = toStoredOptions(options);
  expect(stored).toEqual({ attempts: 3, kl: 5, fpof: true, removeOnComplete: { count: 3 }, tm: 'm', omc: true });
  expect(JSON.stringify(stored)).not.toContain('null');
  expect(toPublicOptions(stored)).toEqual({
    attempts: 3,
    keepLogs: 5,
    failParentOnFailure: true,
    removeOnComplete: { count: 3 },
    telemetry: { metadata: 'm', omitContext: true },
  });
});

test.each([
  [0, 0],
  [10.9, 10],
  [MAX_DELAY_MS, MAX_DELAY_MS],
])('delay %p is stored as %p', (delay, want) => {
  expect(newJob('n', {}, { delay }, {}, NOW).delay).toBe(want);
});

test('ids of three parts, as repeated jobs once had, are accepted', () => {
  expect(newJob('n', {}, { jobId: 'repeat:x:1' }, {}, NOW).id).toBe('repeat:x:1');
});

test.each([
  { jobId: '12' },
  { jobId: '0' },
  { jobId: '0:a' },
  { jobId: 'a:b' },
  { jobId: '' },
  { jobId: 'meta' },
  { jobId: 7 as unknown as string },
  { priority: -1 },
  { priority: 2_097_152 },
  { priority: 1.5 },
  { attempts: -1 },
  { backoff: { type: 'fixed', jitter: 2 } },
  { backoff: -1 },
  { sizeLimit: 3 },
  { delay: Number.NaN },
  { delay: -5 },
  { delay: MAX_DELAY_MS + 1 },
  { parent: { id: '', queue: 'bull:q' } },
  { parent: { id: 'p', queue: 'q' } },
  { failParentOnFailure: true, removeDependencyOnFailure: true },
  { repeat: { every: 5 } },
] as JobsOptions[])('%p is refused', (options) => {
  expect(() => newJob('n', { long: true }, options, {}, NOW)).toThrow(InvalidOptionError);
});
