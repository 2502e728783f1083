/** Processors given as a file, in child processes and in threads: what jobs can do there, how they fail, and what becomes of sandboxes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { InvalidOptionError, type Job, type Worker, type WorkerOptions } from '@drover/core';
import { atEnd } from '../support/at-end.js';
import { collect, type Rig, rig } from '../support/engine.js';
import { pidAlive } from '../support/process-harness.js';
import { next, until } from '../support/until.js';

const FIXTURES = join(import.meta.dirname, 'fixtures', 'sandbox');
const PROCESSOR = join(FIXTURES, 'processor.cjs');
const fixture = (name: string): string => join(FIXTURES, name);

const KINDS = [
  { kind: 'child processes', how: {} },
  { kind: 'threads', how: { useWorkerThreads: true } },
] as const;

describe.each(KINDS)('in $kind', ({ how }) => {
  let one: Rig;
  beforeEach(() => {
    one = rig();
  });

  const worker = (file: string | URL = PROCESSOR, options: WorkerOptions = {}): Worker => one.worker(file, { ...how, ...options });

  /** Adds a job and reads it again when it is completed or has failed for good. */
  async function finished(name: string, data: object = {}, opts: object = {}): Promise<Job> {
    const added = await one.queue.add(name, data, opts);
    return ended(added.id);
  }

  async function ended(id: string): Promise<Job> {
    return until(
      async () => {
        const job = (await one.queue.getJob(id)) as Job;
        return job.finishedOn !== undefined && job;
      },
      { what: `job ${id} to end`, limitMs: 20_000 },
    );
  }

  /** The sandbox that runs the job of this name, once it says so. */
  async function busy(of: Worker, name: string, data: object = {}, opts: object = {}): Promise<{ id: string; sandbox: string }> {
    const said = next<[Job, string]>(of, 'progress', 20_000);
    const { id } = await one.queue.add(name, data, opts);
    return { id, sandbox: (await said)[1] };
  }

  const isGone = (sandbox: string): boolean => !pidAlive(Number(sandbox.split('/')[0]));

  test('a job has its data, its options, its token, its log, its progress and its queue', async () => {
    const progress = collect(worker(), 'progress');
    const job = await finished('everything', { n: 1 }, { attempts: 2 });
    expect(job.returnvalue).toEqual({
      ...{ id: job.id, name: 'everything', attempts: 2, attemptsMade: 0, attemptsStarted: 1, queueName: 'mail', hasPrefix: true },
      ...{ data: { n: 1, seen: true }, hasToken: true, progress: { half: true } },
    });
    expect(job.data).toEqual({ n: 1, seen: true });
    expect((await one.queue.getJobLogs(job.id)).logs).toEqual(['one', 'two']);
    expect(progress.map(([, value]) => value)).toEqual([{ half: true }]);
    expect(await one.broken()).toEqual([]);
  });

  test('it can ask for its state, and is told what Redis refuses', async () => {
    worker();
    expect((await finished('state')).returnvalue).toEqual(['active', true]);
    const { id, failedReason } = await finished('refused');
    expect(failedReason).toBe(`Job ${id} is not in the delayed state. promote`);
  });

  test.each([
    ['delay', 'after the delay'],
    ['wait', 'after the wait'],
    ['children', 'no children to wait for'],
    ['rate-limit', 'after the limit'],
  ])('%s: a job that is moved by its processor runs on later', async (name, result) => {
    worker(PROCESSOR, { limiter: { max: 100, duration: 10 } });
    const job = await finished(name);
    expect({ failed: job.failedReason, result: job.returnvalue, attemptsMade: job.attemptsMade }).toEqual({
      failed: undefined,
      result,
      attemptsMade: 1,
    });
    expect(await one.broken()).toEqual([]);
  });

  test('an error arrives with its name, its stack and its properties', async () => {
    const failed = next<[Job, Error & { field: string; code: string }]>(worker(), 'failed');
    const job = await finished('throw');
    const [, error] = await failed;
    expect([error.name, error.message, error.field, error.code]).toEqual(['TypeError', 'not a number', 'age', 'EAGE']);
    expect(job.stacktrace[0]).toMatch(/^TypeError: not a number\n.*processor\.cjs/);
    expect((await finished('text')).failedReason).toBe('only a text');
  });

  test.each(['unrecoverable', 'discard'])('%s: no further try', async (name) => {
    worker();
    const job = await finished(name, {}, { attempts: 5 });
    expect([job.attemptsMade, job.attemptsStarted]).toEqual([1, 1]);
  });

  test('a sandbox that exits fails its job, whatever the code; it is tried again in another one', async () => {
    worker();
    expect((await finished('exit', { code: 0 })).failedReason).toBe('Unexpected exit code: 0 signal: null');
    expect((await finished('exit', { code: 3 })).failedReason).toBe('Unexpected exit code: 3 signal: null');
    const again = await finished('exit-once', {}, { attempts: 2 });
    expect([again.returnvalue, again.attemptsMade]).toEqual(['the second time', 2]);
    expect(await one.broken()).toEqual([]);
  });

  test('an error that nobody catches is the reason of the failure', async () => {
    worker(PROCESSOR, { workerForkOptions: { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] } });
    const job = await finished('late');
    expect(job.failedReason).toBe('nobody catches this');
    expect(job.stacktrace[0]).toMatch(/^RangeError: nobody catches this\n/);
    expect((await finished('runs')).returnvalue).toBe(1);
  });

  test('a cancelled job that blocks its sandbox is killed with it, fails, and the next one gets another sandbox', async () => {
    const consumer = worker(PROCESSOR, { sandboxGrace: 100 });
    const { id, sandbox } = await busy(consumer, 'spin');
    expect(consumer.cancelJob(id, 'the user left')).toBe(true);
    const job = await ended(id);
    expect(job.failedReason).toBe(`job ${id} was aborted (the user left), its sandbox did not react for 100 ms and was killed`);
    expect((await finished('self')).returnvalue).not.toBe(sandbox);
    if (!('useWorkerThreads' in how)) expect(isGone(sandbox)).toBe(true);
    expect(await one.broken()).toEqual([]);
  });

  test('a cancelled job that listens to its signal decides what follows, and its sandbox is used again', async () => {
    const consumer = worker(PROCESSOR, { sandboxGrace: 60_000 });
    const { id, sandbox } = await busy(consumer, 'obey');
    consumer.cancelJob(id, 'the user left');
    expect((await ended(id)).failedReason).toBe('told to stop: the user left');
    const held = await busy(consumer, 'hold');
    consumer.cancelAllJobs('enough');
    expect((await ended(held.id)).returnvalue).toBe(`${sandbox} enough`);
  });

  test('a job that is cancelled while its file does not finish loading ends', async () => {
    const consumer = worker(fixture('never-loads.mjs'), { sandboxGrace: 50 });
    const active = next<[Job]>(consumer, 'active');
    const { id } = await one.queue.add('any', {});
    await active;
    consumer.cancelJob(id);
    expect((await ended(id)).failedReason).toContain('did not react for 50 ms');
  });

  test.each([
    ['no-function.cjs', 'exports no function: it has to be the default export'],
    ['exits-at-import.cjs', 'ended its sandbox while it was loaded (exit code 7'],
  ])('%s: the failure names the file', async (file, says) => {
    worker(fixture(file));
    const { failedReason } = await finished('any');
    expect(failedReason).toContain(`processor file ${fixture(file)} `);
    expect(failedReason).toContain(says);
  });

  test('a file with a syntax error fails the job; the next job finds it corrected', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sandbox-'));
    atEnd(() => rm(folder, { recursive: true }));
    const file = join(folder, 'processor.mjs');
    await writeFile(file, 'export default (job) => {');
    worker(file);
    expect((await finished('any')).failedReason).toBe(`processor file ${file} does not load: Unexpected end of input`);
    await writeFile(file, 'export default (job) => "well";');
    expect((await finished('any')).returnvalue).toBe('well');
  });

  test('a result that is too large, or that JSON cannot write, fails the job; the sandbox lives on', async () => {
    worker();
    const sandbox = (await finished('self')).returnvalue;
    const huge = await finished('huge', { bytes: 50_000_000 });
    expect(huge.failedReason).toBe(
      `the result of job ${huge.id} has 50000002 bytes as JSON, more than the 33554432 that may leave a sandbox`,
    );
    expect((await finished('huge-progress', { bytes: 50_000_000 })).failedReason).toContain('what updateProgress is given has 500000');
    expect((await finished('cycle')).failedReason).toMatch(/^Converting circular structure to JSON/);
    expect((await finished('bigint')).failedReason).toBe('Do not know how to serialize a BigInt');
    expect((await finished('huge', { bytes: 1_000_000 })).returnvalue).toHaveLength(1_000_000);
    expect((await finished('self')).returnvalue).toBe(sandbox);
    expect(await one.broken()).toEqual([]);
  });

  test('1,000 jobs go through four sandboxes, and none is left after the close', async () => {
    const consumer = worker(PROCESSOR, { concurrency: 4 });
    await one.queue.addBulk(Array.from({ length: 1_000 }, () => ({ name: 'self', data: {} })));
    await one.counts({ completed: 1_000 });
    const jobs = await one.queue.getCompleted(0, -1);
    const sandboxes = [...new Set(jobs.map(({ returnvalue }) => returnvalue as string))];
    expect(sandboxes.length).toBeGreaterThan(1);
    expect(sandboxes.length).toBeLessThanOrEqual(4);
    await consumer.close();
    if (!('useWorkerThreads' in how)) expect(sandboxes.filter((each) => !isGone(each))).toEqual([]);
    expect(await one.broken()).toEqual([]);
  });

  test('a lower concurrency keeps fewer sandboxes', async () => {
    const consumer = worker(PROCESSOR, { concurrency: 3 });
    const all = collect(consumer, 'progress');
    await one.queue.addBulk(Array.from({ length: 3 }, () => ({ name: 'hold', data: {} })));
    await until(() => all.length === 3, { what: 'three jobs to be under way', limitMs: 20_000 });
    const before = new Set(all.map(([, sandbox]) => sandbox as string));
    expect(before.size).toBe(3);
    consumer.concurrency = 1;
    consumer.cancelAllJobs('enough');
    await one.counts({ completed: 3 });
    if (!('useWorkerThreads' in how)) {
      await until(() => [...before].filter((each) => !isGone(each)).length === 1, { what: 'two of the sandboxes to end' });
    }
    expect(before).toContain((await finished('self')).returnvalue);
  });

  test('a close waits for the job under way, then nothing runs any more', async () => {
    const consumer = worker();
    const { id, sandbox } = await busy(consumer, 'hold');
    const closed = consumer.close();
    consumer.cancelJob(id, 'enough');
    await closed;
    expect((await ended(id)).returnvalue).toBe(`${sandbox} enough`);
    if (!('useWorkerThreads' in how)) expect(isGone(sandbox)).toBe(true);
  });

  test('a forced close kills a sandbox that is blocked, and its job goes back to wait without a failed attempt', async () => {
    const consumer = worker(PROCESSOR, { sandboxGrace: 50 });
    const { id, sandbox } = await busy(consumer, 'spin');
    await consumer.close(true);
    await one.counts({ waiting: 1, active: 0 });
    const job = (await one.queue.getJob(id)) as Job;
    expect([job.attemptsMade, job.failedReason]).toEqual([0, undefined]);
    if (!('useWorkerThreads' in how)) await until(() => isGone(sandbox), { what: 'the sandbox to end' });
    expect(await one.broken()).toEqual([]);
  });

  test.each([
    ['esm.mjs', 'esm 7'],
    ['plain.js', 'js 7'],
    ['plain', 'js 7'],
    ['compiled.cjs', 'compiled 7'],
  ])('%s runs, by path and by URL', async (file, result) => {
    const first = worker(fixture(file));
    expect((await finished('any', { n: 7 })).returnvalue).toBe(result);
    await first.close();
    worker(pathToFileURL(fixture(file)));
    expect((await finished('any', { n: 7 })).returnvalue).toBe(result);
  });
});

describe('refused at once', () => {
  test.each([
    ['a file that is not there', fixture('none.mjs'), {}, /processor must be a file that exists, got ".*none\.mjs"/],
    ['a URL of no file', new URL('https://example.org/a.js'), {}, 'processor must be the URL of a file'],
    ['a process without a channel', PROCESSOR, { workerForkOptions: { stdio: ['pipe', 'pipe', 'pipe'] } }, "with 'ipc' in it"],
    ['options that are none', PROCESSOR, { workerThreadsOptions: 4 }, 'workerThreadsOptions must be an object, got 4'],
    ['no time at all', PROCESSOR, { sandboxGrace: 0 }, 'sandboxGrace must be an integer of at least 1, got 0'],
  ])('%s', (_what, processor, options, says) => {
    const make = () => rig().worker(processor, options as WorkerOptions);
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(says);
  });
});
