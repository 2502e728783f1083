/** Flows of BullMQ, their children run by one library and their parents by the other: the policies end alike whoever has which part. */
import { droverSide, type Either, peerSides, perform, type Side } from '../support/roles.js';
import { until } from '../support/until.js';

const POLICIES = [
  {},
  { failParentOnFailure: true },
  { continueParentOnFailure: true },
  { ignoreDependencyOnFailure: true },
  { removeDependencyOnFailure: true },
] as const;

interface FamilyCase {
  readonly policy: object;
  /** Names of the children; those that begin with `bad` fail, with the policy. */
  readonly children: readonly string[];
  readonly parent?: object;
}

const cases: readonly FamilyCase[] = [
  ...POLICIES.map((policy) => ({ policy, children: ['bad'] })),
  ...POLICIES.map((policy) => ({ policy, children: ['good', 'bad', 'better'] })),
  { policy: {}, children: ['good', 'better'], parent: { priority: 3 } },
  { policy: {}, children: ['good'], parent: { delay: 20 } },
  { policy: { failParentOnFailure: true }, children: ['bad', 'good'], parent: { priority: 3, removeOnFail: true } },
];

/** Children stand in `mail`, the parent in `par`; each queue is worked until nothing can run in either. */
async function play(peer: (typeof peerSides)[number], children: Side, parents: Side, { policy, children: names, parent = {} }: FamilyCase) {
  return perform(peer, children, async ({ where, queue, open, worker, counts }) => {
    const flows = new peer.library.FlowProducer(where);
    await flows.add({
      ...{ name: 'parent', queueName: 'par', opts: { jobId: 'parent', ...parent } },
      children: names.map((name) => ({ name, queueName: 'mail', opts: { jobId: name, ...(name.startsWith('bad') ? policy : {}) } })),
    });
    await flows.close();
    const par = await open('par');
    const ofChildren = await worker(async (job) => {
      if (job.name.startsWith('bad')) throw new Error(`no luck with ${job.name}`);
      return { by: job.name };
    });
    const bad = names.filter((name) => name.startsWith('bad')).length;
    await counts({ completed: names.length - bad, failed: bad, active: 0, waiting: 0 });
    await ofChildren.close();
    const seen: unknown[] = [];
    const ofParents = await worker(
      async (job) => {
        seen.push(await job.getChildrenValues(), await job.getIgnoredChildrenFailures(), await job.getDependenciesCount());
      },
      {},
      parents,
      'par',
    );
    const waits = bad > 0 && Object.keys(policy).length === 0;
    const state = waits
      ? await par.getJobState('parent')
      : await until(() => hasEnded(par, 'parent'), { what: 'the parent to end', everyMs: 5 });
    await ofParents.close();
    const left = await par.getJob('parent');
    return { seen, state, left: left?.toJSON() ?? 'gone', children: (await queue.getJobs()).map(({ id }: Either) => id).sort() };
  });
}

const hasEnded = async (par: Either, id: string): Promise<string | undefined> => {
  const state = await par.getJobState(id);
  return ['completed', 'failed', 'unknown'].includes(state) ? state : undefined;
};

describe.each(peerSides)('$name', (peer) => {
  test.each(cases)('$policy: $children', async (one) => {
    const castings = [
      [peer, peer],
      [droverSide, peer],
      [peer, droverSide],
    ] as const;
    const [theirs, ourChildren, ourParents] = await Promise.all(castings.map(([children, parents]) => play(peer, children, parents, one)));
    expect({ 'Drover ran the children': ourChildren }).toEqual({ 'Drover ran the children': theirs });
    expect({ 'Drover ran the parent': ourParents }).toEqual({ 'Drover ran the parent': theirs });
    expect([ourChildren?.broken, ourParents?.broken]).toEqual([[], []]);
  });

  test('a grandparent fails with the child of its child', async () => {
    const run = (children: Side) =>
      perform(peer, children, async ({ where, open, worker, counts }) => {
        const flows = new peer.library.FlowProducer(where);
        const fatal = { failParentOnFailure: true };
        const child = { name: 'bad', queueName: 'mail', opts: { jobId: 'child', ...fatal } };
        const middle = { name: 'middle', queueName: 'mail', opts: { jobId: 'middle', ...fatal }, children: [child] };
        await flows.add({ name: 'top', queueName: 'par', opts: { jobId: 'top' }, children: [middle] });
        await flows.close();
        const par = await open('par');
        const fails = async () => {
          throw new Error('no luck');
        };
        const both = [await worker(fails), await worker(fails, {}, children, 'par')];
        await counts({ failed: 2 });
        await until(() => hasEnded(par, 'top'), { what: 'the top to end', everyMs: 5 });
        for (const one of both) await one.close();
        return [(await par.getJob('top')).failedReason];
      });
    const [theirs, ours] = await Promise.all([run(peer), run(droverSide)]);
    expect(ours).toEqual(theirs);
    expect(ours.broken).toEqual([]);
  });
});
