import { setImmediate as turn } from 'node:timers/promises';
import { Deadline, type Deferred, deferred, ManualClock, silentLogger } from '@drover/core/kit';
import { EventEmitter } from 'eventemitter3';
import type { GroupConfig } from '../config/resolved.js';
import type { WorkerChange } from '../link/index.js';
import type { JobRef } from '../protocol/index.js';
import { HostTree, type LoadedGroup } from './host-tree.js';
import type { DrainOptions, HostedEngine, HostedRuntime, HostedWorker, WorkerDrainReport } from './hosted-worker.js';

/** An engine whose parts do as the test says; it is our own interface, and no job runs here. */
class ScriptedRuntime extends EventEmitter implements HostedRuntime {
  state: HostedRuntime['state'] = 'offline';
  readonly shares: [queue: string, processes: number][] = [];
  readonly starting: Deferred<void> = deferred();

  start(): Promise<void> {
    return this.starting.promise;
  }

  answer(): void {
    this.state = 'running';
    this.starting.resolve();
    this.emit('ready');
  }

  fail(message: string): void {
    this.state = 'failed';
    this.emit('failed', new Error(message));
  }

  async stop(): Promise<void> {
    this.state = 'stopped';
  }

  async quiesce(): Promise<void> {}

  setShare(queue: string, processes: number): void {
    this.shares.push([queue, processes]);
  }
}

class ScriptedWorker extends EventEmitter implements HostedWorker {
  jobs: JobRef[] = [];
  readonly drains: (DrainOptions & { remainingMs: number })[] = [];
  readonly drained: Deferred<WorkerDrainReport> = deferred();

  constructor(
    readonly group: string,
    readonly runtime: ScriptedRuntime,
  ) {
    super();
    runtime.on('failed', () => this.emit('closed'));
  }

  async waitUntilReady(): Promise<void> {}

  hand(): readonly JobRef[] {
    return this.jobs;
  }

  drain(deadline: Deadline, options: DrainOptions): Promise<WorkerDrainReport> {
    this.drains.push({ ...options, remainingMs: deadline.remainingMs() });
    if (this.jobs.length === 0) this.drained.resolve({ finished: 0, aborted: 0, returned: [], lost: [], lingering: [] });
    return this.drained.promise;
  }

  async close(): Promise<void> {}
}

class ScriptedEngine implements HostedEngine<ScriptedRuntime> {
  readonly runtimes: ScriptedRuntime[] = [];
  readonly workers: ScriptedWorker[] = [];
  answers = true;

  createRuntime(): ScriptedRuntime {
    const runtime = new ScriptedRuntime();
    if (this.answers) runtime.answer();
    this.runtimes.push(runtime);
    return runtime;
  }

  createWorker({ group, runtime }: { group: GroupConfig; runtime: ScriptedRuntime }): HostedWorker {
    const worker = new ScriptedWorker(group.group, runtime);
    this.workers.push(worker);
    return worker;
  }
}

function processorGroup(group: string, connection = 'redis://a'): LoadedGroup {
  const config: GroupConfig = {
    group,
    queue: group,
    prefix: 'bull',
    connection,
    module: { kind: 'processor', url: 'file:///none' },
    workers: 0,
    isSizeFixed: false,
    min: 0,
    max: 10,
    concurrency: 1,
    lockMs: 30_000,
    renewMs: 15_000,
    stalledIntervalMs: 30_000,
    maxStalledCount: 1,
    drain: { deadlineMs: 25_000, abortLeadMs: 5_000, onTimeout: 'linger', maxReturns: 5, onMaxReturns: 'stall' },
    restart: 'permanent',
    supervision: {
      strategy: 'one_for_one',
      maxRestarts: 1,
      periodMs: 60_000,
      onGiveUp: 'escalate',
      backoff: { firstMs: 0, baseMs: 250, factor: 2, capMs: 15_000, jitter: 'full' },
      maxConsecutiveFailures: 5,
      resetAfterMs: 30_000,
    },
  };
  return { config, module: { kind: 'processor', processor: () => undefined } };
}

function setup(loaded: LoadedGroup[], engine = new ScriptedEngine()) {
  const clock = new ManualClock();
  const changes: WorkerChange[] = [];
  const events: string[] = [];
  const tree = new HostTree(loaded, {
    engine,
    incarnation: 'inc-1',
    clock,
    random: () => 0.5,
    logger: silentLogger,
    changed: (change) => changes.push(change),
    groupFailed: (group, restarts, reason) => events.push(`group_failed ${group} ${restarts} ${reason}`),
    gaveUp: (reason) => events.push(`gave up: ${reason}`),
  });
  const state = (worker: string): string | undefined => changes.findLast((change) => change.worker === worker)?.state;
  return { clock, changes, events, tree, engine, state };
}

