/** Restart types with real forks: what is not started again is not asked for any more either. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixture, TestCluster, untilStatus } from './support.js';

async function foreignCluster(restart: string) {
  const cluster = new TestCluster({ processor: undefined, worker: fixture('foreign.mjs'), workers: 3, restart, processes: { max: 1 } });
  const end = join(cluster.dir, 'end');
  const program = cluster.start({ env: { FOREIGN_END: end } });
  const client = await cluster.connect(program);
  await untilStatus(client, 'three workers to run', ({ groups }) => groups[0]?.workers.running === 3);
  return { client, end };
}

test('a transient worker that ends by itself is forgotten: the group is one smaller', async () => {
  const { client, end } = await foreignCluster('transient');
  writeFileSync(end, 'work#2\n');
  const status = await untilStatus(client, 'the group to be smaller', ({ groups }) => groups[0]?.workers.desired === 2);
  expect(status.groups[0]?.workers).toEqual({ desired: 2, running: 2, starting: 0, draining: 0, parked: 0 });
  const { items } = await client.request({ type: 'list', what: 'workers' });
  expect(items.map((item) => 'worker' in item && item.worker)).toEqual(['work#1', 'work#3']);
});

test('a permanent worker that ends by itself again and again is parked; it stays desired, is not counted, and goes first', async () => {
  const { client, end } = await foreignCluster('permanent');
  writeFileSync(end, 'work#2\n');
  const status = await untilStatus(client, 'the worker to be parked', ({ groups }) => groups[0]?.workers.parked === 1);
  expect(status).toMatchObject({ state: 'degraded', groups: [{ workers: { desired: 3, running: 2 } }] });
  expect((await client.request({ type: 'worker_count' })).count).toBe(2);
  await client.run({ type: 'scale_down' });
  const { items } = await client.request({ type: 'list', what: 'workers' });
  expect(items.map((item) => 'worker' in item && item.worker)).toEqual(['work#1', 'work#3']);
});

test('a process that its restart type does not start again is parked, and its workers move', async () => {
  const { client } = await new TestCluster({ workers: 3, supervision: { processes: { restart: 'temporary' } } }).startReady();
  const { processes } = await untilStatus(client, 'three workers to run', ({ groups }) => groups[0]?.workers.running === 3);
  process.kill(processes[0]?.pid as number, 'SIGKILL');
  const status = await untilStatus(
    client,
    'the workers to run elsewhere',
    ({ groups, processes: [first] }) => first?.state === 'parked' && groups[0]?.workers.running === 3,
  );
  expect(status.state).toBe('degraded');
  expect(Object.keys(status.processes[1]?.workers ?? {}).sort()).toEqual(['work#1', 'work#2', 'work#3']);
});
