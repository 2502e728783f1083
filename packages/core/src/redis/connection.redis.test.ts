import { Redis } from 'ioredis';
import { atEnd } from '../../../../test/support/at-end.js';
import { freshPrefix, startOwnRedis, testRedisUrl } from '../../../../test/support/redis.js';
import { next, until } from '../../../../test/support/until.js';
import { ConnectionClosedError, ConnectionLostError } from '../errors/index.js';
import { queueKeys, queueRef } from '../keys/queue-keys.js';
import { Connection, Connections, readServerInfo, workerClientName } from './index.js';

function open(input: ConstructorParameters<typeof Connection>[0], role: 'command' | 'blocking' = 'command', more = {}): Connection {
  const connection = new Connection(input, { role, ...more });
  atEnd(() => connection.close());
  return connection;
}

const quick = (url: string) => ({ ...hostAndPort(url), retryStrategy: () => 20 });
function hostAndPort(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

test('a server that cannot be reached is one clear error, with its address and without credentials', async () => {
  const connection = open('redis://user:secret@127.0.0.1:1', 'command', { readyTimeoutMs: 200 });
  const error = await connection.whenReady().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'REDIS_UNREACHABLE', name: 'RedisUnreachableError', address: '127.0.0.1:1' });
  expect(String((error as Error).stack)).toContain('Redis at 127.0.0.1:1 cannot be reached: connect ECONNREFUSED');
  expect(JSON.stringify(error) + (error as Error).stack).not.toContain('secret');
});

test.each([
  { name: 'alone', input: (url: string) => ({ url: `${url}/3` }), db: 3 },
  { name: 'before what else names a server', input: (url: string) => ({ url: `${url}/3`, host: '127.0.0.1', port: 1, db: 5 }), db: 3 },
  { name: 'with what it leaves open', input: (url: string) => ({ url, db: 4 }), db: 4 },
  { name: 'empty, as if absent', input: (url: string) => ({ url: '', ...hostAndPort(url) }), db: 0 },
])('a URL among the options counts: $name', async ({ input, db }) => {
  const server = await startOwnRedis();
  for (const role of ['command', 'blocking'] as const) {
    const connection = open(input(server.url), role);
    const { host, port } = hostAndPort(server.url);
    expect(connection.address).toBe(`${host}:${port}`);
    await connection.whenReady();
    expect(await connection.send('client', ['info'])).toMatch(new RegExp(` laddr=${host}:${port} .* db=${db} `));
  }
});

test('refused credentials are told at once', async () => {
  const server = await startOwnRedis();
  const admin = new Redis(server.url);
  await admin.config('SET', 'requirepass', 'right');
  admin.disconnect();
  const connection = open({ ...hostAndPort(server.url), password: 'wrong-one' });
  const error = await connection.whenReady().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'REDIS_UNREACHABLE' });
  expect((error as Error).message).toContain('WRONGPASS');
  expect((error as Error).message).not.toContain('wrong-one');
});

test('without a connection commands are rejected at once, and nothing is sent later', async () => {
  const connection = open(testRedisUrl());
  await expect(connection.send('ping', [])).rejects.toThrow(ConnectionLostError);
  await connection.whenReady();
  expect(await connection.send('ping', [])).toBe('PONG');
});

test('a lost connection rejects what was under way and is made anew; a closed one says so', async () => {
  const server = await startOwnRedis();
  const connection = open(quick(server.url), 'blocking');
  await connection.whenReady();
  const offline = next(connection, 'offline');
  const waiting = connection.block('bzpopmin', [freshPrefix(), 5], 5_000).catch((thrown: unknown) => thrown);
  const killer = new Redis(server.url);
  atEnd(() => killer.disconnect());
  await until(async () => String(await killer.call('client', 'list')).includes('cmd=bzpopmin'), {
    what: 'the blocking call to be in Redis',
  });
  const ready = next(connection, 'ready');
  await killer.call('client', 'kill', 'type', 'normal');
  expect(await waiting).toBeInstanceOf(ConnectionLostError);
  await offline;
  await ready;
  expect(await connection.send('ping', [])).toBe('PONG');
  await connection.close();
  await expect(connection.send('ping', [])).rejects.toThrow(ConnectionClosedError);
  await expect(connection.whenReady()).rejects.toThrow(ConnectionClosedError);
});