describe('runtimes', () => {
  test('are one for each Redis target, and know how many processes share their queues', async () => {
    const { tree, engine } = setup([processorGroup('mail'), processorGroup('video'), processorGroup('report', 'redis://b')]);
    await tree.start(4);
    tree.setShare(2);
    expect(engine.runtimes.map(({ shares }) => shares)).toEqual([
      [
        ['mail', 4],
        ['video', 4],
        ['mail', 2],
        ['video', 2],
      ],
      [
        ['report', 4],
        ['report', 2],
      ],
    ]);
  });

  test('are waited for while Redis does not answer, however long that takes', async () => {
    const engine = new ScriptedEngine();
    engine.answers = false;
    const { tree, events, clock } = setup([processorGroup('mail')], engine);
    let isReady = false;
    const ready = tree.start(1).then(() => {
      isReady = true;
    });
    await turn();
    const [runtime] = engine.runtimes as [ScriptedRuntime];
    runtime.starting.reject(new Error('redis cannot be reached'));
    clock.advance(50_000);
    await turn();
    expect({ isReady, events, started: engine.runtimes.length }).toEqual({ isReady: false, events: [], started: 1 });
    runtime.answer();
    await ready;
    expect(isReady).toBe(true);
  });

  test('one that cannot start for another reason ends the boot, with the first cause', async () => {
    const engine = new ScriptedEngine();
    engine.answers = false;
    const { tree, events } = setup([processorGroup('mail')], engine);
    const ready = tree.start(1);
    ready.catch(() => undefined);
    for (const message of ['eviction policy', 'later']) {
      await turn();
      engine.runtimes.at(-1)?.fail(message);
    }
    await expect(ready).rejects.toThrow('first runtime 1: eviction policy');
    expect(events).toHaveLength(1);
  });

  test('one that fails is restarted once, with all its workers under their names, whatever their number', async () => {
    const { tree, engine, events, state, changes } = setup([processorGroup('mail'), processorGroup('video')]);
    await tree.start(1);
    tree.startWorkers('mail', ['mail#1', 'mail#2', 'mail#3', 'mail#4']);
    tree.startWorkers('video', ['video#1']);
    await turn();
    engine.runtimes[0]?.fail('bug');
    await turn();
    await turn();
    expect(engine.runtimes).toHaveLength(2);
    expect(engine.workers.slice(5).map(({ group, runtime }) => `${group} ${engine.runtimes.indexOf(runtime)}`)).toEqual([
      'mail 1',
      'mail 1',
      'mail 1',
      'mail 1',
      'video 1',
    ]);
    expect(['mail#1', 'mail#4', 'video#1'].map(state)).toEqual(['running', 'running', 'running']);
    expect(events).toEqual([]);
    expect(changes.some(({ restarts }) => restarts > 0)).toBe(false);

    engine.runtimes[1]?.fail('bug again');
    await turn();
    expect(events).toEqual(['gave up: more than 1 restarts in 60000 ms; first runtime 1: bug']);
  });
});

