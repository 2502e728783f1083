import { Gate, rig } from '../support/engine.js';
import { until } from '../support/until.js';

const jobs = (count: number) => Array.from({ length: count }, (_, n) => ({ name: 'a', data: { n } }));

test('concurrency is used and never exceeded', async () => {
  const { queue, worker, counts, redis, prefix } = rig();
  await queue.addBulk(jobs(60));
  const gate = new Gate();
  worker(gate.processor, { concurrency: 7 });
  let mostActive = 0;
  const seen = new Set<string>();
  await gate.hasStarted(7);
  await until(
    async () => {
      mostActive = Math.max(mostActive, await redis.llen(`${prefix}:mail:active`));
      for (const id of gate.started) {
        gate.open(id);
        seen.add(id);
      }
      return seen.size === 60;
    },
    { what: 'all 60 runs', everyMs: 2 },
  );
  await counts({ completed: 60 });
  expect(gate.most).toBe(7);
  expect(mostActive).toBeLessThanOrEqual(7);
});

test('concurrency can be raised and lowered while jobs run', async () => {
  const { queue, worker, counts } = rig();
  await queue.addBulk(jobs(20));
  const gate = new Gate();
  const one = worker(gate.processor, { concurrency: 2 });
  await gate.hasStarted(2);
  one.concurrency = 5;
  await gate.hasStarted(5);
  expect(gate.running).toBe(5);
  one.concurrency = 1;
  for (const id of gate.started.slice(0, 5)) gate.open(id);
  await gate.hasStarted(6);
  await counts({ active: 1, completed: 5 });
  expect(gate.running).toBe(1);
  expect(() => {
    one.concurrency = 0;
  }).toThrow('concurrency must be an integer of at least 1, got 0');
  one.concurrency = 50;
  await gate.hasStarted(20);
  gate.openAll();
  await counts({ completed: 20 });
});

test('several workers of a queue in one process share its jobs', async () => {
  const { queue, worker, counts } = rig();
  const gates = [new Gate(), new Gate(), new Gate()];
  for (const gate of gates) worker(gate.processor, { concurrency: 4, autorun: true });
  await queue.addBulk(jobs(12));
  await until(() => gates.every((gate) => gate.running === 4), { what: 'all places to be taken' });
  for (const gate of gates) gate.openAll();
  await counts({ completed: 12 });
});

test('pause lets jobs in hand finish and takes no further ones until resume', async () => {
  const { queue, worker, counts } = rig();
  const gate = new Gate();
  const one = worker(gate.processor, { concurrency: 2 });
  await queue.addBulk(jobs(2));
  await gate.hasStarted(2);
  let isPaused = false;
  const paused = one.pause().then(() => {
    isPaused = true;
  });
  expect(one.isPaused()).toBe(true);
  gate.open(gate.started[0] as string);
  await counts({ completed: 1 });
  expect(isPaused).toBe(false);
  gate.open(gate.started[1] as string);
  await paused;
  await queue.addBulk(jobs(2));
  await counts({ completed: 2, waiting: 2, active: 0 });
  one.resume();
  await gate.hasStarted(4);
  gate.openAll();
  await counts({ completed: 4 });
});

test('pause does not wait when told so', async () => {
  const { queue, worker } = rig();
  const gate = new Gate();
  const one = worker(gate.processor);
  await queue.add('a', {});
  await gate.hasStarted(1);
  await one.pause(true);
  expect(gate.running).toBe(1);
  gate.openAll();
});

test('a paused queue stops all workers, and resume wakes them', async () => {
  const { queue, worker, counts } = rig();
  const gate = new Gate();
  await worker(gate.processor).waitUntilReady();
  await queue.pause();
  expect(await queue.isPaused()).toBe(true);
  await queue.add('a', {});
  await counts({ waiting: 1 });
  expect(gate.started).toEqual([]);
  await queue.resume();
  await gate.hasStarted(1);
  gate.openAll();
  await counts({ completed: 1 });
});

test('the global concurrency of a queue binds all of its workers together', async () => {
  const { queue, worker, counts } = rig();
  await queue.setGlobalConcurrency(3);
  const gates = [new Gate(), new Gate()];
  for (const gate of gates) worker(gate.processor, { concurrency: 10, name: `w${gates.indexOf(gate)}`, drainDelay: 0.1 });
  await queue.addBulk(jobs(10));
  await counts({ active: 3, waiting: 7 });
  let most = 0;
  await until(
    async () => {
      most = Math.max(most, (gates[0] as Gate).running + (gates[1] as Gate).running);
      for (const gate of gates) gate.openAll();
      return (await queue.getCompletedCount()) === 10;
    },
    { what: 'all jobs', everyMs: 5 },
  );
  expect(most).toBeLessThanOrEqual(3);
});

test('a named worker is stored with its jobs', async () => {
  const { queue, worker, counts } = rig();
  worker(async () => 1, { name: 'emails#31' });
  const job = await queue.add('a', {});
  await counts({ completed: 1 });
  expect((await queue.getJob(job.id))?.processedBy).toBe('emails#31');
});
