/** The unix socket against whoever can reach it: who may, what is in its place, and clients that do not behave. */
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ControlClient } from '@drover/cluster/protocol';
import { atEnd } from '../support/at-end.js';
import { startNode } from '../support/process-harness.js';
import { until } from '../support/until.js';
import { Bytes, privateDir, refusedFixture, request, startFixture } from './support.js';

const line = (message: object): string => `${JSON.stringify(message)}\n`;
const mode = (path: string): number => lstatSync(path).mode & 0o777;

async function connect(socket: string): Promise<ControlClient> {
  const client = await ControlClient.connect({ socket });
  atEnd(() => client.close());
  return client;
}

/** A socket file that nobody listens on: what a killed primary leaves. */
async function leaveStaleSocket(path: string): Promise<void> {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const program = startNode('-e', [script]);
  await program.line('up');
  program.kill('SIGKILL');
  await program.exit();
  expect(lstatSync(path).isSocket()).toBe(true);
}

describe('acceptance 15: the file', () => {
  test('is born with mode 0600, whatever the umask is, in a directory that is made 0700', async () => {
    const socket = join(privateDir(), 'made', 'for', 'it', 's.sock');
    const seen = startNode('-e', [
      `process.umask(0); process.env.FIXTURE_SOCKET = ${JSON.stringify(socket)}; import(${JSON.stringify(join(import.meta.dirname, 'fixture/primary.mjs'))})`,
    ]);
    await seen.line(/^listening/);
    expect(mode(socket)).toBe(0o600);
    expect(mode(join(socket, '..'))).toBe(0o700);
  });

  test('is gone after a stop', async () => {
    const { program, socket } = await startFixture();
    await (await connect(socket)).run({ type: 'stop' });
    expect((await program.exit()).code).toBe(0);
    expect(() => lstatSync(socket)).toThrow('ENOENT');
  });

  test('of a dead primary is replaced', async () => {
    const socket = join(privateDir(), 's.sock');
    await leaveStaleSocket(socket);
    await startFixture({ FIXTURE_SOCKET: socket });
    expect(await (await connect(socket)).request({ type: 'ping' })).toMatchObject({ name: 'fixture' });
    expect(mode(socket)).toBe(0o600);
  });

  test('of a living primary is left alone: exit 75', async () => {
    const { socket } = await startFixture();
    const { code, stderr } = await refusedFixture({ FIXTURE_SOCKET: socket });
    expect({ code, stderr }).toEqual({ code: 75, stderr: expect.stringContaining(`another primary listens on ${socket}`) });
    expect(await (await connect(socket)).request({ type: 'ping' })).toMatchObject({ name: 'fixture' });
  });

  test('that is no socket is left alone: exit 73', async () => {
    const path = join(privateDir(), 's.sock');
    writeFileSync(path, 'precious');
    const { code, stderr } = await refusedFixture({ FIXTURE_SOCKET: path });
    expect({ code, stderr }).toEqual({ code: 73, stderr: expect.stringContaining('a file that is no socket is in its place') });
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  test('that is a symbolic link is left alone, also when it leads to a dead socket: exit 73', async () => {
    const dir = privateDir();
    await leaveStaleSocket(join(dir, 'target.sock'));
    symlinkSync(join(dir, 'target.sock'), join(dir, 's.sock'));
    const { code, stderr } = await refusedFixture({ FIXTURE_SOCKET: join(dir, 's.sock') });
    expect({ code, stderr }).toEqual({ code: 73, stderr: expect.stringContaining('a symbolic link is in its place') });
    expect(readdirSync(dir).sort()).toEqual(['s.sock', 'target.sock']);
  });

  test('whose path is too long is refused: exit 73, and a client says so, too', async () => {
    const path = join(privateDir(), 'x'.repeat(120));
    const { code, stderr } = await refusedFixture({ FIXTURE_SOCKET: path });
    expect({ code, stderr }).toEqual({ code: 73, stderr: expect.stringContaining('choose a shorter one with --socket') });
    await expect(ControlClient.connect({ socket: path })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  test('in a directory where others may replace it is refused: exit 73', async () => {
    const dir = privateDir();
    chmodSync(dir, 0o777);
    const { code, stderr } = await refusedFixture({ FIXTURE_SOCKET: join(dir, 's.sock') });
    expect({ code, stderr }).toEqual({ code: 73, stderr: expect.stringContaining('others may replace files in it') });
  });

  test('that cannot be created is refused: exit 73', async () => {
    const dir = privateDir();
    writeFileSync(join(dir, 'file'), '');
    const { code, stderr } = await refusedFixture({ FIXTURE_SOCKET: join(dir, 'file', 's.sock') });
    expect({ code, stderr }).toEqual({ code: 73, stderr: expect.stringMatching(/^SOCKET: cannot create the socket/) });
  });
});

describe('the place of a name', () => {
  test('is below the runtime directory, and the name leads a client there', async () => {
    const dir = privateDir();
    const { socket } = await startFixture({ FIXTURE_SOCKET: '', FIXTURE_NAME: 'mail', XDG_RUNTIME_DIR: dir });
    expect(socket).toBe(join(dir, 'drover', 'mail.sock'));
    expect(mode(join(dir, 'drover'))).toBe(0o700);
    process.env.XDG_RUNTIME_DIR = dir;
    atEnd(() => {
      delete process.env.XDG_RUNTIME_DIR;
    });
    const client = await ControlClient.connect({ name: 'mail' });
    atEnd(() => client.close());
    expect(await client.request({ type: 'ping' })).toMatchObject({ name: 'mail' });
    await expect(ControlClient.connect({ name: 'nobody' })).rejects.toMatchObject({
      code: 'PEER_GONE',
      message: expect.stringContaining('no primary named "nobody" is running'),
    });
  });

  test('that others can enter is passed over by a primary and not trusted by a client', async () => {
    const dir = privateDir();
    const temp = privateDir();
    mkdirSync(join(dir, 'drover'));
    chmodSync(join(dir, 'drover'), 0o755);
    await leaveStaleSocket(join(dir, 'drover', 'trapped.sock'));
    const around = { platform: 'darwin', uid: process.getuid?.(), runtimeDir: dir, tempDir: temp } as const; // without /run
    const { claimSocketPath, findSocketPath } = await import('@drover/cluster/protocol');
    expect(() => findSocketPath('trapped', around)).toThrow('its mode is 0755, it has to be 0700');
    expect(claimSocketPath('trapped', around)).toBe(join(temp, `drover-${process.getuid?.()}`, 'trapped.sock'));
    chmodSync(join(temp, `drover-${process.getuid?.()}`), 0o711);
    expect(() => claimSocketPath('trapped', around)).toThrow('no place for the socket of "trapped"');
  });
});

describe('acceptance 15: clients that do not behave', () => {
  let socket: string;
  beforeAll(async () => {
    ({ socket } = await startFixture());
  });

  /** The proof that the primary is unmoved: another client is answered. */
  async function isUnmoved(): Promise<void> {
    const client = await ControlClient.connect({ socket });
    expect(await client.request({ type: 'ping' })).toMatchObject({ name: 'fixture' });
    client.close();
  }

  test.each([
    { name: 'null', bytes: 'null\n', text: 'a request must be an object, got null' },
    { name: 'a number', bytes: '7\n', text: 'got 7' },
    { name: 'a text', bytes: '"stop"\n', text: 'got "stop"' },
    { name: 'a list', bytes: '[1]\n', text: 'got a list' },
    { name: 'bad JSON', bytes: '{"v":1,\n', text: 'not a line of JSON' },
    { name: 'bytes that are no text', bytes: Buffer.from([0xff, 0xfe, 0x00, 0x0a]), text: 'not a line of JSON' },
    { name: 'HTTP', bytes: 'GET / HTTP/1.1\r\n', text: 'not a line of JSON' },
  ])('$name is answered BAD_REQUEST, and the connection goes on', async ({ bytes, text }) => {
    const client = await Bytes.connect(socket);
    client.write(bytes);
    const { error } = await client.find(({ ok }) => ok === false);
    expect(error).toMatchObject({ code: 'BAD_REQUEST', message: expect.stringContaining(text) });
    client.write(line(request('next', { type: 'ping' })));
    expect(await client.find(({ rid }) => rid === 'next')).toMatchObject({ ok: true });
  });

  test('half a frame disturbs nobody, and its other half may come later', async () => {
    const client = await Bytes.connect(socket);
    const frame = line(request('late', { type: 'ping' }));
    client.write(frame.slice(0, 20));
    await isUnmoved();
    client.write(frame.slice(20));
    expect(await client.find(({ rid }) => rid === 'late')).toMatchObject({ ok: true });
  });

  test('half a frame and then nothing more disturbs nobody', async () => {
    const client = await Bytes.connect(socket);
    client.write('{"v":1,"kind":"req"');
    client.socket.end();
    await client.closed();
    expect(client.text).toBe('');
    await isUnmoved();
  });

  test('a frame of 5 MB is answered BAD_REQUEST, and the connection ends', async () => {
    const client = await Bytes.connect(socket);
    client.write(Buffer.alloc(5 * 1024 * 1024, 'x'));
    const { error } = await client.find(({ ok }) => ok === false);
    expect(error).toMatchObject({ code: 'BAD_REQUEST', message: 'a line of more than 65536 bytes' });
    await client.closed();
    await isUnmoved();
  });

  test('a stream that never ends a line is cut off', async () => {
    const client = await Bytes.connect(socket);
    const pour = (): void => {
      while (!client.isClosed && client.socket.writable && client.socket.write(Buffer.alloc(1024 * 1024, 'x')));
    };
    client.socket.on('drain', pour);
    pour();
    await client.closed();
    await isUnmoved();
  });

  test('many frames in one write are all answered', async () => {
    const client = await Bytes.connect(socket);
    client.write(Array.from({ length: 20 }, (_, i) => line(request(`r${i}`, { type: 'ping' }))).join(''));
    await client.find(({ rid }) => rid === 'r19');
    expect(client.messages.map(({ rid, ok }) => [rid, ok])).toEqual(Array.from({ length: 20 }, (_, i) => [`r${i}`, true]));
  });

  test('100 idle clients leave room for the next one', async () => {
    const idle = await Promise.all(Array.from({ length: 100 }, () => Bytes.connect(socket)));
    await isUnmoved();
    expect(idle.filter(({ isClosed }) => isClosed)).toEqual([]);
  });

  test('a client that asks and does not read is no longer read from', async () => {
    const client = await Bytes.connect(socket);
    client.socket.pause();
    const frame = line(request('r', { type: 'status' }));
    const pour = (): void => {
      while (client.socket.write(frame.repeat(100)));
    };
    client.socket.on('drain', pour);
    pour();
    const taken: number[] = [];
    const isStuck = (): boolean => taken.push(client.socket.bytesWritten) > 10 && new Set(taken.slice(-10)).size === 1;
    await until(isStuck, { what: 'the primary to stop reading' });
    await isUnmoved();
    client.socket.off('drain', pour);
    client.socket.resume();
    await client.find(({ rid }) => rid === 'r');
  });

  test('a subscriber that does not read is dropped, and the primary does not wait for it', async () => {
    const slow = await Bytes.connect(socket);
    slow.write(line(request('sub', { type: 'subscribe', topics: ['worker.*'] })));
    await slow.find(({ rid }) => rid === 'sub');
    slow.socket.pause();
    const client = await connect(socket);
    for (let i = 0; i < 3; i++) await client.request({ type: 'scale_up', group: 'flood', count: 1_000 });
    await isUnmoved();
    slow.socket.resume();
    await slow.closed();
    const last = slow.text.split('\n').slice(0, -1).length;
    expect(last).toBeLessThan(3_000);
  });
});

test('for one client more than there are places, the one that was idle longest goes; who follows something stays', async () => {
  const { socket } = await startFixture({ FIXTURE_MAX_CLIENTS: '3' });
  const subscriber = await Bytes.connect(socket);
  subscriber.write(line(request('1', { type: 'subscribe', topics: ['*'] })));
  await subscriber.find(({ rid }) => rid === '1');
  const first = await Bytes.connect(socket);
  const second = await Bytes.connect(socket);
  for (const client of [second, first]) {
    client.write(line(request('1', { type: 'ping' })));
    await client.find(({ rid }) => rid === '1');
  }
  await connect(socket);
  await second.closed();
  expect(second.messages.at(-1)).toMatchObject({ rid: '', error: { code: 'PEER_GONE' } });
  expect([subscriber.isClosed, first.isClosed]).toEqual([false, false]);
});

test('a client whose other side is no primary is told so', async () => {
  const path = join(privateDir(), 's.sock');
  const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  atEnd(() => server.close());
  const client = await connect(path);
  expect(await client.closed).toMatchObject({ code: 'PEER_GONE', message: expect.stringContaining('the other side is no primary') });
});
