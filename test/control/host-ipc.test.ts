/** The channel of a host application that forked the primary: what is ours on it, what is not, and its end. */
import type { ChildProcess } from 'node:child_process';
import { ControlClient } from '@drover/cluster/protocol';
import { atEnd } from '../support/at-end.js';
import { until } from '../support/until.js';
import { request, startFixture } from './support.js';

async function connect(channel: ChildProcess): Promise<ControlClient> {
  const client = await ControlClient.connect({ channel });
  atEnd(() => client.close());
  return client;
}

test('the parent is told primary.ready without asking', async () => {
  const { program } = await startFixture({ FIXTURE_BOOT: 'held' }, true);
  const heard: { topic?: string }[] = [];
  program.child.on('message', (message) => heard.push(message as object));
  const client = await connect(program.child);
  await client.request({ type: 'worker_count' }); // makes the fixture ready
  await until(() => heard.some(({ topic }) => topic === 'primary.ready'), { what: 'primary.ready' });
});

test('messages that are none of ours are ignored, and get no answer', async () => {
  const { program } = await startFixture({}, true);
  const replies: object[] = [];
  program.child.on('message', (message: { kind?: string }) => message.kind === 'res' && replies.push(message));
  const foreign = [
    'hello',
    'ready',
    7,
    true,
    [],
    {},
    { type: 'mine', data: { x: 1 } },
    { kind: 'res', v: 1, rid: '1' },
    { v: 1, kind: 'evt' },
  ];
  const pm2 = [{ id: 0, type: 'process:msg', topic: 'drover', data: {} }, { msg: 'scale_up', opts: '2' }, 'scale_up'];
  for (const message of [...foreign, ...pm2]) program.child.send(message);
  const client = await connect(program.child);
  expect(await client.request({ type: 'worker_count' })).toMatchObject({ count: 2 });
  expect(replies).toHaveLength(1);
});

test('a message of 5 MB is refused, and the primary is unmoved', async () => {
  const { program } = await startFixture({}, true);
  const heard: string[] = [];
  program.child.on('message', (message: { error?: { message: string } }) => message.error && heard.push(message.error.message));
  program.child.send(request('big', { type: 'operation', opId: 'x'.repeat(5 * 1024 * 1024) }));
  const client = await connect(program.child);
  expect(await client.request({ type: 'ping' })).toMatchObject({ name: 'fixture' });
  expect(heard).toEqual([expect.stringContaining('at most 65536 are allowed')]);
});

test('the bare text shutdown asks the primary to stop', async () => {
  const { program } = await startFixture({}, true);
  program.child.send('shutdown');
  await program.line('asked to stop');
  expect(await program.exit()).toEqual({ code: 0, signal: null });
});

test('a parent that closes the channel is gone, and its client hears PEER_GONE', async () => {
  const { program } = await startFixture({}, true);
  const client = await connect(program.child);
  await client.request({ type: 'ping' });
  program.child.disconnect();
  expect((await client.closed).code).toBe('PEER_GONE');
  await program.line('parent gone');
  await until(() => program.child.exitCode === 0, { what: 'the primary to stop' }); // Node tells no 'close' of a channel we closed
});

test('two clients share one channel, each with its own answers', async () => {
  const { program } = await startFixture({}, true);
  const [a, b] = [await connect(program.child), await connect(program.child)];
  const [ping, count] = await Promise.all([a.request({ type: 'ping' }), b.request({ type: 'worker_count' })]);
  expect([ping.name, count.count]).toEqual(['fixture', 2]);
  a.close();
  expect(await b.request({ type: 'ping' })).toMatchObject({ name: 'fixture' });
});

test('a client of a child that is gone already is refused', async () => {
  const { program } = await startFixture({}, true);
  program.kill('SIGKILL');
  await program.exit();
  const client = await connect(program.child);
  await expect(client.request({ type: 'ping' })).rejects.toMatchObject({ code: 'PEER_GONE' });
});