test('closing cuts off a waiting read', async () => {
  const connection = open(testRedisUrl(), 'blocking');
  await connection.whenReady();
  const waiting = connection.block('bzpopmin', [freshPrefix(), 0], 60_000).catch((thrown: unknown) => thrown);
  await connection.close();
  expect(await waiting).toBeInstanceOf(ConnectionClosedError);
});

test('a waiting read that does not come back after its own timeout costs its socket, not the caller', async () => {
  const server = await startOwnRedis();
  const connection = open(quick(server.url), 'blocking');
  await connection.whenReady();
  // The server was told to wait for ever, the watchdog to expect an answer after 1 ms: what a frozen network looks like.
  const answer = connection.block('bzpopmin', [freshPrefix(), 0], 1).catch((thrown: unknown) => thrown);
  expect(await answer).toBeInstanceOf(ConnectionLostError);
});

test('a client that was handed in is used, stays open, and gives its settings to connections of other roles', async () => {
  const own = new Redis(testRedisUrl());
  atEnd(() => own.disconnect());
  const connections = new Connections({ connection: own, blockingName: workerClientName(queueRef('mail'), 'w1') });
  await connections.command.whenReady();
  await connections.blocking.whenReady();
  expect(await connections.blocking.send('client', ['getname'])).toBe(`bull:${Buffer.from('mail').toString('base64')}:w:w1`);
  await connections.close();
  expect(own.status).toBe('ready');
  expect(await own.ping()).toBe('PONG');
});

test('a key prefix of the client is refused', () => {
  expect(() => new Connection({ keyPrefix: 'x:' }, { role: 'command' })).toThrow('connection.keyPrefix must be absent');
});

test('scripts that Redis has forgotten are sent again, and only the refused calls run a second time', async () => {
  const server = await startOwnRedis();
  const connections = new Connections({ connection: server.url });
  atEnd(() => connections.close());
  await connections.command.whenReady();
  const keys = [queueKeys(queueRef('q')).meta];
  await connections.scripts.call('pause', keys, []);
  await connections.command.send('script', ['flush']);
  const replies = await connections.scripts.callAll([
    { script: 'get-state', keys, args: ['1'] },
    { script: 'pause', keys, args: [] },
    { script: 'get-counts', keys, args: [] },
  ]);
  expect(replies).toEqual(['unknown', 1, [0, 0, 0, 0, 0, 0, 0, 0]]);
  expect(await connections.command.send('xlen', [queueKeys(queueRef('q')).events])).toBe(2);
});

test('a call that fails inside Redis is an error in its place, named after its script', async () => {
  const prefix = freshPrefix();
  const { meta, marker } = queueKeys(queueRef('q', prefix));
  const connections = new Connections({ connection: testRedisUrl() });
  atEnd(() => connections.close());
  await connections.command.whenReady();
  await connections.command.send('set', [meta, 'not a hash']);
  const [failed, fine] = await connections.scripts.callAll([
    { script: 'pause', keys: [meta], args: [] },
    { script: 'get-state', keys: [meta], args: ['1'] },
  ]);
  expect(failed).toMatchObject({ code: 'COMMAND_FAILED', message: expect.stringMatching(/^script pause failed in Redis: WRONGTYPE/) });
  expect(fine).toBe('unknown');
  expect(await connections.command.send('exists', [marker])).toBe(0);
});

test('the server says what it is', async () => {
  const connection = open(testRedisUrl());
  await connection.whenReady();
  expect(await readServerInfo(connection)).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+\.\d+/), isCluster: false });
});
