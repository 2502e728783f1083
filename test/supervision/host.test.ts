import { fileURLToPath } from 'node:url';
import { pidAlive, startNode } from '../support/process-harness.js';
import { until } from '../support/until.js';
import { ForkedHost, group, HOST } from './forked-host.js';

describe('boot', () => {
  test('tells hello, a heartbeat and ready, in this order', async () => {
    const host = await ForkedHost.ready(group('obedient.mjs'));
    expect(host.facts.slice(0, 3).map(({ type }) => type)).toEqual(['hello', 'heartbeat', 'ready']);
    expect(host.told('hello')[0]).toMatchObject({ pid: host.worker.process.pid, node: process.version, protocol: 1 });
    const later = await host.fact('heartbeat', ({ seq }) => seq === 3);
    expect(later).toMatchObject({ jobsInHand: 0, workers: {}, rssBytes: expect.any(Number), cpuMs: expect.any(Number) });
    expect(later.rssBytes).toBeGreaterThan(1e6);
  });

  test.each([
    { module: 'throws-at-import.mjs', kind: 'processor', says: 'throws-at-import.mjs does not load: DATABASE_URL is not set' },
    { module: 'missing.mjs', kind: 'worker', says: 'missing.mjs does not load' },
    { module: 'exports-a-number.mjs', kind: 'processor', says: 'must export a function as default, not a number' },
    {
      module: 'exports-a-number.mjs',
      kind: 'worker',
      says: 'must export a class, a function or an object with run() and close(), not a number',
    },
  ] as const)('a $kind module $module ends it with 91 and the reason', async ({ module, kind, says }) => {
    const host = new ForkedHost();
    const bad = group(module, { group: 'bad' });
    await host.init(group('obedient.mjs'), { ...bad, module: { ...bad.module, kind } });
    expect(await host.exit()).toEqual({ code: 91, signal: null });
    expect(host.told('boot_failed')).toEqual([expect.objectContaining({ error: expect.stringContaining(says) })]);
    expect(host.stderr).toContain(says);
    expect(host.told('ready')).toEqual([]);
  });

  test.each([
    { name: 'outside of a cluster', env: { DROVER_ROLE: 'process' }, says: 'the primary forks' },
    { name: 'without its role', env: {}, says: 'the primary forks' },
  ])('$name it refuses to run', async ({ env, says }) => {
    const program = startNode(HOST, [], { env: { ...process.env, ...env } });
    expect(await program.exit()).toEqual({ code: 78, signal: null });
    expect(program.stderr.trim().split('\n')).toEqual([expect.stringContaining(says)]);
  });

  test.each([
    { name: 'DROVER_ROLE', value: 'primary', says: 'the primary forks' },
    { name: 'DROVER_SLOT', value: 'first', says: 'DROVER_SLOT must be a number' },
    { name: 'DROVER_INCARNATION', value: undefined, says: 'DROVER_INCARNATION is not set' },
  ])('with $name $value it exits 78', async ({ name, value, says }) => {
    const host = new ForkedHost({ [name]: value });
    expect(await host.exit()).toEqual({ code: 78, signal: null });
    expect(host.stderr).toContain(says);
  });

  test('a drain before init ends it with 0 and nothing to report', async () => {
    const host = new ForkedHost();
    await host.fact('hello');
    await expect(host.drain()).resolves.toEqual({ left: 0, jobs: [] });
    expect(await host.exit()).toEqual({ code: 0, signal: null });
    expect(host.told('drained')).toEqual([
      expect.objectContaining({ report: { finished: 0, aborted: 0, returned: [], lost: [], lingering: [] } }),
    ]);
  });
});

