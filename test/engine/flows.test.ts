/** Flows from adding to the end of the last parent, on Drover's own classes. */
import {
  type FlowJob,
  FlowProducer,
  InvalidOptionError,
  type Job,
  JobStatusError,
  Queue,
  UnrecoverableError,
  WaitingChildrenError,
  Worker,
} from '@drover/core';
import { atEnd } from '../support/at-end.js';
import { collect, type Rig, rig } from '../support/engine.js';
import { brokenInvariants } from '../support/invariants.js';
import { until } from '../support/until.js';

/** A rig whose FlowProducer shares its prefix. */
function flowRig(): Rig & { readonly flows: FlowProducer; other(name: string): Queue; allBroken(...queues: string[]): Promise<string[]> } {
  const base = rig('top');
  const flows = new FlowProducer({ connection: base.url, prefix: base.prefix });
  atEnd(() => flows.close());
  return {
    ...base,
    flows,
    other(name) {
      const queue = new Queue(name, { connection: base.url, prefix: base.prefix });
      atEnd(() => queue.close());
      return queue;
    },
    async allBroken(...queues) {
      const lines = await Promise.all(queues.map((name) => brokenInvariants(base.redis, name, { prefix: base.prefix, isIdle: true })));
      return lines.flat();
    },
  };
}

const top = (id: string, children?: readonly FlowJob[], opts: object = {}, queueName = 'top'): FlowJob => ({
  name: id,
  queueName,
  data: { id },
  opts: { jobId: id, ...opts },
  ...(children ? { children } : {}),
});
const child = (id: string, opts: object = {}) => top(id, undefined, opts);
const POLICIES = ['failParentOnFailure', 'continueParentOnFailure', 'ignoreDependencyOnFailure', 'removeDependencyOnFailure'] as const;

/** Fails jobs whose id begins with `bad`, sums up what the children of the others brought. */
async function sum(job: Job): Promise<number> {
  if (job.id.startsWith('bad')) throw new UnrecoverableError(`no luck with ${job.id}`);
  const values = Object.values(await job.getChildrenValues<number>());
  return values.reduce((total, value) => total + value, 1);
}

