/** The command line as a user meets it: what it prints where, and the code it ends with. */
import { join } from 'node:path';
import { ControlClient, type EventEnvelope } from '@drover/cluster/protocol';
import { main } from '../../packages/cli/dist/main.js';
import { atEnd } from '../support/at-end.js';
import { type CliResult, drover, droverJson } from '../support/cli.js';
import { until } from '../support/until.js';
import { privateDir, startFixture } from './support.js';

let socket: string;
const run = (...args: string[]): Promise<CliResult> => drover([...args, '--socket', socket]);

beforeAll(async () => {
  ({ socket } = await startFixture());
});

async function connect(path = socket): Promise<ControlClient> {
  const client = await ControlClient.connect({ socket: path });
  atEnd(() => client.close());
  return client;
}

describe('scale', () => {
  test.each([
    { args: ['scale', '6'], says: 'mail: 6 workers' },
    { args: ['scale', 'up'], says: 'mail: 3 workers' },
    { args: ['scale', 'up', '4'], says: 'mail: 6 workers' },
    { args: ['scale', 'down'], says: 'mail: 1 worker' },
    { args: ['scale', '6', '-g', 'mail'], says: 'mail: 6 workers' },
    { args: ['scale', '100000'], says: "mail: 100 workers; 100000 asked for, 100 applied: that is the group's maximum" },
    { args: ['scale', 'down', '10'], says: "mail: 0 workers; 10 asked for, 2 applied: that is the group's minimum" },
  ])('drover $args', async ({ args, says }) => {
    await run('scale', '2');
    expect(await run(...args)).toEqual({ code: 0, stdout: `${says}\n`, stderr: '' });
  });

  test('--json prints one document with what was asked, applied and desired', async () => {
    await run('scale', '2');
    expect(await droverJson(['scale', 'up', '500', '--socket', socket])).toEqual({
      ...{ opId: expect.any(String), group: 'mail', requested: 500, applied: 98, desired: 100, reason: 'at_max', state: 'done' },
    });
  });

  test('--no-wait returns with the operation, which goes on', async () => {
    const accepted = await droverJson<{ opId: string }>(['scale', '3', '-g', 'slow', '--no-wait', '--socket', socket]);
    expect(accepted).toMatchObject({ state: 'accepted' });
    const { code, stdout } = await run('op', accepted.opId);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${accepted.opId} (scale_to): running, 1 of 3\n` });
  });

  test('victim and count reach the primary', async () => {
    const audit: EventEnvelope[] = [];
    await (await connect()).on('audit', (event) => audit.push(event));
    await run('scale', 'down', '1', '--victim', 'idle');
    await until(() => audit.length > 0, { what: 'the audit' });
    expect(audit[0]?.data.command).toEqual({ type: 'scale_down', count: 1, victim: 'idle' });
  });

  test('an operation that fails ends with 1, and says why', async () => {
    expect(await run('scale', '3', '-g', 'broken')).toEqual({ code: 1, stdout: '', stderr: 'drover: the workers do not start\n' });
  });

  test('out of time it ends with 75 and names the operation, which can be waited for again', async () => {
    const { code, stderr } = await run('scale', '3', '-g', 'slow', '--timeout', '100ms');
    expect({ code, stderr }).toEqual({
      code: 75,
      stderr: expect.stringMatching(/^drover: operation op-\d+ goes on: .*"drover op op-\d+ --wait"\n$/),
    });
    const again = await run('op', /op-\d+/.exec(stderr)?.[0] ?? '', '--wait', '--timeout', '100ms');
    expect(again.code).toBe(75);
  });
});

describe('replace', () => {
  test.each([
    { args: ['reload'], says: 'reload: replaced 1 slot' },
    { args: ['reload', '--canary', '1', '--probation', '30s', '--surge', '2', '--unavailable', '1'], says: 'reload: replaced 1 slot' },
    { args: ['restart', '0'], says: 'restart: replaced 1 slot' },
    { args: ['restart', '0', '--now'], says: 'restart: replaced 1 slot' },
    { args: ['recycle'], says: 'recycle: replaced 1 slot' },
    { args: ['recycle', '0'], says: 'recycle: replaced 1 slot' },
  ])('drover $args', async ({ args, says }) => {
    expect(await run(...args)).toEqual({ code: 0, stdout: `${says}\n`, stderr: '' });
  });

  test('what was asked for reaches the primary', async () => {
    const audit: EventEnvelope[] = [];
    await (await connect()).on('audit', (event) => audit.push(event));
    await run('reload', '--canary', '1', '--probation', '30s', '--surge', '2', '--unavailable', '1');
    await run('restart', '0', '--now');
    await until(() => audit.length > 1, { what: 'the audit' });
    expect(audit.map(({ data }) => data.command)).toEqual([
      { type: 'reload', canary: 1, probationMs: 30_000, maxSurge: 2, maxUnavailable: 1 },
      { type: 'restart', slot: 0, mode: 'now' },
    ]);
  });

  test('a slot that is not there is refused with 1, a restart of nothing with 64', async () => {
    expect(await run('restart', '7')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^drover: .*7.*\n$/) });
    expect(await run('restart')).toMatchObject({ code: 64, stdout: '' });
  });

  test('--json names the operation, what was replaced, and the release', async () => {
    const document = await droverJson(['reload', '--socket', socket]);
    expect(document).toMatchObject({ opId: expect.any(String), state: 'done', replaced: [0], generation: expect.any(Number) });
  });
});

describe('look', () => {
  test('count prints the number alone', async () => {
    await run('scale', '5');
    expect(await run('count')).toEqual({ code: 0, stdout: '5\n', stderr: '' });
    expect(await droverJson(['count', '--socket', socket])).toMatchObject({ count: 5, groups: { mail: { running: 5 } } });
  });

  test.each(['status', 'ps', 'ls'])('%s shows groups, processes with their workers, and operations', async (verb) => {
    await run('scale', '3');
    const { code, stdout, stderr } = await run(verb);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^fixture: running, 3 workers running in 1 ready process, generation 1\n/);
    expect(stdout).toMatch(/\nmail +3 +3 +0 +0 +0 +50 +0 +100 +mail\n/);
    expect(stdout).toMatch(/\n +0 +\d+ +ready +1m 1s +50 MB +3 +0 +mail#001 mail#002 mail#003\n/);
    expect(stdout).toMatch(/op-\d+ +scale_to +done +3\/3/);
    expect(stdout).not.toContain('\u001b');
  });

  test('status --json is the reply as it is', async () => {
    await run('scale', '3');
    const status = await droverJson(['status', '--socket', socket]);
    expect(status).toMatchObject({
      name: 'fixture',
      state: 'running',
      groups: [{ group: 'mail', workers: { desired: 3 } }],
      processes: [{ slot: 0 }],
    });
  });

  test('show restarts tells cause, reason, jobs in hand and the last lines of each exit', async () => {
    const { code, stdout, stderr } = await run('show', 'restarts');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      'slot 0: ready, 1 restart',
      expect.stringMatching(/^ {2}\d+\w.* ago {2}hang: its event loop stood still for 12034 ms, after 1m$/),
      '    in hand: mail/7',
      '    | at spin (mail.js:3:1)',
      '',
    ]);
    const document = await droverJson(['show', 'restarts', '--slot', '0', '--socket', socket]);
    expect(document).toMatchObject({ slots: [{ slot: 0, exits: [{ cause: 'hang', jobs: [{ jobId: '7' }] }] }], isCut: false });
  });

  test('op shows how one ended; ping who answers', async () => {
    const { opId } = await droverJson<{ opId: string }>(['scale', '3', '--socket', socket]);
    expect((await run('op', opId)).stdout).toBe(`${opId} (scale_to): done\n`);
    expect(await droverJson(['op', opId, '--wait', '--socket', socket])).toMatchObject({ opId, state: 'done', result: { desired: 3 } });
    expect((await run('ping')).stdout).toMatch(/^fixture answers: pid \d+, version 0\.1\.0, up \d+s\n$/);
  });

  test('op of a failed operation ends with 1, waited for or not', async () => {
    const { opId } = await droverJson<{ opId: string }>(['scale', '3', '-g', 'broken', '--no-wait', '--socket', socket]);
    for (const args of [['--wait'], []]) {
      const { code, stdout } = await run('op', opId, ...args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: `${opId} (scale_to): failed: the workers do not start\n` });
    }
  });
});

describe('bad input is one line on stderr and the right code', () => {
  test.each([
    { args: [], code: 64, says: 'no command given; see "drover --help", or try "drover status"' },
    { args: ['scal', '3'], code: 64, says: 'unknown command "scal"; did you mean "drover scale"?' },
    {
      args: ['frobnicate'],
      code: 64,
      says: 'unknown command "frobnicate"; commands: start, scale, reload, restart, recycle, stop, status, count, show, op, ping, bench',
    },
    { args: ['scale'], code: 64, says: 'scale: how many workers? Use "scale 6", "scale up 2" or "scale down 2"' },
    { args: ['scale', '-3'], code: 64, says: 'scale: -3 is below zero; to have fewer workers use "scale down 3"' },
    { args: ['scale', 'abc'], code: 64, says: 'scale: "abc" is not a number of workers; use a whole number, as in "scale 4"' },
    { args: ['scale', 'up', '-2'], code: 64, says: 'scale up: -2 is below zero; to have fewer workers use "scale down 2"' },
    { args: ['scale', '2', '3'], code: 64, says: 'scale: takes one number, got "2" and "3"' },
    { args: ['scale', 'up', '2', '3'], code: 64, says: 'scale: "3" is one argument too many; see "drover scale --help"' },
    { args: ['scale', '2', '--victim', 'best'], code: 64, says: '--victim: must be oldest, youngest, idle, got "best"' },
    {
      args: ['scale', 'up', '--victim', 'idle'],
      code: 64,
      says: 'scale up: nobody has to go, so --victim means nothing here; leave it out',
    },
    { args: ['count', '--jsn'], code: 64, says: 'unknown option --jsn; did you mean --json?' },
    { args: ['count', '-x'], code: 64, says: 'unknown option -x; see "drover --help"' },
    { args: ['count', '--group'], code: 64, says: 'option --group needs a value' },
    { args: ['count', '--group='], code: 64, says: 'option --group needs a value' },
    {
      args: ['count', '--timeout', 'soon'],
      code: 64,
      says: '--timeout must be a duration: ms as a number, or a text such as "250ms", "10s" or "5m", got "soon"',
    },
    { args: ['stop', '--fast', '--now'], code: 64, says: 'stop: --fast and --now exclude each other; keep one' },
    { args: ['op'], code: 64, says: 'op: which operation? Use "op ID"; "drover status" lists them' },
    { args: ['op', 'op-0'], code: 1, says: 'no operation "op-0"' },
    { args: ['scale', '2', '-g', 'nope'], code: 1, says: 'no group "nope"' },
    { args: ['start', '--processes', '4..2'], code: 64, says: '--processes: 4 is above 2 in "4..2"' },
    {
      args: ['start', '--workers', 'many'],
      code: 64,
      says: '--workers: must be a whole number of at least 0, "1x" or "2x" (per core), got "many"',
    },
    { args: ['count', '--name', '../x', '--socket='], code: 64, says: 'option --socket needs a value' },
  ])('drover $args: $code', async ({ args, code, says }) => {
    const env = { ...process.env, DROVER_CONTROL_SOCKET: socket };
    expect(await drover(args, { env })).toEqual({ code, stdout: '', stderr: `drover: ${says}\n` });
    const { code: jsonCode, stdout, stderr } = await drover([...args, '--json'], { env });
    if (args.at(-1) === '--group') return; // its value is --json then
    expect({ code: jsonCode, stderr }).toEqual({ code, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: expect.stringMatching(/^[A-Z_]+$/), message: says } });
  });

  test('no primary is 69, and the line says what to do', async () => {
    const nobody = await drover(['status', '--name', 'nobody']);
    const says =
      'drover: no primary named "nobody" is running; start one with "drover start", or point to another with --name or --socket\n';
    expect(nobody).toEqual({ code: 69, stdout: '', stderr: says });
    const path = join(privateDir(), 'none.sock');
    const { code, stderr } = await drover(['scale', '2', '--socket', path]);
    expect({ code, stderr }).toEqual({ code: 69, stderr: expect.stringContaining(`there is no socket ${path}`) });
  });

  test('a name or a path that cannot be is 64', async () => {
    expect(await drover(['ping', '--name', '../x'])).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('name must be 1 to 64 letters'),
    });
    expect(await drover(['ping', '--socket', `/${'x'.repeat(200)}`])).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('at most 107'),
    });
  });

  test('a primary that does not answer is 69', async () => {
    const { program, socket: frozen } = await startFixture();
    program.kill('SIGSTOP');
    const { code, stderr } = await drover(['count', '--socket', frozen, '--timeout', '300ms']);
    expect({ code, stderr }).toEqual({ code: 69, stderr: 'drover: no answer to worker_count within 300 ms\n' });
  });
});

describe('which cluster', () => {
  test('the name comes from --name, else DROVER_NAME, else it is drover', async () => {
    const dir = privateDir();
    const env = { ...process.env, XDG_RUNTIME_DIR: dir };
    for (const name of ['drover', 'mail', 'video']) await startFixture({ FIXTURE_SOCKET: '', FIXTURE_NAME: name, XDG_RUNTIME_DIR: dir });
    const answering = async (args: string[], more = {}): Promise<string> =>
      (await droverJson<{ name: string }>(['ping', ...args], { env: { ...env, ...more } })).name;
    expect(await answering([])).toBe('drover');
    expect(await answering([], { DROVER_NAME: 'mail' })).toBe('mail');
    expect(await answering(['--name', 'video'], { DROVER_NAME: 'mail' })).toBe('video');
    expect(await answering([], { DROVER_CONTROL_SOCKET: socket })).toBe('fixture');
    expect(await answering(['--name', 'video'], { DROVER_CONTROL_SOCKET: socket })).toBe('video');
    expect(await answering(['--name', 'video', '--socket', socket])).toBe('fixture');
  });

  test('with several groups one has to be named', async () => {
    const { socket: two } = await startFixture({ FIXTURE_GROUPS: 'mail,video' });
    const refused = await drover(['scale', '3', '--socket', two]);
    expect(refused).toEqual({ code: 1, stdout: '', stderr: 'drover: group: name one of mail, video\n' });
    expect((await drover(['scale', '3', '-g', 'video', '--socket', two])).stdout).toBe('video: 3 workers\n');
    expect((await drover(['count', '--socket', two])).stdout).toBe('5\n');
    expect((await drover(['count', '-g', 'mail', '--socket', two])).stdout).toBe('2\n');
  });
});

describe('stop', () => {
  test('waits until the primary is gone, and reports the jobs', async () => {
    const { program, socket: own } = await startFixture();
    expect(await drover(['stop', '--socket', own])).toEqual({
      ...{ code: 0, stdout: 'stopped: 3 jobs finished, 0 aborted, 0 returned to the queue, 0 lost\n', stderr: '' },
    });
    expect((await program.exit()).code).toBe(0);
  });

  test.each([
    { args: [], want: { type: 'stop' } },
    { args: ['--fast'], want: { type: 'stop', mode: 'fast' } },
    { args: ['--now'], want: { type: 'stop', mode: 'now' } },
    { args: ['--deadline', '60s'], want: { type: 'stop', drainMs: 60_000 } },
  ])('drover stop $args', async ({ args, want }) => {
    const { socket: own } = await startFixture();
    const audit: EventEnvelope[] = [];
    await (await connect(own)).on('audit', (event) => audit.push(event));
    expect(await droverJson(['stop', ...args, '--socket', own])).toMatchObject({ state: 'done', exitCode: 0 });
    await until(() => audit.length > 0, { what: 'the audit' });
    expect(audit[0]?.data.command).toEqual(want);
  });
});

describe('help', () => {
  test('groups the commands into act and look, and has examples', async () => {
    const { code, stdout, stderr } = await drover(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const text of [
      '\nAct\n  start [config|processor]',
      '\nLook\n  status (ps, ls)',
      '\nExamples\n  drover start',
      '\nOptions:\n',
      '--no-wait',
    ]) {
      expect(stdout).toContain(text);
    }
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  test.each(['start', 'scale', 'reload', 'restart', 'recycle', 'stop', 'status', 'count', 'show', 'op', 'ping'])(
    'drover %s --help says how it is used',
    async (verb) => {
      const { code, stdout } = await drover([verb, '-h']);
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(`Usage: drover ${verb}`) });
    },
  );

  test('--version is that of the package', async () => {
    expect(await drover(['--version'])).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
  });
});

describe('on a terminal', () => {
  const terminal = (columns: number, env: NodeJS.ProcessEnv = {}) => {
    const written = { out: '', err: '' };
    const into = (stream: 'out' | 'err') => (text: string) => {
      written[stream] += text;
      return true;
    };
    const io = { stdout: { isTTY: true, columns, write: into('out') }, stderr: { isTTY: true, write: into('err') }, env };
    return { io, written };
  };

  test('progress is shown on one line, which is gone at the end', async () => {
    const { io, written } = terminal(80);
    expect(await main(['scale', '4', '--socket', socket], io)).toBe(0);
    expect(written.out).toBe('mail: 4 workers\n');
    const lines = written.err.split('\r\u001b[2K');
    expect(lines.filter((line) => /^scale_to op-\d+: [123] of 3$/.test(line))).toHaveLength(3);
    expect(lines.at(-1)).toBe('');
  });

  test('a primary that goes while the operation runs is 1', async () => {
    const { program, socket: doomed } = await startFixture();
    const { io, written } = terminal(80);
    const code = main(['scale', '3', '-g', 'slow', '--socket', doomed], io);
    await until(() => written.err.includes('1 of 3'), { what: 'the operation to run' });
    program.kill('SIGKILL');
    expect(await code).toBe(1);
    expect(written.err).toContain('drover: the primary closed the connection\n');
  });

  test('with --json there is no progress and no colour', async () => {
    const { io, written } = terminal(80);
    await main(['status', '--socket', socket, '--json'], io);
    await main(['scale', '4', '--socket', socket, '-j'], io);
    expect(written.err).toBe('');
    expect(written.out).not.toContain('\u001b');
  });

  test.each([60, 80, 100])('status is no wider than %d columns, however many workers there are', async (columns) => {
    await run('scale', '100');
    const { io, written } = terminal(columns, { NO_COLOR: '1' });
    expect(await main(['status', '--socket', socket], io)).toBe(0);
    const widths = written.out
      .split('\n')
      .slice(2)
      .map((line) => line.length); // below the headline
    expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
    expect(written.out).toMatch(/mail#001.* \+\d+\n/);
  });

  test('colour goes with --no-color, NO_COLOR and a dumb terminal', async () => {
    const shown = async (args: string[], env: NodeJS.ProcessEnv): Promise<string> => {
      const { io, written } = terminal(100, env);
      await main(['status', '--socket', socket, ...args], io);
      return written.out;
    };
    expect(await shown([], {})).toContain('\u001b[');
    for (const [args, env] of [
      [['--no-color'], {}],
      [[], { NO_COLOR: '1' }],
      [[], { TERM: 'dumb' }],
    ] as const) {
      expect(await shown([...args], env)).not.toContain('\u001b');
    }
  });
});

describe('start --dry-run', () => {
  test('shows what would run, from a processor and flags', async () => {
    const processor = join(import.meta.dirname, 'fixture', 'primary.mjs'); // any module there is
    const { code, stdout, stderr } = await drover([
      'start',
      processor,
      '-q',
      'mail',
      '-w',
      '3',
      '--concurrency',
      '7',
      '--processes',
      '1..2',
      '--dry-run',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('drover would run in 1 to 2 processes');
    expect(stdout).toContain('  mail: 3 workers on queue mail, 7 jobs at a time each');
  });

  test('--json is the resolved configuration without the password', async () => {
    const args = [
      'start',
      join(import.meta.dirname, 'fixture', 'primary.mjs'),
      '--redis',
      'redis://u:hidden@h:1/2',
      '--name',
      'n',
      '--dry-run',
    ];
    const config = await droverJson(args);
    expect(config).toMatchObject({ name: 'n', connection: 'redis://h:1/2' });
    expect(JSON.stringify(config)).not.toContain('hidden');
  });

  test.each([
    { args: ['start', './no-such-file.mjs', '-q', 'mail'], says: 'no-such-file.mjs, and there is no such file' },
    { args: ['start', '-c', './none.config.mjs'], says: 'there is no configuration file' },
  ])('drover $args is 78', async ({ args, says }) => {
    expect(await drover(args)).toMatchObject({
      code: 78,
      stdout: '',
      stderr: expect.stringMatching(new RegExp(`^drover: .*${says}.*\n$`)),
    });
    expect(await drover([...args, '--json'])).toMatchObject({ code: 78, stdout: expect.stringContaining('"code":"BAD_CONFIG"') });
  });
});
