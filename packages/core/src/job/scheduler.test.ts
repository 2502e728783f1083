import { decodeScheduler, newScheduler } from './scheduler.js';

const NOW = Date.UTC(2026, 0, 1);

test('a template is encoded for the first job and for those after it, over the defaults of the queue', () => {
  const defaults = { attempts: 7, keepLogs: 5, jobId: 'never', delay: 9, removeOnFail: 1 };
  const opts = { attempts: 3, backoff: 500, priority: 2, lifo: true, timestamp: 5 };
  const scheduler = newScheduler('s', { every: 5, tz: 'UTC', limit: 4 }, { name: 'n', data: { a: [] }, opts }, defaults, NOW);
  const stored = { kl: 5, removeOnFail: 1, attempts: 3, backoff: 500, priority: 2, lifo: true };
  expect(scheduler).toMatchObject({ id: 's', name: 'n', data: '{"a":[]}', priority: 2, lifo: true });
  expect(scheduler.opts).toEqual({ ...stored, repeat: { every: 5, tz: 'UTC', limit: 4, count: 1 } });
  const { opts: template, ...definition } = scheduler.definition;
  expect(definition).toEqual({ tz: 'UTC', limit: '4', data: '{"a":[]}' });
  expect(JSON.parse(template as string)).toEqual({ ...stored, timestamp: 5 });
});

test('without a template the jobs are named after the scheduler, and nothing is noted for them', () => {
  expect(newScheduler('s', { pattern: '* * * * *' }, {}, {}, NOW)).toMatchObject({
    name: 's',
    data: '{}',
    definition: { pattern: '* * * * *' },
  });
  expect(newScheduler('s', { every: 5 }, { data: {}, opts: {} }, {}, NOW).definition).toEqual({});
  expect(newScheduler('s', { every: 5 }, { data: null }, {}, NOW)).toMatchObject({ data: '{}', definition: {} });
});

test.each([
  { template: { opts: { jobId: 'x' } }, says: 'template.opts.jobId must be absent' },
  { template: { opts: { delay: 5 } }, says: 'template.opts.delay' },
  { template: { opts: { deduplication: { id: 'x' } } }, says: 'template.opts.deduplication' },
  { template: { opts: { parent: { id: 'x', queue: 'bull:y' } } }, says: 'template.opts.parent' },
  { template: { opts: { repeat: { every: 5 } } }, says: 'template.opts.repeat' },
  { template: { opts: { priority: -1 } }, says: 'template.opts.priority' },
  { template: { opts: { attemps: 1 } }, says: 'did you mean "attempts"?' },
  { template: { name: 5 }, says: 'template.name must be a text' },
  { template: { data: 'xxxx', opts: { sizeLimit: 3 } }, says: 'at most 3 bytes' },
])('$template is refused', ({ template, says }) => {
  expect(() => newScheduler('s', { every: 5 }, template as object, {}, NOW)).toThrow(says);
});

test.each(['', 5, undefined])('an id has to be a text: %p', (id) => {
  expect(() => newScheduler(id as string, { every: 5 }, {}, {}, NOW)).toThrow('job scheduler id');
});

test('a scheduler as it is stored is read back; numbers are numbers, options have their public names', () => {
  const fields = {
    name: 'n',
    ic: '3',
    every: '5',
    offset: '0',
    limit: '9',
    startDate: '7',
    endDate: '8',
    tz: 'UTC',
    data: '[1]',
    opts: '{"kl":2}',
  };
  expect(decodeScheduler('s', 12, fields)).toEqual({
    ...{ key: 's', name: 'n', next: 12, iterationCount: 3, every: 5, offset: 0, limit: 9, startDate: 7, endDate: 8, tz: 'UTC' },
    template: { data: [1], opts: { keepLogs: 2 } },
  });
  expect(decodeScheduler('s', 12, { name: 'n', pattern: '* * * * *' })).toEqual({ key: 's', name: 'n', next: 12, pattern: '* * * * *' });
});

test.each([
  { key: 'n:id:99:UTC:0 9 * * *', want: { name: 'n', id: 'id', endDate: 99, tz: 'UTC', pattern: '0 9 * * *' } },
  { key: 'n::::0 9 * * *', want: { name: 'n', pattern: '0 9 * * *' } },
])('before version 5 a key was its own definition: $key', ({ key, want }) => {
  expect(decodeScheduler(key, 12, undefined)).toEqual({ key, next: 12, ...want });
});

test('neither fields nor such a key: nothing', () => {
  expect(decodeScheduler('s', 12, undefined)).toBeUndefined();
  expect(decodeScheduler('a:b', 12, undefined)).toBeUndefined();
});
