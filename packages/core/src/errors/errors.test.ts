import {
  controlFlowOf,
  DelayedError,
  errorFromReply,
  errorFromStatus,
  JobStatusError,
  LockLostError,
  RateLimitError,
  UnrecoverableError,
  WaitingChildrenError,
  WaitingError,
} from './index.js';

test.each([
  [new UnrecoverableError(), 'UnrecoverableError', 'bullmq:unrecoverable'],
  [new DelayedError(), 'DelayedError', 'bullmq:movedToDelayed'],
  [new WaitingError(), 'WaitingError', 'bullmq:movedToWait'],
  [new WaitingChildrenError(), 'WaitingChildrenError', 'bullmq:movedToWaitingChildren'],
  [new RateLimitError(), 'RateLimitError', 'bullmq:rateLimitExceeded'],
] as const)('%p has the name and message of BullMQ, and is recognised', (error, name, message) => {
  expect([error.name, error.message]).toEqual([name, message]);
  expect(controlFlowOf(error)).toBe(name);
});

test('errors of another copy of the package are recognised by name, the rate limit by message', () => {
  expect(controlFlowOf(Object.assign(new Error('x'), { name: 'DelayedError' }))).toBe('DelayedError');
  expect(controlFlowOf(new Error('bullmq:rateLimitExceeded'))).toBe('RateLimitError');
  expect(controlFlowOf(new Error('bullmq:movedToDelayed'))).toBeUndefined();
  expect(controlFlowOf(Object.assign(new Error('x'), { name: 'toString' }))).toBeUndefined();
  expect(controlFlowOf('DelayedError')).toBeUndefined();
});

test.each([
  [-1, 'Missing key for job 7. cmd'],
  [-2, 'Missing lock for job 7. cmd'],
  [-3, 'Job 7 is not in the active state. cmd'],
  [-4, 'Job 7 has pending dependencies. cmd'],
  [-5, 'Missing key for parent job bull:q:p. cmd'],
  [-6, 'Lock mismatch for job 7. Cmd cmd from active'],
  [-8, 'Job 7 belongs to a job scheduler and cannot be removed directly. cmd'],
  [-12, 'Job 7 has more than 10000 jobs below it: remove its children first. cmd'],
  [-99, 'Unknown code -99 error for job 7. cmd'],
])('status %i is an error with that code', (code, message) => {
  const error = errorFromStatus(code, { jobId: '7', command: 'cmd', parentKey: 'bull:q:p' });
  expect(error).toBeInstanceOf(JobStatusError);
  expect(error).toMatchObject({ code, message, jobId: '7' });
});

test('a job with failed children can never complete: that status is unrecoverable', () => {
  const error = errorFromStatus(-9, { jobId: '7', command: 'cmd' });
  expect(controlFlowOf(error)).toBe('UnrecoverableError');
  expect(error).toMatchObject({ code: -9 });
});

test('refusals that pass are told apart from failures', () => {
  expect(errorFromReply('script x', 'LOADING Redis is loading the dataset in memory')).toMatchObject({ code: 'REDIS_REFUSED' });
  expect(errorFromReply('script x', 'WRONGTYPE Operation against a key')).toMatchObject({
    code: 'COMMAND_FAILED',
    message: 'script x failed in Redis: WRONGTYPE Operation against a key',
  });
});

test('a lost lock names job and queue', () => {
  expect(new LockLostError('7', 'mail')).toMatchObject({
    code: 'LOCK_LOST',
    name: 'LockLostError',
    message: expect.stringContaining('job 7 of queue mail'),
  });
});
