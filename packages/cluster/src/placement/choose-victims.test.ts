import { chooseVictims, type VictimCandidate } from './choose-victims.js';

const candidates: readonly VictimCandidate[] = [
  { worker: 'mail#2', number: 2, state: 'running', jobsInHand: 0 },
  { worker: 'mail#10', number: 10, state: 'running', jobsInHand: 3 },
  { worker: 'mail#3', number: 3, state: 'running', jobsInHand: 0 },
  { worker: 'mail#11', number: 11, state: 'starting', jobsInHand: 0 },
  { worker: 'mail#7', number: 7, state: 'parked', jobsInHand: 0 },
];

test.each([
  { name: 'the oldest has the lowest number, after the parked', policy: 'oldest', count: 3, want: ['mail#7', 'mail#2', 'mail#3'] },
  { name: 'the youngest has the highest number, after the parked', policy: 'youngest', count: 3, want: ['mail#7', 'mail#11', 'mail#10'] },
  {
    name: 'idle: parked, starting, then the fewest jobs in hand',
    policy: 'idle',
    count: 4,
    want: ['mail#7', 'mail#11', 'mail#2', 'mail#3'],
  },
  { name: 'never more than there are', policy: 'oldest', count: 9, want: ['mail#7', 'mail#2', 'mail#3', 'mail#10', 'mail#11'] },
  { name: 'none when none are asked for', policy: 'oldest', count: 0, want: [] },
] as const)('$name', ({ policy, count, want }) => {
  expect(chooseVictims(candidates, count, policy)).toEqual(want);
});
