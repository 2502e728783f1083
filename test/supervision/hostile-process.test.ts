/** Processes run user code: whatever one of them says, the primary is unmoved. */
import { until } from '../support/until.js';
import { completed, fixture, TestCluster } from './support.js';

test.each(['null', 'big', 'forged', 'stolen'])('acceptance 14: a process that sends %s does not move the primary', async (what) => {
  const cluster = new TestCluster({ processor: fixture('hostile.mjs'), maxStalledCount: 10 });
  const { program, client } = await cluster.startReady();
  const queue = cluster.queue();
  await queue.add('hostile', { what });
  await until(async () => (await completed(queue)) === 1, { what: 'the hostile job to complete', limitMs: 20_000 });
  expect(await client.request({ type: 'ping' })).toMatchObject({ pid: program.pid });
  expect((await client.request({ type: 'status' })).state).toBe('running');
  expect((await client.request({ type: 'worker_count' })).count).toBe(2);
});

test('acceptance 14: a process that writes bytes to its channel that are no message is killed; the primary goes on', async () => {
  const cluster = new TestCluster({ processor: fixture('hostile.mjs'), maxStalledCount: 10 });
  const { program, client } = await cluster.startReady();
  const before = await client.request({ type: 'status' });
  const queue = cluster.queue();
  const job = await queue.add('hostile', { what: 'bad' });
  const replaced = () => client.request({ type: 'status' });
  await until(async () => (await replaced()).processes.some(({ restarts }) => restarts > 0), {
    what: 'the process to be replaced',
    limitMs: 20_000,
  });
  expect(program.output).toContain('wrote to its channel what is no message');
  expect(await client.request({ type: 'ping' })).toMatchObject({ pid: program.pid });
  expect(before.state).toBe('running');
  expect(job.id).toBeDefined();
});
