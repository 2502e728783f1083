import { type ChildState, moveChild } from './child-state.js';

const STATES: readonly ChildState[] = ['waiting', 'starting', 'running', 'stopping', 'parked', 'gone'];
const allowed = [
  'waiting>starting',
  'waiting>gone',
  'starting>running',
  'starting>stopping',
  'starting>waiting',
  'starting>parked',
  'starting>gone',
  'running>stopping',
  'running>waiting',
  'running>parked',
  'running>gone',
  'stopping>waiting',
  'stopping>gone',
  'parked>waiting',
  'parked>gone',
];

test.each(STATES.flatMap((from) => STATES.map((to) => ({ from, to }))))('$from to $to', ({ from, to }) => {
  if (allowed.includes(`${from}>${to}`)) expect(moveChild(from, to)).toBe(to);
  else expect(() => moveChild(from, to)).toThrow(`a child that is ${from} cannot become ${to}`);
});