describe('workers', () => {
  test('are made with their options, started and stopped by name', async () => {
    const host = await ForkedHost.ready(
      group('obedient.mjs'),
      group('made-by-function.mjs', { group: 'video' }),
      group('single.mjs', { group: 'one' }),
    );
    await expect(host.ask({ type: 'start_workers', group: 'mail', workers: ['mail#1', 'mail#2'] })).resolves.toEqual({});
    await host.ask({ type: 'start_workers', group: 'video', workers: ['video#1'] });
    await host.ask({ type: 'start_workers', group: 'one', workers: ['one#1'] });
    for (const name of ['mail#1', 'mail#2', 'video#1', 'one#1']) await host.state(name, 'running');
    const { connection } = group('obedient.mjs');
    const made = { name: 'mail#1', group: 'mail', queue: 'mail', prefix: 'bull', connection, concurrency: 10 };
    await until(() => host.stdout.includes(`made ${JSON.stringify(made)}`), { what: 'the worker to say what it was made with' });

    await host.ask({
      type: 'stop_workers',
      workers: ['mail#1', 'video#1', 'mail#404'],
      drainMs: 5_000,
      abortLeadMs: 1_000,
      onTimeout: 'linger',
    });
    for (const name of ['mail#1', 'video#1', 'mail#404']) await host.state(name, 'gone');
    const states = host.told('worker_state').flatMap(({ changes }) => changes);
    expect(states.filter(({ worker }) => worker === 'mail#1').at(-1)).toEqual({
      worker: 'mail#1',
      state: 'gone',
      jobsInHand: 0,
      restarts: 0,
    });
    await until(() => host.stdout.includes('closed mail#1 force=false') && host.stdout.includes('closed video#1'), {
      what: 'both to be closed',
    });
    expect(host.change('mail#2')).toMatchObject({ state: 'running', restarts: 0 });
  });

  test('starting one twice changes nothing; an unknown group is refused', async () => {
    const host = await ForkedHost.ready(group('obedient.mjs'));
    await host.ask({ type: 'start_workers', group: 'mail', workers: ['mail#1'] });
    await host.ask({ type: 'start_workers', group: 'mail', workers: ['mail#1'] });
    await host.state('mail#1', 'running');
    await expect(host.ask({ type: 'start_workers', group: 'male', workers: ['male#1'] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(host.stdout.match(/made/g)).toHaveLength(1);
  });

  test('a thousand of them start and stop in messages of at most 256 changes', async () => {
    const host = await ForkedHost.ready(group('made-by-function.mjs'));
    const workers = Array.from({ length: 1_000 }, (_, n) => `mail#${n + 1}`);
    await host.ask({ type: 'start_workers', group: 'mail', workers });
    await until(() => workers.every((name) => host.change(name)?.state === 'running'), { what: 'a thousand workers to run', everyMs: 100 });
    await host.ask({ type: 'stop_workers', workers, drainMs: 5_000, abortLeadMs: 1_000, onTimeout: 'linger' });
    await until(() => workers.every((name) => host.change(name)?.state === 'gone'), { what: 'a thousand workers to go', everyMs: 100 });
    expect(Math.max(...host.told('worker_state').map(({ changes }) => changes.length))).toBeLessThanOrEqual(256);
  });

  test('one that does not close in time is closed by force', async () => {
    const host = await ForkedHost.ready(group('never-closes.mjs'));
    await host.ask({ type: 'start_workers', group: 'mail', workers: ['mail#1'] });
    await host.state('mail#1', 'running');
    await host.ask({ type: 'stop_workers', workers: ['mail#1'], drainMs: 50, abortLeadMs: 10, onTimeout: 'linger' });
    await host.state('mail#1', 'gone');
    expect(host.stdout).toBe('close mail#1 force=false\nclose mail#1 force=true\n');
  });

  test('a transient one that ends by itself is forgotten', async () => {
    const host = await ForkedHost.ready(group('ends.mjs', { restart: 'transient' }));
    await host.ask({ type: 'start_workers', group: 'mail', workers: ['mail#1'] });
    expect(await host.state('mail#1', 'gone')).toMatchObject({ forgotten: true });
  });

  test('what they throw where nobody can catch it ends the process as Node does', async () => {
    const host = await ForkedHost.ready(group('throws-later.mjs'));
    await host.ask({ type: 'start_workers', group: 'mail', workers: ['mail#1'] });
    expect(await host.exit()).toEqual({ code: 1, signal: null });
    expect(host.stderr).toContain('Error: nobody catches this');
    expect(host.stderr).toContain('throws-later.mjs');
  });
});

describe('giving up', () => {
  const [crash, calm] = [group('crashes.mjs', { group: 'bad' }), group('obedient.mjs', { group: 'calm' })];

  test('a worker that cannot run takes down its group, the root and the process, and the first cause is told', async () => {
    const host = await ForkedHost.ready(crash, calm);
    await host.ask({ type: 'start_workers', group: 'calm', workers: ['calm#1'] });
    await host.state('calm#1', 'running');
    await host.ask({ type: 'start_workers', group: 'bad', workers: ['bad#1'] });
    expect(await host.exit()).toEqual({ code: 95, signal: null });
    const failures = host.told('group_failed');
    expect(failures.length).toBeGreaterThanOrEqual(2);
    expect(failures[0]).toMatchObject({ group: 'bad', restarts: 4, error: expect.stringContaining('bad#1: no licence for queue x') });
    expect(host.stderr).toContain('the root supervisor gave up');
    expect(host.stderr).toContain('no licence for queue x');
    expect(host.told('drained')).toHaveLength(1);
    expect(host.stdout).toContain('closed calm#1');
  });

  test('told to park, the worker is parked and the process lives', async () => {
    const host = await ForkedHost.ready({ ...crash, supervision: { ...crash.supervision, onGiveUp: 'park' } }, calm);
    await host.ask({ type: 'start_workers', group: 'bad', workers: ['bad#1'] });
    expect(await host.state('bad#1', 'parked')).toMatchObject({ restarts: 4, error: 'no licence for queue x' });
    await host.ask({ type: 'start_workers', group: 'calm', workers: ['calm#1'] });
    await host.state('calm#1', 'running');
    await host.ask({ type: 'stop_workers', workers: ['bad#1'], drainMs: 100, abortLeadMs: 10, onTimeout: 'linger' });
    await host.state('bad#1', 'gone');
  });
});

describe('what arrives on the channel', () => {
  test('garbage is ignored', async () => {
    const host = await ForkedHost.ready(group('obedient.mjs'));
    const { process: child } = host.worker;
    for (const message of [null, 'shutdown', 7, {}, [], { type: 'drain' }, 'x'.repeat(5_000_000)]) child.send(message as object);
    const drain = { type: 'drain', rid: '1', mode: 'now', drainMs: 0, abortLeadMs: 0, reason: 'stop' };
    child.send({ ...drain, inc: 'other' });
    child.send({ ...drain, inc: host.incarnation, mode: 'quickly' });
    await host.link.init({
      slot: 9,
      generation: 9,
      groups: [],
      health: { heartbeatMs: 1, hangAfterMs: 12_000, captureStack: false, bootTimeoutMs: 1, orphanDeadlineMs: 1 },
      share: 1,
    });
    await host.ask({ type: 'start_workers', group: 'mail', workers: ['mail#1'] });
    await host.state('mail#1', 'running');
    expect(host.told('hello')).toHaveLength(1);
    expect(host.told('ready')).toHaveLength(1);
  });

  test('workers asked for too early or too late are refused', async () => {
    const host = new ForkedHost();
    await host.fact('hello');
    const start = { type: 'start_workers' as const, group: 'mail', workers: ['mail#1'] };
    await expect(host.ask(start)).rejects.toMatchObject({ code: 'BUSY' });
    await host.init(group('never-closes.mjs'));
    await host.fact('ready');
    await host.ask(start);
    await host.state('mail#1', 'running');
    await host.drain(1_000, 100);
    await expect(host.ask({ ...start, workers: ['mail#2'] })).rejects.toMatchObject({ code: 'DRAINING' });
  });
});

describe('signals and the loss of the primary', () => {
  test('signals are ignored while there is a primary', async () => {
    const host = await ForkedHost.ready(group('obedient.mjs'));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGUSR2'] as const)
      host.worker.process.kill(signal);
    await host.ask({ type: 'start_workers', group: 'mail', workers: ['mail#1'] });
    await host.state('mail#1', 'running');
    await host.drain();
    expect(await host.exit()).toEqual({ code: 0, signal: null });
  });

  test('a lost channel drains it and ends it with 93', async () => {
    const host = await ForkedHost.ready(group('obedient.mjs'));
    await host.ask({ type: 'start_workers', group: 'mail', workers: ['mail#1'] });
    await host.state('mail#1', 'running');
    host.worker.process.disconnect();
    expect(await host.exit()).toEqual({ code: 93, signal: null });
    expect(host.stdout).toContain('closed mail#1');
  });

  test('before init, too', async () => {
    const host = new ForkedHost();
    await host.fact('hello');
    host.worker.process.disconnect();
    expect(await host.exit()).toEqual({ code: 93, signal: null });
  });

  const lone = (module: string, workers: string[], orphanDeadlineMs: number) => {
    const options = { host: HOST, groups: [group(module)], workers: { mail: workers }, orphanDeadlineMs };
    return startNode(fileURLToPath(new URL('./fixtures/lone-primary.mjs', import.meta.url)), [JSON.stringify(options)]);
  };

  test.each([
    { name: 'that obeys', module: 'obedient.mjs' },
    { name: 'that cannot be closed', module: 'hangs.mjs' },
  ])('after a SIGKILL of the primary a process with a worker $name is gone within 10 s', async ({ module }) => {
    const primary = lone(module, ['mail#1'], 1_000);
    const pid = Number((await primary.line(/^running/)).split(' ')[1]);
    primary.kill('SIGKILL');
    await primary.exit();
    await until(() => !pidAlive(pid), { what: 'the orphan to end', limitMs: 10_000 });
  });

  test('once it is an orphan, TERM shortens its drain', async () => {
    const primary = lone('never-closes.mjs', ['mail#1'], 600_000);
    const pid = Number((await primary.line(/^running/)).split(' ')[1]);
    primary.kill('SIGKILL');
    await primary.exit();
    await until(
      () => {
        if (pidAlive(pid)) process.kill(pid, 'SIGTERM');
        return !pidAlive(pid);
      },
      { what: 'the orphan to end', everyMs: 100 },
    );
  });
});
