import { planRestart } from './plan-restart.js';

const a = { id: 'a', state: 'running' } as const;
const b = { id: 'b', state: 'running' } as const;
const c = { id: 'c', state: 'starting' } as const;
const d = { id: 'd', state: 'waiting' } as const;
const parked = { id: 'p', state: 'parked' } as const;
const leaving = { id: 'l', state: 'stopping' } as const;

test.each([
  { name: 'one_for_one concerns the child alone', strategy: 'one_for_one', ended: 'b', of: [a, b, c], stop: [], start: ['b'] },
  {
    name: 'rest_for_one takes down those started later, last first',
    strategy: 'rest_for_one',
    ended: 'a',
    of: [a, b, c],
    stop: ['c', 'b'],
    start: ['a', 'b', 'c'],
  },
  {
    name: 'rest_for_one leaves those started earlier',
    strategy: 'rest_for_one',
    ended: 'b',
    of: [a, b, c],
    stop: ['c'],
    start: ['b', 'c'],
  },
  { name: 'one_for_all takes down all', strategy: 'one_for_all', ended: 'b', of: [a, b, c], stop: ['c', 'a'], start: ['a', 'b', 'c'] },
  { name: 'a sibling that waits is started, not stopped', strategy: 'one_for_all', ended: 'a', of: [a, d], stop: [], start: ['a', 'd'] },
  { name: 'a parked sibling stays parked', strategy: 'one_for_all', ended: 'a', of: [a, parked, b], stop: ['b'], start: ['a', 'b'] },
  { name: 'a sibling that is being stopped is left alone', strategy: 'rest_for_one', ended: 'a', of: [a, leaving], stop: [], start: ['a'] },
] as const)('$name', ({ strategy, ended, of, stop, start }) => {
  expect(planRestart(strategy, ended, of)).toEqual({ stop, start });
});
