import { placeWorkers } from './place-workers.js';

const worker = (name: string, slot?: number, concurrency = 500) => ({
  worker: name,
  group: name.slice(0, name.indexOf('#')),
  concurrency,
  slot,
});
const place = (workers: readonly ReturnType<typeof worker>[], slots: readonly number[]) =>
  Object.fromEntries(placeWorkers(workers, slots).slotOf);

describe('placeWorkers', () => {
  test('spreads over empty slots from the lowest number', () => {
    expect(place([worker('mail#1'), worker('mail#2')], [1, 0])).toEqual({ 'mail#1': 0, 'mail#2': 1 });
  });

  test('keeps an assignment whose slot serves, even when it is the fullest', () => {
    expect(place([worker('mail#1', 0), worker('mail#2', 0), worker('mail#3')], [0, 1])).toEqual({ 'mail#1': 0, 'mail#2': 0, 'mail#3': 1 });
  });

  test('places anew what was on a slot that no longer serves', () => {
    const before = [
      worker('mail#1', 0),
      worker('mail#2', 1),
      worker('mail#3', 2),
      worker('mail#4', 3),
      worker('mail#5', 0),
      worker('mail#6', 1),
    ];
    expect(place(before, [0, 2, 3])).toEqual({ 'mail#1': 0, 'mail#2': 2, 'mail#3': 2, 'mail#4': 3, 'mail#5': 0, 'mail#6': 3 });
  });

  test('counts the workers of the group before the sum of concurrency', () => {
    expect(place([worker('mail#1', 0, 1), worker('pdf#1', 1, 900), worker('mail#2')], [0, 1])['mail#2']).toBe(1);
  });

  test('prefers the smaller sum of concurrency among slots with equally many workers of the group', () => {
    expect(place([worker('mail#1', 0, 50), worker('pdf#1', 1, 10), worker('video#1')], [0, 1])['video#1']).toBe(1);
  });

  test('reports what fits nowhere', () => {
    expect(placeWorkers([worker('mail#1', 0)], []).unplaced).toEqual(['mail#1']);
  });

  test('places a thousand workers evenly around those that stay', () => {
    const stay = [worker('mail#5', 0), worker('mail#6', 3), worker('mail#7', 2)];
    const fresh = Array.from({ length: 997 }, (_, i) => worker(`mail#${i + 8}`));
    const counts = new Map<number, number>();
    for (const slot of placeWorkers([...stay, ...fresh], [0, 1, 2, 3]).slotOf.values()) counts.set(slot, (counts.get(slot) ?? 0) + 1);
    expect([...counts].sort()).toEqual([0, 1, 2, 3].map((slot) => [slot, 250]));
  });
});
