import { judgeProbation } from './judge-probation.js';
import { planReload, type RolloutRules, type RolloutSlot, type RolloutState, type RolloutStep } from './plan-reload.js';

const none = { completed: 0, failed: 0 };
const rules: RolloutRules = { maxSurge: 1, maxUnavailable: 0, probationMs: 100, canary: 9, limitMs: 1_000 };
const slot = (number: number, state: RolloutSlot['state'] = 'ready', more: Partial<RolloutSlot> = {}): RolloutSlot => ({
  ...{ slot: number, state, retiring: false, error: undefined, isHeldUp: false, tally: none },
  ...more,
});
const step = (phase: RolloutStep['phase'], sinceMs = 0): RolloutStep => ({
  old: 0,
  by: 1,
  order: 'surge',
  phase,
  sinceMs,
  probationMs: 100,
});
const state = (more: Partial<RolloutState>): RolloutState => ({
  ...{ pending: [], steps: [], begun: 0, baseline: none, failure: undefined },
  ...more,
});

test.each([
  {
    name: 'the new one takes the lowest free slot',
    state: state({ pending: [0] }),
    slots: [slot(0), slot(2)],
    want: { do: 'begin', old: 0, by: 1 },
  },
  { name: 'a slot that is gone is skipped', state: state({ pending: [0] }), slots: [], want: { do: 'skip' } },
  {
    name: 'one at a time',
    state: state({ pending: [2], steps: [step('booting')] }),
    slots: [slot(0), slot(1, 'booting'), slot(2)],
    want: undefined,
  },
  {
    name: 'a ready one gets the workers',
    state: state({ steps: [step('booting')] }),
    slots: [slot(0), slot(1)],
    want: { do: 'hand over' },
  },
  {
    name: 'one that cannot boot fails all',
    state: state({ steps: [step('booting')] }),
    slots: [slot(0), slot(1, 'parked')],
    want: { do: 'fail' },
  },
  {
    name: 'a boot has a limit',
    state: state({ steps: [step('booting', -2_000)] }),
    slots: [slot(0), slot(1, 'booting')],
    want: { do: 'fail' },
  },
  {
    name: 'one that would wait for a slot that was given up fails at once',
    state: state({ steps: [step('booting')] }),
    slots: [slot(0, 'parked'), slot(1, 'booting', { isHeldUp: true })],
    want: { do: 'fail' },
  },
  {
    name: 'an end on probation fails all',
    state: state({ steps: [step('probation')] }),
    slots: [slot(0), slot(1, 'gone')],
    want: { do: 'fail' },
  },
  { name: 'probation takes its time', state: state({ steps: [step('probation', 0)] }), slots: [slot(0), slot(1)], want: undefined },
  { name: 'then the old one goes', state: state({ steps: [step('probation', -100)] }), slots: [slot(0), slot(1)], want: { do: 'adopt' } },
  { name: 'its number may be taken anew', state: state({ steps: [step('leaving')] }), slots: [slot(0), slot(1)], want: { do: 'finish' } },
  { name: 'after a failure nothing is begun', state: state({ pending: [2], failure: 'x' }), slots: [slot(2)], want: { do: 'end' } },
] as const)('$name', ({ state, slots, want }) => {
  const view = { slots: new Map(slots.map((each) => [each.slot, each])), crew: () => 'arrived' as const, nowMs: 0 };
  const move = planReload(state, rules, view);
  if (want === undefined) expect(move).toBeUndefined();
  else expect(move).toMatchObject(want);
});

test.each([
  { name: 'a few failures say nothing', trial: { completed: 0, failed: 19 }, baseline: none, passedMs: 100, want: 'passed' },
  { name: 'many fail it at once', trial: { completed: 0, failed: 20 }, baseline: none, passedMs: 1, want: 'failed' },
  {
    name: 'as many as before are no news',
    trial: { completed: 10, failed: 10 },
    baseline: { completed: 5, failed: 5 },
    passedMs: 1,
    want: 'open',
  },
] as const)('probation: $name', ({ trial, baseline, passedMs, want }) => {
  expect(judgeProbation(trial, baseline, passedMs, 100).is).toBe(want);
});
