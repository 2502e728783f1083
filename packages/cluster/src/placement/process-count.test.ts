import { processCount } from './process-count.js';

const four = { workersPerProcess: 1, min: 1, max: 4 };

test.each([
  { name: 'no workers keep the minimum', workers: 0, limits: four, parked: 0, want: 1 },
  { name: 'the first workers get a process each', workers: 3, limits: four, parked: 0, want: 3 },
  { name: 'beyond the maximum workers are packed', workers: 1_000, limits: four, parked: 0, want: 4 },
  { name: 'a parked slot counts against the maximum', workers: 6, limits: four, parked: 1, want: 3 },
  { name: 'with every slot parked there is no process', workers: 6, limits: four, parked: 4, want: 0 },
  { name: 'the maximum wins over the minimum', workers: 0, limits: { workersPerProcess: 1, min: 8, max: 2 }, parked: 0, want: 2 },
  { name: 'three workers of four per process share one', workers: 3, limits: { ...four, workersPerProcess: 4 }, parked: 0, want: 1 },
  { name: 'ten workers of four per process need three', workers: 10, limits: { ...four, workersPerProcess: 4 }, parked: 0, want: 3 },
  {
    name: 'forty workers of four per process are clamped to four',
    workers: 40,
    limits: { ...four, workersPerProcess: 4 },
    parked: 0,
    want: 4,
  },
  { name: 'fifty per process', workers: 120, limits: { ...four, workersPerProcess: 50 }, parked: 0, want: 3 },
])('$name', ({ workers, limits, parked, want }) => {
  expect(processCount(workers, limits, parked)).toBe(want);
});
