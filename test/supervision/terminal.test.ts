/** The primary in the foreground and background of a real terminal: keys and hang-ups reach the whole process group. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ControlClient } from '@drover/cluster/protocol';
import { atEnd } from '../support/at-end.js';
import { brokenInvariants } from '../support/invariants.js';
import { pidAlive } from '../support/process-harness.js';
import { CTRL_C, CTRL_Z, Terminal } from '../support/terminal.js';
import { until } from '../support/until.js';
import { completed, PRIMARY, QUEUE, TestCluster, untilStatus } from './support.js';

/** S sleeping, R running, T stopped. */
function stateOf(pid: number): string {
  return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '?';
}

/** A cluster started in a terminal by `line`, in which `$PRIMARY` is the command that runs it; with as many jobs in hand as workers. */
async function inTerminal(line: string, config: Record<string, unknown> = {}) {
  const cluster = new TestCluster({ workers: 2, concurrency: 1, ...config });
  const ended = join(cluster.dir, 'ended');
  const primary = `${process.execPath} ${PRIMARY} ${join(cluster.dir, 'drover.config.json')}`;
  const readFile = join(cluster.dir, 'read');
  const terminal = Terminal.open({ REDIS_URL: '', ENDED: ended, READ: readFile, RUN_PRIMARY: primary });
  terminal.type(`${line}\n`);
  const client = await until(() => ControlClient.connect({ socket: cluster.socket }), { what: 'the primary to listen', limitMs: 20_000 });
  atEnd(() => client.close());
  await client.ready({ deadlineMs: 20_000 });
  const queue = cluster.queue();
  const gate = join(cluster.dir, 'gate');
  await queue.addBulk([1, 2].map(() => ({ name: 'j', data: { gate, runs: cluster.runs } })));
  const { processes } = await untilStatus(
    client,
    'two jobs to be in hand',
    (status) => status.processes.length === 2 && status.processes.every(({ jobsInHand }) => jobsInHand === 1),
  );
  const { pid } = await client.request({ type: 'ping' });
  return {
    cluster,
    terminal,
    client,
    queue,
    pid,
    pids: processes.map((each) => each.pid),
    ended,
    readFile,
    open: () => writeFileSync(gate, ''),
  };
}

/** The code that the shell noted when the primary had ended. */
function codeIn(file: string): Promise<string> {
  return until(() => readFileSync(file, 'utf8').trim(), { what: 'the primary to end', limitMs: 20_000 });
}

const desired = async (client: ControlClient) => (await client.request({ type: 'worker_count' })).workers.desired;

test('acceptance 13: Ctrl-C reaches the whole group; the processes shrug, finish their jobs, and all end with 0', async () => {
  const { cluster, terminal, client, queue, pids, ended, open } = await inTerminal('$RUN_PRIMARY; echo $? > $ENDED');
  terminal.type(CTRL_C);
  await untilStatus(client, 'the primary to drain', ({ state }) => state === 'draining');
  expect(pids.filter(pidAlive)).toEqual(pids);
  open();
  expect(await codeIn(ended)).toBe('0');
  expect(await completed(queue)).toBe(2);
  expect([...cluster.runCounts().values()]).toEqual([1, 1]);
  expect(pids.filter(pidAlive)).toEqual([]);
  expect(terminal.screen).not.toContain('"class":"abnormal"');
});

test('acceptance 13: Ctrl-Z stops the primary and not the jobs; after fg nobody is missing, and nobody was killed for its silence', async () => {
  const health = { hangAfter: '1s', heartbeat: '250ms' };
  const locks = { lockDuration: '6s', lockRenewTime: '3s' };
  const { cluster, terminal, client, queue, pid, pids, open } = await inTerminal('$RUN_PRIMARY', {
    health,
    ...locks,
  });
  terminal.type(CTRL_Z);
  await until(() => stateOf(pid) === 'T', { what: 'the primary to be stopped' });
  expect(pids.map(stateOf)).not.toContain('T');
  open();
  await queue.addBulk([1, 2].map(() => ({ name: 'long', data: { ms: 3_000, runs: cluster.runs } }))); // longer than silence is borne
  await until(async () => (await completed(queue)) === 4, { what: 'four jobs to complete', limitMs: 20_000 });
  expect(stateOf(pid)).toBe('T');
  terminal.type('fg\n');
  await until(() => stateOf(pid) !== 'T', { what: 'the primary to go on' });
  const status = await untilStatus(client, 'the primary to hear of everyone', ({ processes }) =>
    processes.every(({ suspect }) => !suspect),
  );
  expect(status.processes.map((each) => [each.pid, each.restarts])).toEqual(pids.map((each) => [each, 0]));
  expect(await desired(client)).toBe(2);
  terminal.type(CTRL_C);
  await until(() => !pidAlive(pid), { what: 'the primary to end' });
  expect([...cluster.runCounts().values()]).toEqual([1, 1, 1, 1]);
});

test('acceptance 13: a terminal that is closed drains the cluster: every job in hand is finished', async () => {
  const { cluster, terminal, client, queue, pid, pids, open } = await inTerminal('$RUN_PRIMARY');
  terminal.close();
  await untilStatus(client, 'the primary to drain', ({ state }) => state === 'draining');
  expect(pids.filter(pidAlive)).toEqual(pids);
  open();
  await until(() => !pidAlive(pid), { what: 'the primary to end', limitMs: 20_000 });
  expect(await completed(queue)).toBe(2);
  expect(pids.filter(pidAlive)).toEqual([]);
  expect(await brokenInvariants(cluster.redis(), QUEUE, { prefix: cluster.prefix, isIdle: true })).toEqual([]);
});

test('acceptance 13: in the background, a read of the terminal in its group stops others and scales nothing', async () => {
  const { terminal, client, pid, pids, open, readFile } = await inTerminal(
    `sh -c '$RUN_PRIMARY & while [ ! -e $READ ]; do sleep 0.1; done; cat < /dev/tty; wait' &`,
  );
  writeFileSync(readFile, '');
  await terminal.shows('"signal":"SIGTTIN"');
  await terminal.shows(/"signal":"SIGTTIN".*"do":"ignore"/);
  expect(await desired(client)).toBe(2);
  expect([pid, ...pids].map(stateOf)).not.toContain('T');
  expect(pids.filter(pidAlive)).toEqual(pids);
  open();
  process.kill(pid, 'SIGTERM');
  await until(() => !pidAlive(pid), { what: 'the primary to end' });
});

test('acceptance 13: in the background of a terminal that takes no output from there it is stopped, and fg brings it back', async () => {
  const { terminal, client, queue, pid, pids, open } = await inTerminal('$RUN_PRIMARY');
  terminal.type(CTRL_Z);
  await until(() => stateOf(pid) === 'T', { what: 'the primary to be stopped' });
  terminal.type('stty tostop; bg\n');
  await terminal.shows(/\[1\]\+ .* &/); // the shell has sent it on; its first line of output may stop it at once
  process.kill(pid, 'SIGTTIN'); // it notes that on the terminal
  await until(() => stateOf(pid) === 'T', { what: 'the primary to be stopped again' });
  expect(pids.map(stateOf)).not.toContain('T');
  terminal.type('fg\n');
  await until(() => stateOf(pid) !== 'T', { what: 'the primary to go on' });
  expect(await desired(client)).toBe(2);
  open();
  await until(async () => (await completed(queue)) === 2, { what: 'the jobs to complete' });
  terminal.type(CTRL_C);
  await until(() => !pidAlive(pid), { what: 'the primary to end' });
});