describe('adding', () => {
  test('ids are UUIDs unless given, data stays what the caller handed in, and jobs know their parent', async () => {
    const { flows, url, prefix } = flowRig();
    const data = { when: new Date() };
    const tree = await flows.add({
      name: 'root',
      queueName: 'top',
      children: [{ name: 'a', queueName: 'low', data, prefix: `${prefix}x`, opts: { failParentOnFailure: true } }],
    });
    expect(tree.job.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-/);
    expect(tree.job.data).toEqual({});
    const [a] = tree.children ?? [];
    expect(a?.job.data).toBe(data);
    expect(a?.job).toMatchObject({ queueQualifiedName: `${prefix}x:low`, parentKey: `${prefix}:top:${tree.job.id}` });
    const queue = new Queue('low', { connection: url, prefix: `${prefix}x` });
    atEnd(() => queue.close());
    const stored = await queue.getJob(a?.job.id as string);
    expect(stored?.parent).toEqual({ id: tree.job.id, queueKey: `${prefix}:top`, fpof: true });
    expect(stored?.parent).toEqual(a?.job.parent);
    expect(await tree.job.getState()).toBe('waiting-children');
    expect(await a?.job.isWaiting()).toBe(true);
  });

  test('a job that belongs to another parent: nothing is added below it, it is told, and its would-be parent does not go on without it', async () => {
    const { flows, queue, redis, prefix } = flowRig();
    const errors = collect(flows, 'error');
    await flows.add(top('r1', [child('shared')]));
    const tree = await flows.add(top('r2', [top('shared', [child('below')]), child('c')]));
    expect(errors).toEqual([
      [expect.objectContaining({ code: -7, message: `The parent job ${prefix}:top:r2 cannot be replaced. addJob` })],
    ]);
    expect(tree.children?.map(({ job }) => job.id)).toEqual(['shared', 'c']);
    expect(await queue.getJob('below')).toBeUndefined();
    expect((await queue.getJob('shared'))?.parentKey).toBe(`${prefix}:top:r1`);
    expect(await redis.smembers(`${prefix}:top:r2:dependencies`)).toEqual([`${prefix}:top:c`]);
  });

  test('a refused root is thrown, and nothing of its flow is there', async () => {
    const { flows, redis, prefix } = flowRig();
    await flows.add(top('r1', [child('taken')]));
    const before = (await redis.keys(`${prefix}*`)).sort();
    const parent = { id: 'r2', queue: `${prefix}:top` };
    await expect(flows.add(top('taken', [child('below')], { parent: { ...parent, id: 'gone' } }))).rejects.toMatchObject({ code: -5 });
    expect((await redis.keys(`${prefix}*`)).sort()).toEqual(before);
    await flows.add(child('r2'));
    const failure = await flows.add(top('taken', [child('below')], { parent })).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(JobStatusError);
    expect(failure).toMatchObject({ code: -7, jobId: 'taken' });
    expect(await redis.exists(`${prefix}:top:below`)).toBe(0);
  });

  test('of many flows, a refused root is told and the others are added', async () => {
    const { flows, queue, prefix } = flowRig();
    const errors = collect(flows, 'error');
    const trees = await flows.addBulk([
      top('r1', [child('a')], { parent: { id: 'gone', queue: `${prefix}:top` } }),
      top('r2', [child('b')]),
    ]);
    expect(trees.map(({ job }) => job.id)).toEqual(['r1', 'r2']);
    expect(errors).toEqual([[expect.objectContaining({ code: -5 })]]);
    expect(await queue.getJobCounts()).toMatchObject({ waiting: 1, 'waiting-children': 1 });
    expect(await flows.addBulk([])).toEqual([]);
  });

  test('what is wrong is refused before anything is sent', async () => {
    const { flows, queue, redis, prefix, url } = flowRig();
    await expect(flows.add(top('r', [child('12')]))).rejects.toThrow('flow.children[0].jobId must be');
    await expect(flows.addBulk([top('r'), top('r', [{ name: 'x' } as never])])).rejects.toThrow('flows[1].children[0].queue name');
    await expect(flows.addBulk({} as never)).rejects.toThrow(InvalidOptionError);
    await expect(flows.add(top('r'), { queueOptions: {} } as never)).rejects.toThrow('did you mean "queuesOptions"?');
    await expect(flows.add(top('r'), { queuesOptions: { top: { defaultJobOptions: { delay: 'x' } } } } as never)).rejects.toThrow('delay');
    await expect(flows.getFlow({ queueName: 'top', id: 'r', depth: 0 })).rejects.toThrow('depth must be');
    expect(() => new FlowProducer({ connection: url, prefx: 'a' } as never)).toThrow('did you mean "prefix"?');
    await queue.waitUntilReady(); // the queue of the rig has written its configuration
    expect(await redis.keys(`${prefix}*`)).toEqual([`${prefix}:top:meta`]);
  });

  test('1,000 children at each of ten levels can be added, worked and read; one job more than 10,000 cannot', async () => {
    const { flows, queue, worker, counts, allBroken } = flowRig();
    let flow = child('l9');
    for (let level = 8; level >= 0; level--) {
      flow = top(`l${level}`, [flow, ...Array.from({ length: level === 0 ? 1_000 : 99 }, (_, at) => child(`l${level}-${at}`))]);
    }
    await flows.add(flow);
    expect(await queue.getJobCounts()).toMatchObject({ 'waiting-children': 9, waiting: 1_793 });
    expect((await flows.getFlow({ queueName: 'top', id: 'l0', maxChildren: 2_000 }))?.children).toHaveLength(1_001);
    const works = worker(sum, { concurrency: 100 });
    await counts({ completed: 1_802, 'waiting-children': 0 });
    await works.close();
    expect((await queue.getJob('l0'))?.returnvalue).toBe(1_802);
    expect(await allBroken('top')).toEqual([]);
    const many = Array.from({ length: 10_000 }, (_, at) => child(`x-${at}`));
    await expect(flows.add(top('much', many))).rejects.toThrow('must be at most 10000, got 10001');
    await flows.add(top('much', many.slice(1)));
    expect(await queue.getWaitingCount()).toBe(9_999);
  }, 60_000);
});

