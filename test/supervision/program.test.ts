/** The primary as a program: its start, its exit codes, its parent, its signals. */
import cluster from 'node:cluster';
import { join } from 'node:path';
import { pidAlive, startNode } from '../support/process-harness.js';
import { startOwnRedis } from '../support/redis.js';
import { next, until } from '../support/until.js';
import { PRIMARY, TestCluster, untilStatus } from './support.js';

test('starts, works, and exits with 0 on SIGTERM, leaving nothing behind', async () => {
  const cluster = new TestCluster();
  const { program, client } = await cluster.startReady();
  const status = await untilStatus(client, 'both workers to run', ({ groups }) => groups[0]?.workers.running === 2);
  expect(status).toMatchObject({ state: 'running', groups: [{ group: 'work', workers: { desired: 2, running: 2 } }] });
  expect(status.processes.map(({ slot, state }) => [slot, state])).toEqual([
    [0, 'ready'],
    [1, 'ready'],
  ]);
  const pids = status.processes.map(({ pid }) => pid);
  program.kill('SIGTERM');
  expect(await program.exit()).toEqual({ code: 0, signal: null });
  expect(pids.filter(pidAlive)).toEqual([]);
});

test('a second primary of the name exits with 75 and names the first; the first goes on', async () => {
  const cluster = new TestCluster();
  const { program, client } = await cluster.startReady();
  const second = cluster.start();
  expect((await second.exit()).code).toBe(75);
  expect(second.stderr).toBe(
    `drover: another primary (pid ${program.pid}) has the name "${cluster.name}": stop it, or choose another --name\n`,
  );
  expect((await client.request({ type: 'ping' })).pid).toBe(program.pid);
});

test('the name of a primary that was killed is free at once', async () => {
  const cluster = new TestCluster();
  const { program } = await cluster.startReady();
  program.kill('SIGKILL');
  await program.exit();
  const { client } = await cluster.startReady();
  expect((await client.request({ type: 'status' })).state).toBe('running');
});

test('without Redis it exits with 69 and names the address, not the password', async () => {
  const redis = await startOwnRedis();
  const { port } = new URL(redis.url);
  await redis.stop();
  const cluster = new TestCluster({ connection: `redis://:secret@127.0.0.1:${port}`, health: { bootTimeout: '1s' } });
  const program = cluster.start();
  expect((await program.exit()).code).toBe(69);
  expect(program.stderr).toContain(`drover: Redis at 127.0.0.1:${port} cannot be reached`);
  expect(program.output).not.toContain('secret');
});

test('a start that waits for Redis can be stopped', async () => {
  const redis = await startOwnRedis();
  await redis.stop();
  const cluster = new TestCluster({ connection: redis.url });
  const program = cluster.start();
  const client = await cluster.connect(program);
  expect((await client.request({ type: 'status' })).state).toBe('starting');
  program.kill('SIGTERM');
  expect((await program.exit()).code).toBe(0);
});

test('a configuration that cannot be used exits with 78 and one line', async () => {
  const program = new TestCluster({ concurency: 5 }).start();
  expect((await program.exit()).code).toBe(78);
  expect(program.stderr).toMatch(/^drover: .*unknown key "concurency".*\n$/);
});

test('as a worker of node:cluster it exits with 78 and the fix', async () => {
  expect(cluster.isPrimary).toBe(true);
  const program = startNode('--input-type=module', [
    '-e',
    `import cluster from 'node:cluster';
import { join } from 'node:path';
     cluster.setupPrimary({ exec: ${JSON.stringify(PRIMARY)}, execArgv: [] });
     cluster.fork({ pm_id: '0' }).on('exit', (code) => process.exit(code));`,
  ]);
  expect((await program.exit()).code).toBe(78);
  expect(program.stderr).toContain("set exec_mode: 'fork' in ecosystem.config.js");
});

test('tells its parent that it is ready, once, and stops on the message shutdown', async () => {
  const program = new TestCluster().start({ ipc: true });
  const said: unknown[] = [];
  program.child.on('message', (message) => said.push(message));
  await until(() => said.includes('ready'), { what: 'the text ready', limitMs: 20_000 });
  program.child.send('shutdown');
  expect((await program.exit()).code).toBe(0);
  expect(said.filter((message) => message === 'ready')).toHaveLength(1);
});

test('drains when its parent has gone', async () => {
  const program = new TestCluster().start({ ipc: true });
  await program.line('the primary is ready', 20_000);
  const exit = next(program.child, 'exit', 15_000); // `close` does not come on a channel that this side has closed
  program.child.disconnect();
  expect(await exit).toEqual([0, null]);
});

test('a second SIGINT aborts the jobs that the first one waits for', async () => {
  const cluster = new TestCluster({ concurrency: 1 });
  const { program, client } = await cluster.startReady();
  const queue = cluster.queue();
  await queue.add('j', { gate: join(cluster.dir, 'never') });
  await untilStatus(client, 'the job to be in hand', ({ processes }) => processes.some(({ jobsInHand }) => jobsInHand === 1));
  program.kill('SIGINT');
  await program.line('the primary stops');
  expect((await client.request({ type: 'status' })).state).toBe('draining');
  await expect(client.request({ type: 'scale_up' })).rejects.toMatchObject({ code: 'DRAINING' });
  program.kill('SIGINT');
  expect((await program.exit()).code).toBe(80);
  expect(await queue.getJobCounts('waiting', 'active')).toEqual({ waiting: 1, active: 0 });
});

test('SIGTTIN adds a worker, SIGTTOU takes one away', async () => {
  const { program, client } = await new TestCluster().startReady();
  program.kill('SIGTTIN');
  await untilStatus(client, 'three workers to run', ({ groups }) => groups[0]?.workers.running === 3);
  program.kill('SIGTTOU');
  await untilStatus(client, 'two workers to run', ({ groups }) => groups[0]?.workers.running === 2);
});
