import { ManualClock } from '@drover/core/kit';
import type { Progress, ScaleReply } from '../protocol/index.js';
import { OperationLog } from './operation-log.js';

const reply = (opId: string): ScaleReply => ({ opId, group: 'mail', requested: 2, applied: 2, desired: 2 });
const scale = { verb: 'scale_up', group: 'mail', total: 2, version: 1 };
const error = { code: 'DRAINING', message: 'the primary stops', retryable: true } as const;

let clock: ManualClock;
let log: OperationLog;
beforeEach(() => {
  let n = 0;
  clock = new ManualClock();
  log = new OperationLog(clock, () => `op-${++n}`);
});

test('goes from accepted over running to done, and followers hear of each step with rising numbers', () => {
  const opId = log.begin(scale);
  expect(log.status(opId)).toMatchObject({ state: 'accepted', done: 0, total: 2 });
  const heard: Progress[] = [];
  log.follow(opId, (progress) => heard.push(progress));
  log.progress(opId, 1);
  log.progress(opId, 1);
  log.finish(opId, reply(opId));
  expect(heard.map(({ seq, state, done }) => [seq, state, done])).toEqual([
    [1, 'running', 1],
    [2, 'done', 2],
  ]);
  expect(log.status(opId)).toMatchObject({ state: 'done', result: { applied: 2 } });
});

test('one that has ended tells a new follower at once, and never ends twice', () => {
  const opId = log.begin(scale);
  log.fail(opId, error);
  log.finish(opId, reply(opId));
  const heard: Progress[] = [];
  log.follow(opId, (progress) => heard.push(progress));
  expect(heard).toMatchObject([{ state: 'failed', error: { code: 'DRAINING' } }]);
});

test('a later operation of the same group supersedes the one under way', () => {
  const first = log.begin(scale);
  const second = log.begin(scale);
  log.begin({ ...scale, group: 'pdf' });
  expect(log.status(first).supersededBy).toBe(second);
  expect(log.status(second).supersededBy).toBeUndefined();
});

test('is kept for ten minutes after its end', () => {
  const opId = log.begin(scale);
  clock.advance(3_600_000);
  expect(log.status(opId).state).toBe('accepted');
  log.finish(opId, reply(opId));
  clock.advance(10 * 60_000);
  expect(log.status(opId).state).toBe('done');
  clock.advance(1);
  expect(() => log.status(opId)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
});

test('at most 200 are kept: ended ones make room, and 200 under way are refused', () => {
  const first = log.begin(scale);
  log.finish(first, reply(first));
  for (let n = 0; n < 200; n++) log.begin(scale);
  expect(() => log.status(first)).toThrow('no operation');
  expect(() => log.begin(scale)).toThrow(expect.objectContaining({ code: 'BUSY' }));
});

test('a repeat under the same key within five minutes gets the first reply', () => {
  let runs = 0;
  const run = () => ++runs;
  expect([log.once('k', 'scale_up 1', run), log.once('k', 'scale_up 1', run)]).toEqual([1, 1]);
  expect(() => log.once('k', 'scale_up 2', run)).toThrow(expect.objectContaining({ code: 'CONFLICT' }));
  clock.advance(5 * 60_000 + 1);
  expect(log.once('k', 'scale_up 1', run)).toBe(2);
});

test('a command that is refused leaves no reply under its key', () => {
  const refuse = () => {
    throw new Error('refused');
  };
  expect(() => log.once('k', 'x', refuse)).toThrow('refused');
  expect(log.once('k', 'x', () => 1)).toBe(1);
});
