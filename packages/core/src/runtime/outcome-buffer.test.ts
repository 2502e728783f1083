import type { HeldJob, Pool } from './consumer.js';
import { OutcomeBuffer } from './outcome-buffer.js';

const pool = {} as Pool;
const job = (jobId: string, weight = 0) => ({ jobId, weight, pool, phase: 'running', tries: 0 }) as unknown as HeldJob;
const ids = (jobs: readonly HeldJob[]) => jobs.map(({ jobId }) => jobId);

test('outcomes leave in order, and those given back leave first', () => {
  const buffer = new OutcomeBuffer();
  for (const id of ['a', 'b', 'c']) buffer.put(job(id));
  const taken = buffer.take(pool, 2);
  expect(ids(taken)).toEqual(['a', 'b']);
  expect(taken.every(({ phase, tries }) => phase === 'sent' && tries === 1)).toBe(true);
  buffer.giveBack(pool, taken);
  expect(ids(buffer.take(pool, 9))).toEqual(['a', 'b', 'c']);
  expect(buffer.count(pool)).toBe(0);
  expect([...buffer.pools()]).toEqual([]);
});

test('order holds across many takes', () => {
  const buffer = new OutcomeBuffer();
  for (let i = 0; i < 5_000; i++) buffer.put(job(String(i)));
  const seen: string[] = [];
  while (buffer.count(pool) > 0) seen.push(...ids(buffer.take(pool, 200)));
  expect(seen).toEqual(Array.from({ length: 5_000 }, (_, i) => String(i)));
});

test('a call takes what fits, and at least one', () => {
  const buffer = new OutcomeBuffer();
  for (const weight of [600_000, 300_000, 300_000]) buffer.put(job('x', weight));
  expect(buffer.fitting(pool)).toBe(2);
  const big = new OutcomeBuffer();
  big.put(job('x', 5_000_000));
  expect(big.fitting(pool)).toBe(1);
});

test('pressure begins at the high mark and ends at the low one', () => {
  const buffer = new OutcomeBuffer({ high: 3, low: 1 });
  for (const id of ['a', 'b', 'c']) buffer.put(job(id));
  expect(buffer.isPressed).toBe(true);
  buffer.take(pool, 3);
  buffer.commit();
  expect(buffer.isPressed).toBe(true);
  buffer.commit();
  expect(buffer.isPressed).toBe(false);
});

test('whenEmpty waits for what is under way', async () => {
  const buffer = new OutcomeBuffer();
  buffer.put(job('a'));
  buffer.take(pool, 1);
  let isEmpty = false;
  const empty = buffer.whenEmpty().then(() => {
    isEmpty = true;
  });
  await Promise.resolve();
  expect(isEmpty).toBe(false);
  buffer.commit();
  await empty;
});