describe('working', () => {
  test('grandparents wait for parents, in any queue; delayed and prioritized ones take their places when released', async () => {
    const { flows, queue, worker, other, prefix, url, counts, allBroken } = flowRig();
    const low = other('low');
    await flows.add(
      top('root', [
        top('m1', [top('a', undefined, {}, 'low'), top('b', undefined, { priority: 3 }, 'low')], { priority: 2 }),
        top('m2', [top('c', undefined, { delay: 20 }, 'low')], { delay: 3_600_000 }),
      ]),
    );
    expect(await low.getJobCounts()).toMatchObject({ waiting: 1, prioritized: 1, delayed: 1 });
    const lows = new Worker('low', sum, { connection: url, prefix });
    atEnd(() => lows.close());
    await until(async () => (await low.getCompletedCount()) === 3, { what: 'the children to complete' });
    expect(await Promise.all(['root', 'm1', 'm2'].map((id) => queue.getJobState(id)))).toEqual([
      'waiting-children',
      'prioritized',
      'delayed',
    ]);
    await (await queue.getJob('m2'))?.promote();
    worker(sum);
    await counts({ completed: 3 });
    const root = await queue.getJob('root');
    expect(root?.returnvalue).toBe(6);
    expect(await root?.getChildrenValues()).toEqual({ [`${prefix}:top:m1`]: 3, [`${prefix}:top:m2`]: 2 });
    expect(await allBroken('top', 'low')).toEqual([]);
  });

  test.each([...POLICIES, 'none'] as const)('policy %s', async (policy) => {
    const { flows, queue, worker, counts, prefix, allBroken } = flowRig();
    const opts = policy === 'none' ? {} : { [policy]: true };
    await flows.add(
      top('root', [top('mid', [child('bad', opts), ...(policy === 'continueParentOnFailure' ? [] : [child('good')])], opts)]),
    );
    worker(sum);
    if (policy === 'none') {
      await counts({ failed: 1, completed: 1, 'waiting-children': 2 });
      expect(await queue.getJob('mid').then((job) => job?.getDependencies())).toMatchObject({ unprocessed: [`${prefix}:top:bad`] });
      expect(await queue.remove('bad')).toBe(1);
      await counts({ completed: 3, 'waiting-children': 0 });
    } else if (policy === 'failParentOnFailure') {
      await counts({ failed: 3, completed: 1 });
      expect((await queue.getJob('mid'))?.failedReason).toBe(`child ${prefix}:top:bad failed`);
      expect((await queue.getJob('root'))?.failedReason).toBe(`child ${prefix}:top:mid failed`);
      expect(await queue.getJob('mid').then((job) => job?.getDependencies())).toMatchObject({ failed: [`${prefix}:top:bad`] });
    } else {
      await counts({ failed: 1, 'waiting-children': 0, waiting: 0, active: 0 });
      const mid = await queue.getJob('mid');
      expect(mid?.returnvalue).toBe(policy === 'continueParentOnFailure' ? 1 : 2);
      const ignored = policy === 'removeDependencyOnFailure' ? {} : { [`${prefix}:top:bad`]: 'no luck with bad' };
      expect(await mid?.getIgnoredChildrenFailures()).toEqual(ignored);
      expect(await mid?.getFailedChildrenValues()).toEqual(ignored);
      expect(await mid?.getDependenciesCount()).toMatchObject({ unprocessed: 0, ignored: Object.keys(ignored).length });
      await counts({ completed: policy === 'continueParentOnFailure' ? 2 : 3 });
    }
    expect(await allBroken('top')).toEqual([]);
  });

  test('a parent that goes on at a failure removes the children nobody has started', async () => {
    const { flows, queue, worker, counts, allBroken } = flowRig();
    await flows.add(top('root', [child('bad', { continueParentOnFailure: true }), child('slow', { delay: 3_600_000 })]));
    worker(async (job: Job) => {
      const failures = await job.getIgnoredChildrenFailures();
      if (Object.keys(failures).length > 0) await job.removeUnprocessedChildren();
      return sum(job);
    });
    await counts({ completed: 1, failed: 1, delayed: 0 });
    expect(await queue.getJob('slow')).toBeUndefined();
    expect(await allBroken('top')).toEqual([]);
  });

  test('a parent with very many pending children removes them all', async () => {
    const { flows, queue, redis, prefix, allBroken } = flowRig();
    const children = Array.from({ length: 2_500 }, (_, at) => child(`c${at}`));
    const { job } = await flows.add(top('root', [...children, top('below', [child('last')])]));
    await job.removeUnprocessedChildren();
    expect(await queue.getJobCounts()).toMatchObject({ waiting: 1, 'waiting-children': 0 });
    expect(await redis.lrange(`${prefix}:top:wait`, 0, -1)).toEqual(['root']);
    expect(await allBroken('top')).toEqual([]);
  });

  test('a child that is unlinked is waited for no more, and runs on its own', async () => {
    const { flows, queue, counts, worker, allBroken } = flowRig();
    const tree = await flows.add(top('root', [child('a', { delay: 3_600_000 })]));
    const a = tree.children?.[0]?.job as Job;
    expect(await a.removeChildDependency()).toBe(true);
    expect(await a.removeChildDependency()).toBe(false);
    worker(sum);
    await counts({ completed: 1, delayed: 1 });
    expect((await queue.getJob('a'))?.parentKey).toBeUndefined();
    expect(await allBroken('top')).toEqual([]);
  });

  test('a run adds children and waits for them, step by step', async () => {
    const { flows, queue, worker, counts, prefix, allBroken } = flowRig();
    worker(async (job: Job, token?: string) => {
      if (job.name !== 'steps') return sum(job);
      const parent = { id: job.id, queue: job.queueQualifiedName };
      if (job.data.step === 0) {
        await queue.add('one', {}, { jobId: 'one', parent });
        await flows.add(top('two', [child('three')], { parent }));
        await job.updateData({ step: 1 });
      }
      if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
      return sum(job);
    });
    const job = await queue.add('steps', { step: 0 }, { jobId: 'steps' });
    await counts({ completed: 4 });
    expect(await (await queue.getJob(job.id))?.getChildrenValues()).toEqual({ [`${prefix}:top:one`]: 1, [`${prefix}:top:two`]: 2 });
    expect((await queue.getJob(job.id))?.returnvalue).toBe(4);
    expect(await allBroken('top')).toEqual([]);
  });

  test('a run waits for one of its children, while it is pending', async () => {
    const { queue, worker, counts, allBroken } = flowRig();
    const waits: boolean[] = [];
    worker(async (job: Job, token?: string) => {
      if (job.name !== 'steps') return 1;
      const parent = { id: job.id, queue: job.queueQualifiedName };
      if (job.attemptsStarted === 1) {
        await queue.add('late', {}, { jobId: 'late', parent });
        await expect(job.moveToWaitingChildren(token, { child: { id: '', queue: 'x' } })).rejects.toThrow('child.id must be');
        waits.push(await job.moveToWaitingChildren(token, { child: { id: 'other', queue: parent.queue } }));
      }
      const isWaiting = await job.moveToWaitingChildren(token, { child: { id: 'late', queue: parent.queue } });
      waits.push(isWaiting);
      if (isWaiting) throw new WaitingChildrenError();
      return 2;
    });
    await queue.add('steps', {});
    await counts({ completed: 2 });
    expect(waits).toEqual([false, true, false]);
    expect(await allBroken('top')).toEqual([]);
  });

  test('a stored job becomes a child: done, with its value; not yet, to be waited for', async () => {
    const { flows, queue, worker, counts, prefix, allBroken } = flowRig();
    const done = worker(sum);
    await queue.add('done', {}, { jobId: 'done' });
    await counts({ completed: 1 });
    await done.close();
    await queue.add('yet', {}, { jobId: 'yet' });
    await flows.addBulk([top('r1', [child('done')]), top('r2', [child('yet')])]);
    expect(await queue.getJobState('r1')).toBe('waiting');
    expect(await queue.getJobState('r2')).toBe('waiting-children');
    worker(sum);
    await counts({ completed: 4 });
    expect(await (await queue.getJob('r1'))?.getChildrenValues()).toEqual({ [`${prefix}:top:done`]: 1 });
    expect(await allBroken('top')).toEqual([]);
  });

  test('idle workers of all queues of a flow wake at once', async () => {
    const { flows, worker, prefix, url, other } = flowRig();
    worker(sum);
    const queues = ['w1', 'w2'].map((name) => {
      const each = new Worker(name, sum, { connection: url, prefix, drainDelay: 600 });
      atEnd(() => each.close());
      return other(name);
    });
    await flows.add(
      top(
        'root',
        ['w1', 'w2'].map((name) => top(name, undefined, {}, name)),
      ),
    );
    await until(async () => (await flows.getFlow({ queueName: 'top', id: 'root' }))?.job.returnvalue === 3, {
      what: 'the root to complete',
    });
    expect(await Promise.all(queues.map((queue) => queue.getCompletedCount()))).toEqual([1, 1]);
  });
});

describe('reading', () => {
  test('by depth and number of children; what is gone is left out', async () => {
    const { flows, queue } = flowRig();
    await flows.add(top('root', [top('a', [top('b', [child('c')])]), ...Array.from({ length: 30 }, (_, at) => child(`x${at}`))]));
    const request = { queueName: 'top', id: 'root' };
    expect(Object.keys((await flows.getFlow({ ...request, depth: 1 })) as object)).toEqual(['job']);
    expect((await flows.getFlow({ ...request, depth: 2 }))?.children).toHaveLength(20);
    const all = await flows.getFlow({ ...request, maxChildren: 31 });
    expect(all?.children).toHaveLength(31);
    const a = all?.children?.find(({ job }) => job.id === 'a');
    expect(a?.children?.[0]?.children?.[0]?.job.id).toBe('c');
    await queue.remove('b');
    expect((await flows.getFlow({ ...request, id: 'a' }))?.children).toBeUndefined();
    expect(await flows.getFlow({ ...request, id: 'none' })).toBeUndefined();
    expect(await flows.getFlow({ ...request, prefix: 'none' })).toBeUndefined();
  });
});
