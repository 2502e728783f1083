import { planWait, readMarker, type WaitView } from './plan-wait.js';

const idle: WaitView = { isReady: false, hasFreePlace: true, dueAt: 0, limitedUntil: 0, checkedAt: 0, pollMs: 5_000 };
const plan = (queues: WaitView[], { now = 1_000, monotonic = 0, poll = false } = {}) => planWait(queues, now, monotonic, poll);

describe('planWait', () => {
  test('waits for the marker of an idle queue as long as its poll time allows', () => {
    expect(plan([idle])).toEqual({ due: [], idle: [idle], stale: [], wakeInMs: undefined, blockMs: 5_000 });
  });

  test.each([
    { name: 'a ready queue is not waited for', queue: { ...idle, isReady: true } },
    { name: 'nor one without a free place: its hint is for others', queue: { ...idle, hasFreePlace: false } },
  ])('$name', ({ queue }) => {
    expect(plan([queue]).idle).toEqual([]);
  });

  test('a delayed job wakes when it is due', () => {
    const queue = { ...idle, dueAt: 1_250 };
    expect(plan([queue])).toMatchObject({ due: [], idle: [queue], wakeInMs: 250 });
    expect(plan([queue], { now: 1_250 })).toMatchObject({ due: [queue], idle: [], wakeInMs: undefined });
  });

  test('a limit wakes when it lifts, and the earliest instant counts', () => {
    const limited = { ...idle, limitedUntil: 1_100, dueAt: 1_300 };
    expect(plan([limited, { ...idle, dueAt: 1_200 }]).wakeInMs).toBe(100);
    expect(plan([limited], { now: 1_100 }).due).toEqual([limited]);
  });

  test('idle queues are asked again after their poll time, the longest waiting first and not all at once', () => {
    const fresh = { ...idle, checkedAt: 6_000 };
    const queues = Array.from({ length: 60 }, (_, i) => ({ ...idle, checkedAt: 60 - i }));
    const { stale } = plan([fresh, ...queues], { monotonic: 10_000, poll: true });
    expect(stale).toHaveLength(50);
    expect(stale[0]?.checkedAt).toBe(1);
    expect(plan(queues, { monotonic: 10_000 }).stale).toEqual([]);
  });
});

describe('readMarker', () => {
  test.each([
    { name: 'score 0 is a ready job', score: 0, known: 0, want: { isReady: true, dueAt: 0 } },
    { name: 'an instant that has come, too', score: 1_001, known: 0, want: { isReady: true, dueAt: 0 } },
    { name: 'a later instant is a due time', score: 2_000, known: 0, want: { isReady: false, dueAt: 2_000 } },
    { name: 'an earlier known due time stays', score: 2_000, known: 1_500, want: { isReady: false, dueAt: 1_500 } },
    { name: 'an earlier marker replaces it', score: 1_400, known: 1_500, want: { isReady: false, dueAt: 1_400 } },
  ])('$name', ({ score, known, want }) => {
    expect(readMarker(score, known, 1_000)).toEqual(want);
  });
});
