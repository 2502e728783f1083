/** The real primary with real processes, commanded by the command line and by a host application that forked it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ControlClient, type StatusReply } from '@drover/cluster/protocol';
import { atEnd } from '../support/at-end.js';
import { drover, droverJson, ROOT, startDrover } from '../support/cli.js';
import { type Program, startNode } from '../support/process-harness.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { privateDir } from './support.js';

const PROCESSOR = join(import.meta.dirname, 'fixture', 'echo.mjs');
const BOOT_LIMIT_MS = 60_000;

/** Arguments of `drover start` for a cluster that nobody else has. */
function startArgs(name: string, ...more: string[]): string[] {
  const where = ['--redis', testRedisUrl(), '--prefix', freshPrefix(), '--name', name];
  return ['start', PROCESSOR, '--queue', 'mail', '--workers', '2', '--concurrency', '5', '--processes', '1..2', ...where, ...more];
}

const hosted = (status: StatusReply): string[] => status.processes.flatMap(({ workers }) => Object.keys(workers)).sort();

describe('the command line', () => {
  let env: NodeJS.ProcessEnv;
  let primary: Program;
  beforeAll(async () => {
    env = { ...process.env, XDG_RUNTIME_DIR: privateDir() };
    primary = startDrover(startArgs('herd'), { env });
    await primary.line('the primary is ready', BOOT_LIMIT_MS);
  });
  const run = (...args: string[]) => drover([...args, '--name', 'herd'], { env });
  const json = <T>(...args: string[]) => droverJson<T>([...args, '--name', 'herd'], { env });

  test('scales up and down while it runs, and shows which process hosts which worker', async () => {
    expect((await run('scale', '2')).code).toBe(0);
    expect(await run('scale', '6')).toEqual({ code: 0, stdout: 'mail: 6 workers\n', stderr: '' });
    const six = await json<StatusReply>('status');
    expect(six.groups).toMatchObject([{ group: 'mail', workers: { desired: 6, running: 6, starting: 0, draining: 0 } }]);
    expect(six.processes.map(({ state, workers }) => [state, Object.keys(workers).length])).toEqual([
      ['ready', 3],
      ['ready', 3],
    ]);
    expect(await run('scale', 'down', '3')).toEqual({ code: 0, stdout: 'mail: 3 workers\n', stderr: '' });
    expect((await run('count')).stdout).toBe('3\n');
    const three = await json<StatusReply>('status');
    expect(hosted(three)).toHaveLength(3);
    expect(hosted(six)).toEqual(expect.arrayContaining(hosted(three)));
    expect((await run('status')).stdout).toContain(hosted(three)[0]);
  });

  test('more than the hard ceiling is clamped and said', async () => {
    const { code, stdout } = await run('scale', '100000', '--no-wait');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining('100000 asked for, 10000 applied: that is the hard ceiling'),
    });
    expect((await run('scale', '2', '--timeout', '60s')).stdout).toBe('mail: 2 workers\n');
  });

  test('a group or an operation that is not there is 1', async () => {
    expect(await run('scale', '2', '-g', 'nope')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^drover: .*nope.*\n$/) });
    expect(await run('op', 'nope')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^drover: .*nope.*\n$/) });
  });

  test('a second primary of the same name is 75 and leaves the first alone', async () => {
    const { code, stderr } = await drover(startArgs('herd'), { env });
    expect({ code, stderr }).toEqual({ code: 75, stderr: expect.stringMatching(/^drover: .*herd.*\n$/) });
    expect((await run('ping')).code).toBe(0);
  });

  test('stop ends it, and its place is free for the next one at once', async () => {
    expect(await run('stop')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^stopped: .* 0 lost\n$/) });
    const next = startDrover(startArgs('herd'), { env });
    await next.line('the primary is ready', BOOT_LIMIT_MS);
    expect((await primary.exit()).code).toBe(0);
    expect((await run('stop')).code).toBe(0);
    expect((await next.exit()).code).toBe(0);
  });
});

describe('a start that cannot be', () => {
  test.each([
    {
      name: 'no such processor',
      config: { groups: { mail: { processor: './none.mjs' } } },
      code: 78,
      says: 'none.mjs, and there is no such file',
    },
    {
      name: 'an unknown key',
      config: { groups: { mail: { processor: PROCESSOR, concurency: 5 } } },
      code: 78,
      says: 'did you mean "?concurrency"?',
    },
    {
      name: 'Redis unreachable',
      config: { connection: 'redis://127.0.0.1:1', health: { bootTimeout: '300ms' }, groups: { mail: { processor: PROCESSOR } } },
      code: 69,
      says: '127.0.0.1:1',
    },
  ])('$name: $code and one line', async ({ config, code, says }) => {
    const dir = privateDir();
    writeFileSync(join(dir, 'drover.config.json'), JSON.stringify(config));
    const env: NodeJS.ProcessEnv = { ...process.env, XDG_RUNTIME_DIR: dir };
    delete env.REDIS_URL;
    const result = await drover(['start'], { env, cwd: dir });
    const ofUs = result.stderr.split('\n').filter((line) => line.startsWith('drover: '));
    expect({ code: result.code, ofUs }).toEqual({ code, ofUs: [expect.stringMatching(new RegExp(says))] });
  });

  test('a socket that cannot be created: 73', async () => {
    const dir = privateDir();
    mkdirSync(join(dir, 'taken.sock'));
    const env = { ...process.env, XDG_RUNTIME_DIR: dir };
    const { code, stderr } = await drover(startArgs('nowhere', '--socket', join(dir, 'taken.sock')), { env });
    expect({ code, stderr }).toEqual({ code: 73, stderr: expect.stringMatching(/drover: cannot create the socket .*taken\.sock/) });
  });
});

test('a host application that forked it is told when it is ready, scales it, and stops it', async () => {
  const dir = privateDir();
  const config = {
    name: 'forked',
    connection: testRedisUrl(),
    prefix: freshPrefix(),
    groups: { mail: { processor: PROCESSOR, workers: 1 } },
    processes: { max: 2 },
  };
  writeFileSync(join(dir, 'drover.config.json'), JSON.stringify(config));
  const env = { ...process.env, XDG_RUNTIME_DIR: dir };
  const primary = startNode(join(ROOT, 'packages/cluster/bin/primary.js'), [join(dir, 'drover.config.json')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const client = await ControlClient.connect({ channel: primary.child });
  atEnd(() => client.close());
  await client.ready({ deadlineMs: BOOT_LIMIT_MS });
  for (const count of [4, 2]) {
    const { result } = await client.run({ type: 'scale_to', count });
    expect(result).toMatchObject({ desired: count });
    expect((await client.request({ type: 'worker_count' })).workers).toMatchObject({ desired: count, running: count });
  }
  const { result } = await client.run({ type: 'stop' });
  expect(result).toMatchObject({ exitCode: 0 });
  expect((await primary.exit()).code).toBe(0);
});