describe('groups', () => {
  test('one that gives up is replaced with the same workers; the second time the ladder goes on', async () => {
    const { tree, engine, events, state } = setup([processorGroup('mail'), processorGroup('calm')]);
    await tree.start(1);
    tree.startWorkers('mail', ['mail#1', 'mail#2']);
    tree.startWorkers('calm', ['calm#1']);
    await turn();
    const end = async (): Promise<void> => {
      engine.workers.findLast(({ group }) => group === 'mail')?.emit('closed');
      await turn();
    };
    await end();
    await end();
    expect(events).toEqual([
      expect.stringMatching(/^group_failed mail 1 more than 1 restarts in 60000 ms; first mail#2: ended \(normal\)/),
    ]);
    expect(['mail#1', 'mail#2'].map(state)).toEqual(['running', 'running']);
    expect(engine.workers.filter(({ group }) => group === 'calm')).toHaveLength(1);

    for (let n = 0; n < 6 && !events.some((event) => event.startsWith('gave up')); n++) await end();
    expect(events.at(-1)).toMatch(/^gave up: more than 1 restarts in 60000 ms; first groups: .*first mail: .*first mail#2: ended/);
  });

  test('workers asked for while their group is down start with its successor', async () => {
    const { tree, engine, state } = setup([processorGroup('mail')]);
    await tree.start(1);
    tree.startWorkers('mail', ['mail#1', 'mail#2']);
    await turn();
    const [first] = engine.workers as [ScriptedWorker];
    first.jobs = [{ queue: 'mail', jobId: '1', startedAt: 1 }];
    const [, second] = engine.workers as [unknown, ScriptedWorker];
    second.emit('closed');
    await turn();
    engine.workers.at(-1)?.emit('closed');
    await turn();
    tree.startWorkers('mail', ['mail#3']);
    expect(state('mail#3')).toBeUndefined();
    first.jobs = [];
    first.drained.resolve({ finished: 1, aborted: 0, returned: [], lost: [], lingering: [] });
    await turn();
    expect(['mail#1', 'mail#2', 'mail#3'].map(state)).toEqual(['running', 'running', 'running']);
  });
});

describe('the end of workers', () => {
  test('one that is stopped is drained as asked; one that lingers is told with its jobs', async () => {
    const { tree, engine, changes } = setup([processorGroup('mail')]);
    await tree.start(1);
    tree.startWorkers('mail', ['mail#1']);
    await turn();
    const [worker] = engine.workers as [ScriptedWorker];
    const job = { queue: 'mail', jobId: '7', startedAt: 1 };
    worker.jobs = [job];
    tree.stopWorkers(['mail#1'], 9_000, { abortLeadMs: 300, onDeadline: 'linger' });
    expect(changes.at(-1)).toMatchObject({ worker: 'mail#1', state: 'draining', jobsInHand: 1 });
    expect(worker.drains).toEqual([{ remainingMs: 9_000, abortLeadMs: 300, onDeadline: 'linger' }]);
    expect(() => tree.startWorkers('mail', ['mail#1'])).toThrow('worker mail#1 is being stopped');
    worker.drained.resolve({ finished: 0, aborted: 0, returned: [], lost: [], lingering: [job] });
    await turn();
    expect(changes.at(-1)).toEqual({ worker: 'mail#1', state: 'gone', jobsInHand: 1, restarts: 0, lingering: [job] });
    expect(tree.settled()).toEqual([]);
    worker.jobs = [];
    expect(tree.settled()).toEqual(['mail#1']);
    expect(tree.settled()).toEqual([]);
  });

  test('one that ended by itself, and was stopped before its jobs settled, is told as gone when they have', async () => {
    const { tree, engine, changes } = setup([processorGroup('mail')]);
    await tree.start(1);
    tree.startWorkers('mail', ['mail#1']);
    await turn();
    const [first] = engine.workers as [ScriptedWorker];
    first.jobs = [{ queue: 'mail', jobId: '7', startedAt: 1 }];
    first.emit('closed');
    await turn();
    const second = engine.workers[1] as ScriptedWorker;
    expect(second).toBeDefined();
    first.jobs = [];
    expect(tree.settled()).toEqual([]); // it runs again under its name
    second.jobs = [{ queue: 'mail', jobId: '8', startedAt: 1 }];
    second.emit('closed');
    await turn();
    tree.stopWorkers(['mail#1'], 0, { abortLeadMs: 0, onDeadline: 'linger' });
    await turn();
    expect(changes.at(-1)).toMatchObject({ state: 'gone', lingering: [{ jobId: '8' }] });
    second.jobs = [];
    expect(tree.settled()).toEqual(['mail#1']);
  });

  test('one that is asked for again is told again as it is', async () => {
    const { tree, changes } = setup([processorGroup('mail')]);
    await tree.start(1);
    tree.startWorkers('mail', ['mail#1']);
    await turn();
    const told = changes.length;
    tree.startWorkers('mail', ['mail#1']);
    expect(changes.slice(told)).toMatchObject([{ worker: 'mail#1', state: 'running' }]);
  });

  test('the drain of the process gives back, waits for what lingers, and reports all', async () => {
    const { tree, clock, engine } = setup([processorGroup('mail')]);
    await tree.start(1);
    tree.startWorkers('mail', ['mail#1', 'mail#2']);
    await turn();
    const [first, second] = engine.workers as [ScriptedWorker, ScriptedWorker];
    const [a, b, c] = ['a', 'b', 'c'].map((jobId) => ({ queue: 'mail', jobId, startedAt: 1 })) as [JobRef, JobRef, JobRef];
    first.jobs = [a, b];
    tree.stopWorkers(['mail#1'], 0, { abortLeadMs: 0, onDeadline: 'linger' });
    first.drained.resolve({ finished: 4, aborted: 0, returned: [], lost: [], lingering: [a, b] });
    await turn();

    second.jobs = [c];
    const report = tree.endWorkers(Deadline.in(1_000, clock), 400);
    expect(second.drains).toEqual([{ remainingMs: 1_000, abortLeadMs: 400, onDeadline: 'return' }]);
    expect(tree.hands.byWorker()).toEqual({ 'mail#1': 2, 'mail#2': 1 });
    first.jobs = [b];
    second.jobs = [];
    second.drained.resolve({ finished: 0, aborted: 1, returned: [c], lost: [], lingering: [] });
    for (let passed = 0; passed <= 1_000; passed += 50) {
      clock.advance(50);
      await turn();
    }
    await expect(report).resolves.toEqual({ finished: 5, aborted: 1, returned: [c], lost: [b], lingering: [] });
  });
});
