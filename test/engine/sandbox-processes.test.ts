/** What is special to sandboxes that are child processes: signals, output, flags, compilers, the inspector, and the death of their parent. */
import { join } from 'node:path';
import type { Job, WorkerOptions } from '@drover/core';
import { Queue } from '@drover/core';
import { atEnd } from '../support/at-end.js';
import { collect, type Rig, rig } from '../support/engine.js';
import { descendants, type Program, pidAlive, startNode } from '../support/process-harness.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { next, until } from '../support/until.js';

const FIXTURES = join(import.meta.dirname, 'fixtures', 'sandbox');
const PROCESSOR = join(FIXTURES, 'processor.cjs');
const pidOf = (sandbox: unknown): number => Number(String(sandbox).split('/')[0]);

async function finished(one: Rig, name: string, data: object = {}): Promise<Job> {
  const { id } = await one.queue.add(name, data);
  return until(async () => ((await one.queue.getJob(id)) as Job).finishedOn && ((await one.queue.getJob(id)) as Job), {
    what: `${name} to end`,
  });
}

/** An application in a process of its own, and the queue it works. */
function application(options: WorkerOptions = {}): { program: Program; queue: Queue } {
  const prefix = freshPrefix();
  const program = startNode(join(FIXTURES, 'application.mjs'), [testRedisUrl(), prefix, JSON.stringify(options)]);
  const queue = new Queue('mail', { connection: testRedisUrl(), prefix });
  atEnd(() => queue.close());
  return { program, queue };
}

const pidIn = (line: string): number => pidOf(line.split(' ')[2]);

test('when the parent is killed, an idle sandbox, a busy one and one that blocks its event loop end by themselves', async () => {
  const { program, queue } = application({ concurrency: 3 });
  await queue.add('spin', {});
  const blocked = pidIn(await program.line(/^progress spin/));
  await queue.add('hold', {});
  const busy = pidIn(await program.line(/^progress hold/));
  await queue.add('self', {});
  const idle = pidIn(await program.line(/^completed self/));
  expect(new Set([blocked, busy, idle]).size).toBe(3);
  program.kill('SIGKILL');
  await program.exit();
  await until(() => ![blocked, busy, idle].some(pidAlive), { what: 'all three to end' });
});

test('after a close no process is left, and the application ends by itself', async () => {
  const { program, queue } = application();
  await queue.add('self', {});
  const pid = pidIn(await program.line(/^completed self/));
  expect(descendants(program.pid)).toContain(pid);
  program.kill('SIGUSR2');
  await program.line('closed');
  expect(pidAlive(pid)).toBe(false);
  expect((await program.exit()).code).toBe(0);
});

test.each([
  ['by default', {}],
  ['when silent', { workerForkOptions: { silent: true } }],
  ['in threads', { useWorkerThreads: true }],
  ['in threads with streams of their own', { useWorkerThreads: true, workerThreadsOptions: { stdout: true, stderr: true } }],
])('what a sandbox prints comes out of its parent: %s', async (_how, options) => {
  const { program, queue } = application(options);
  await queue.add('print', {});
  await program.line(/^completed print/);
  await program.line(/^printed by a sandbox$/);
  await program.line(/^warned by a sandbox$/);
  expect(program.stderr).toContain('warned by a sandbox');
});

test('SIGTERM and SIGINT let the job under way end; the next one gets another sandbox', async () => {
  const one = rig();
  const worker = one.worker(PROCESSOR);
  const said = collect(worker, 'progress');
  const { id } = await one.queue.add('hold', {});
  await until(() => said.length === 1, { what: 'the job to be under way' });
  const pid = pidOf(said[0]?.[1]);
  process.kill(pid, 'SIGTERM');
  process.kill(pid, 'SIGINT');
  worker.cancelJob(id, 'enough');
  await until(() => !pidAlive(pid), { what: 'the sandbox to end' });
  expect(((await one.queue.getJob(id)) as Job).returnvalue).toBe(`${pid}/0 enough`);
  const second = pidOf((await finished(one, 'self')).returnvalue);
  process.kill(second, 'SIGTERM'); // idle
  expect(pidOf((await finished(one, 'self')).returnvalue)).not.toBe(second);
  expect(await one.broken()).toEqual([]);
});

test('a job whose sandbox ends before it has begun goes to another one, without a failed attempt', async () => {
  const one = rig();
  const worker = one.worker(PROCESSOR);
  const first = pidOf((await finished(one, 'self')).returnvalue);
  process.kill(first, 'SIGSTOP'); // it is given the job, and cannot begin
  const active = next(worker, 'active');
  const { id } = await one.queue.add('self', {});
  await active;
  process.kill(first, 'SIGKILL');
  await one.counts({ completed: 2 });
  const job = (await one.queue.getJob(id)) as Job;
  expect(pidOf(job.returnvalue)).not.toBe(first);
  expect([job.attemptsMade, job.stacktrace]).toEqual([1, []]);
});

test('a sandbox that is killed from outside fails its job', async () => {
  const one = rig();
  const said = collect(one.worker(PROCESSOR), 'progress');
  await one.queue.add('spin', {});
  await until(() => said.length === 1, { what: 'the job to be under way' });
  process.kill(pidOf(said[0]?.[1]), 'SIGKILL');
  await one.counts({ failed: 1 });
  expect((await one.queue.getFailed())[0]?.failedReason).toBe('Unexpected exit code: null signal: SIGKILL');
});

test('a program that cannot be started fails the job with its error', async () => {
  const one = rig();
  one.worker(PROCESSOR, { workerForkOptions: { execPath: '/nonexistent/node' } });
  expect((await finished(one, 'self')).failedReason).toContain('spawn /nonexistent/node ENOENT');
});

test('the environment of the fork options is what a sandbox has', async () => {
  const one = rig();
  one.worker(PROCESSOR, { workerForkOptions: { env: { ...process.env, SANDBOX_COLOUR: 'green' } } });
  expect((await finished(one, 'environment', { name: 'SANDBOX_COLOUR' })).returnvalue).toBe('green');
});

test('a TypeScript file runs with the compiler that the flags preload', async () => {
  const one = rig();
  one.worker(join(FIXTURES, 'typed.ts'), { workerForkOptions: { execArgv: ['--import', join(FIXTURES, 'typescript-loader.mjs')] } });
  expect((await finished(one, 'any', { a: 3, b: 4 })).returnvalue).toBe(7);
});

test('sandboxes with an inspector do not fight for its port', async () => {
  const one = rig();
  const fork = { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: ['--inspect'] } satisfies WorkerOptions['workerForkOptions'];
  const worker = one.worker(PROCESSOR, { concurrency: 2, workerForkOptions: fork });
  const said = collect(worker, 'progress');
  await one.queue.addBulk([
    { name: 'inspector', data: {} },
    { name: 'inspector', data: {} },
  ]);
  await until(() => said.length === 2, { what: 'both to be under way' });
  worker.cancelAllJobs('enough');
  await one.counts({ completed: 2 });
  const urls = (await one.queue.getCompleted()).map(({ returnvalue }) => new URL(returnvalue as string));
  expect(new Set(urls.map(({ port }) => port)).size).toBe(2);
});
