import { Places } from './places.js';

test('places are taken and given back', () => {
  const places = new Places(3);
  places.take(2);
  expect([places.free, places.taken]).toEqual([1, 2]);
  places.give();
  expect(places.free).toBe(2);
});

test('a lowered limit leaves no place free until enough jobs have finished', () => {
  const places = new Places(3);
  places.take(3);
  places.limit = 1;
  expect(places.free).toBe(0);
  places.give();
  places.give();
  expect(places.free).toBe(0);
  places.give();
  expect(places.free).toBe(1);
});
