import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.js';
import { ROOT } from '../support/cli.js';
import { pidAlive, startNode } from '../support/process-harness.js';
import { startOwnRedis, testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';

const PROGRAM = join(ROOT, 'tools', 'private-redis.mjs');

function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'private-redis-test-'));
  atEnd(() => rmSync(dir, { recursive: true }));
  return dir;
}

function client(url: string): Redis {
  const redis = new Redis(url, { disconnectTimeout: 50 }); // its 2 s would be waited for in full after the server is gone
  redis.on('error', () => {}); // a server that was killed on purpose
  atEnd(() => redis.disconnect());
  return redis;
}

/** Starts the program with a PATH of our making. */
function startWithPath(path: string, env: Record<string, string> = {}) {
  return startNode(PROGRAM, [], { env: { PATH: path, ...env } });
}

/** A package manager that writes down how it was called, and installs by linking this machine's server onto the PATH. */
function fakeManager(dir: string, name: string, installs: boolean): string {
  const server = (process.env.PATH ?? '')
    .split(delimiter)
    .map((each) => join(each, 'redis-server'))
    .find(existsSync);
  const link = installs ? `case "$*" in *redis*) /bin/ln -s "${server}" "${dir}/redis-server";; esac` : 'echo no network >&2; exit 100';
  writeFileSync(join(dir, name), `#!/bin/sh\necho "${name} $* [$DEBIAN_FRONTEND]" >> "${dir}/calls"\n${link}\n`);
  writeFileSync(join(dir, 'sudo'), '#!/bin/sh\nshift\nexec "$@"\n');
  for (const program of [name, 'sudo']) chmodSync(join(dir, program), 0o755);
  return join(dir, 'calls');
}

test('a server answers, keeps its data over a crash, and leaves nothing behind', async () => {
  const redis = await startOwnRedis();
  const connection = client(redis.url);
  expect(await connection.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
  const [, dir] = (await connection.config('GET', 'dir')) as [string, string];
  await connection.set('kept', 'yes');
  const before = redis.pid!;
  await redis.kill();
  expect(redis.pid).toBeUndefined();
  expect(pidAlive(before)).toBe(false);
  await redis.restart();
  expect(await connection.get('kept')).toBe('yes');
  const pid = redis.pid!;
  await redis.stop();
  expect(pidAlive(pid)).toBe(false);
  expect(existsSync(dir)).toBe(false);
  await expect(redis.restart()).rejects.toThrow('stopped for good');
});

test('a directory that was given is kept', async () => {
  const dir = tempDir();
  const first = await startOwnRedis({ dir });
  await client(first.url).set('kept', 'yes');
  await first.stop();
  const second = await startOwnRedis({ dir });
  expect(await client(second.url).get('kept')).toBe('yes');
});

test('the server ends with the process that started it, however that one ends', async () => {
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
    const program = startNode(PROGRAM, [], { env: { PATH: process.env.PATH } });
    const connection = client(await program.line('redis://'));
    const pid = Number(/process_id:(\d+)/.exec(await connection.info('server'))![1]);
    const [, dir] = (await connection.config('GET', 'dir')) as [string, string];
    program.kill(signal);
    const { code } = await program.exit();
    expect(code).toBe(signal === 'SIGKILL' ? null : 0);
    await until(() => !pidAlive(pid) && !existsSync(dir), { what: `server ${pid} and ${dir} to be gone after ${signal}` });
  }
});

test('without a server on PATH the package manager installs one', async () => {
  const dir = tempDir();
  const calls = fakeManager(dir, 'apt-get', true);
  const program = startWithPath(dir);
  const url = await program.line('redis://');
  expect(await client(url).ping()).toBe('PONG');
  expect(readFileSync(calls, 'utf8').split('\n')).toEqual([
    'apt-get update [noninteractive]',
    expect.stringMatching(/^apt-get install -y .*redis-server \[noninteractive]$/),
    '',
  ]);
  expect(program.stderr).toBe('no redis-server or valkey-server on PATH: installing one with apt-get\n');
  program.kill('SIGTERM');
  expect(await program.exit()).toEqual({ code: 0, signal: null });
});

test('an installation that fails shows its output and says in one line what to do', async () => {
  const dir = tempDir();
  const calls = fakeManager(dir, 'dnf', false);
  const program = startWithPath(dir);
  expect(await program.exit()).toEqual({ code: 69, signal: null });
  expect(readFileSync(calls, 'utf8')).toMatch(/^dnf install -y valkey .*\ndnf install -y redis .*\n$/);
  expect(program.stderr).toContain('no network');
  expect(program.stderr.trimEnd().split('\n').at(-1)).toBe(
    'dnf could not install a Redis server: install Redis 6.2 or later (or Valkey), or set REDIS_URL',
  );
});

test('without a server and a package manager there is one line that says what to do', async () => {
  const program = startWithPath(tempDir());
  expect(await program.exit()).toEqual({ code: 69, signal: null });
  expect(program.stderr).toMatch(/^no redis-server or valkey-server on PATH and no known package manager: install Redis .*REDIS_URL\n$/);
});

test('REDIS_URL is used as it is, and its server is not ours to stop', async () => {
  const { port } = new URL(testRedisUrl());
  const program = startWithPath(tempDir(), { REDIS_URL: testRedisUrl() });
  expect(await program.line('redis://')).toBe(testRedisUrl());
  program.kill('SIGTERM');
  expect(await program.exit()).toEqual({ code: 0, signal: null });
  expect(await client(testRedisUrl()).ping()).toBe('PONG');
  expect(port).not.toBe('6379');
});

test.each([
  { given: 'redis://:secret@127.0.0.1:1', want: 'no Redis answers at REDIS_URL (127.0.0.1:1): start it, or unset REDIS_URL\n' },
  { given: 'localhost', want: 'REDIS_URL is not a URL like redis://host:6379\n' },
])('REDIS_URL that is $given is refused in one line', async ({ given, want }) => {
  const program = startWithPath(tempDir(), { REDIS_URL: given });
  expect(await program.exit()).toEqual({ code: 69, signal: null });
  expect(program.stderr).toBe(want);
});

test('a server that cannot start says why', async () => {
  await expect(startOwnRedis({ args: ['--no-such-option', '1'] })).rejects.toThrow(/redis-server did not start|no-such-option/);
});

test('a server too old for us is refused', async () => {
  const dir = tempDir();
  mkdirSync(join(dir, 'bin'));
  // A stand-in that speaks enough of the protocol: a real server of that age is not to be had here.
  const script = `#!${process.execPath}
    const port = Number(process.argv[process.argv.indexOf('--port') + 1]);
    require('node:net').createServer((socket) => socket.once('data', () =>
      socket.write('$50\\r\\nredis_version:5.0.7\\r\\nprocess_id:' + process.pid + '\\r\\n\\r\\n+PONG\\r\\n'))).listen(port, '127.0.0.1');`;
  writeFileSync(join(dir, 'bin', 'redis-server'), script);
  chmodSync(join(dir, 'bin', 'redis-server'), 0o755);
  const program = startWithPath(join(dir, 'bin'));
  expect(await program.exit()).toEqual({ code: 69, signal: null });
  expect(program.stderr).toMatch(/^.*\/redis-server is version 5\.0\.7; 6\.2 or later is needed, or set REDIS_URL\n$/);
});
