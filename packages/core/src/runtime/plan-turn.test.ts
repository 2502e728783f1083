import { type Demand, planTurn, shareOut, TURN_LIMITS } from './plan-turn.js';

const limits = { ...TURN_LIMITS, maxOutcomes: 200, maxJobs: 200, lanes: 3, laneMin: 16 };
const none: Demand = { places: 1_000, outcomes: 0, fitting: 200, free: 0, isReady: false, isLimited: false, isAsked: false, backlog: 0 };
const demand = (over: Partial<Demand>): Demand => ({ ...none, ...over });

describe('planTurn', () => {
  test.each([
    { name: 'nothing waits: no turn', demands: [none], want: [] },
    { name: 'a lone outcome leaves at once', demands: [demand({ outcomes: 1 })], want: [[0, 1, 0]] },
    { name: 'a free place of a ready queue asks for a job', demands: [demand({ free: 1, isReady: true })], want: [[0, 0, 1]] },
    { name: 'a free place of an idle queue asks for nothing', demands: [demand({ free: 5 })], want: [] },
    { name: 'an outcome takes a want along even if the queue seemed idle', demands: [demand({ outcomes: 1, free: 1 })], want: [[0, 1, 1]] },
    {
      name: 'a limited queue is not asked',
      demands: [demand({ outcomes: 1, free: 9, isReady: true, isLimited: true })],
      want: [[0, 1, 0]],
    },
    {
      name: 'a call takes at most 200 outcomes and 200 jobs',
      demands: [demand({ outcomes: 900, free: 1_500, isReady: true })],
      want: [[0, 200, 200]],
    },
    {
      name: 'places of outcomes left behind are not asked for',
      demands: [demand({ outcomes: 300, free: 310, isReady: true })],
      want: [[0, 200, 200]],
    },
    { name: 'nor when that leaves none', demands: [demand({ outcomes: 300, free: 100, isReady: true })], want: [[0, 200, 0]] },
    {
      name: 'outcomes are cut where their size says',
      demands: [demand({ outcomes: 5, fitting: 2, free: 5, isReady: true })],
      want: [[0, 2, 2]],
    },
    {
      name: 'a queue already asked is asked for what is known to wait',
      demands: [demand({ free: 300, isReady: true, isAsked: true, backlog: 40 })],
      want: [[0, 0, 40]],
    },
    {
      name: 'and for nothing when nothing is known to wait',
      demands: [demand({ free: 300, isReady: true, isAsked: true, backlog: -3 })],
      want: [],
    },
    {
      name: 'a call takes half of the places, so that another can be under way',
      demands: [demand({ places: 100, outcomes: 80, free: 100, isReady: true })],
      want: [[0, 50, 50]],
    },
    {
      name: 'but few places are not divided',
      demands: [demand({ places: 20, outcomes: 16, free: 20, isReady: true })],
      want: [[0, 16, 16]],
    },
    {
      name: 'queues come in the order given',
      demands: [none, demand({ outcomes: 2 }), demand({ free: 3, isReady: true })],
      want: [
        [1, 2, 0],
        [2, 0, 3],
      ],
    },
  ])('$name', ({ demands, want }) => {
    expect(planTurn(demands, 0, false, limits).map((call) => [call.demand, call.outcomes, call.want])).toEqual(want);
  });

  test('a further lane leaves only with enough gathered, and none beyond the last', () => {
    const few = [demand({ outcomes: 8, free: 7, isReady: true })];
    const enough = [demand({ outcomes: 8, free: 8, isReady: true })];
    expect(planTurn(few, 1, false, limits)).toEqual([]);
    expect(planTurn(enough, 1, false, limits)).toHaveLength(1);
    expect(planTurn(enough, 2, false, limits)).toHaveLength(1);
    expect(planTurn(enough, 3, false, limits)).toEqual([]);
  });

  test('without wants, outcomes still leave', () => {
    expect(planTurn([demand({ outcomes: 3, free: 10, isReady: true })], 0, true, limits)).toEqual([{ demand: 0, outcomes: 3, want: 0 }]);
    expect(planTurn([demand({ free: 10, isReady: true })], 0, true, limits)).toEqual([]);
  });

  test('a turn carries a bounded number of calls', () => {
    const many = Array.from({ length: 500 }, () => demand({ outcomes: 1 }));
    expect(planTurn(many, 0, false, limits)).toHaveLength(limits.maxCalls);
  });
});

describe('shareOut', () => {
  test.each([
    { name: 'the only consumer takes what it can', jobs: 5, free: [3], want: [3] },
    { name: 'most free places first', jobs: 3, free: [1, 5, 2], want: [0, 3, 0] },
    { name: 'levels out', jobs: 6, free: [4, 4, 4], want: [2, 2, 2] },
    { name: 'an uneven rest goes to the first', jobs: 4, free: [3, 3, 3], want: [2, 1, 1] },
    { name: 'closed consumers take nothing', jobs: 9, free: [0, 2, 0, 3], want: [0, 2, 0, 3] },
    { name: 'no job, nothing taken', jobs: 0, free: [2, 2], want: [0, 0] },
    { name: 'no consumer', jobs: 3, free: [], want: [] },
  ])('$name', ({ jobs, free, want }) => {
    expect(shareOut(jobs, free)).toEqual(want);
  });
});
