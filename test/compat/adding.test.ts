/** Every kind of add: what one library stores, the other reads alike and works to the end. */
import { type Either, expectSameInAllRoles, type PeerSide, peerSides } from '../support/roles.js';
import { until } from '../support/until.js';

interface Add {
  readonly name: string;
  readonly data?: unknown;
  readonly opts?: object;
}

interface AddCase {
  readonly what: string;
  readonly adds: readonly Add[];
  /** Of the queue that adds. */
  readonly options?: object;
  /** Jobs that complete; default: one for each add. */
  readonly completed?: number;
  readonly since6?: true;
}

const named = (name: string, opts: object = {}): Add => ({ name, data: { of: name }, opts });
const later = { delay: 30 };
const together = { ...later, timestamp: Date.now() };
const all = {
  ...{ attempts: 3, backoff: { type: 'exponential', delay: 10, jitter: 0.5 }, keepLogs: 2, stackTraceLimit: 4, sizeLimit: 500 },
  ...{ removeOnComplete: { age: 3_600, count: 50 }, removeOnFail: 7, timestamp: 1_700_000_000_000, priority: 3, lifo: true },
  telemetry: { metadata: 'trace', omitContext: true },
};

const cases: readonly AddCase[] = [
  { what: 'standard', adds: [named('a'), named('b'), { name: 'without data' }] },
  {
    what: 'data of every kind',
    adds: [null, 0, false, '', 'ä "/" \u2028', [], [1, [2]], { a: { b: null }, 'x/y': [{}] }].map((data) => ({ name: 'a', data })),
  },
  { what: 'lifo', adds: [named('a'), named('b', { lifo: true }), named('c', { lifo: true }), named('d')] },
  { what: 'delayed', adds: [named('late', later), named('now'), named('later', { delay: 40 }), named('not', { delay: 0 })] },
  { what: 'prioritized', adds: [3, 1, 2, 1, 0, 2_097_151].map((priority) => named(`p${priority}`, { priority })) },
  {
    what: 'delayed and prioritized',
    adds: [named('a', { ...together, priority: 9 }), named('b', { ...together, priority: 1 }), named('c')],
  },
  { what: 'custom ids', adds: [named('a', { jobId: 'own' }), named('b'), named('c', { jobId: 'a:b:c' }), named('d', { jobId: 'x/y ü' })] },
  { what: 'an id that is stored already', adds: ['a', 'b', 'c'].map((name) => named(name, { jobId: 'own' })), completed: 1 },
  {
    what: 'refused ids',
    adds: ['12', '0', '0:x', 'a:b', '-3', '1.5'].map((jobId) => named('a', { jobId })),
    completed: 1,
  },
  {
    what: 'refused options',
    adds: [{ priority: 1.5 }, { priority: 2_097_152 }, { deduplication: {} }, { backoff: { type: 'fixed', jitter: 2 } }].map((opts) =>
      named('a', opts),
    ),
    completed: 0,
  },
  {
    what: 'all options with their stored names',
    adds: [named('a', all), named('b', { ...all, backoff: 25, removeOnComplete: true })],
    completed: 1,
  },
  {
    what: 'defaults of the queue',
    options: { defaultJobOptions: { attempts: 4, backoff: 50, priority: 5, removeOnFail: true, keepLogs: 3 } },
    adds: [named('a'), named('b', { attempts: 1, priority: 2 }), named('c', { jobId: 'own', backoff: { type: 'fixed', delay: 7 } })],
  },
  {
    what: 'a limit of size, in bytes',
    adds: ['ääää', 'äääää', 'a'.repeat(8), 'a'.repeat(9)].map((data) => ({ name: 'a', data, opts: { sizeLimit: 10 } })),
    completed: 2,
  },
];

const dedup = (...modes: readonly object[]): Add[] => modes.map((mode, n) => named(`job ${n}`, { ...later, ...mode }));
const id = 'x';
const ttl = 60_000;
const deduplicated: readonly AddCase[] = [
  { what: 'simple', adds: dedup({ deduplication: { id } }, { deduplication: { id } }, { deduplication: { id: 'y' } }), completed: 2 },
  {
    what: 'simple, of ready and prioritized ones',
    adds: [0, 2].map((priority) => named('a', { priority, deduplication: { id } })),
    completed: 1,
  },
  { what: 'throttle', adds: dedup({ deduplication: { id, ttl } }, { deduplication: { id, ttl: 5 } }), completed: 1 },
  { what: 'debounce: extend', adds: dedup(...Array(3).fill({ deduplication: { id, ttl, extend: true } })), completed: 1 },
  { what: 'debounce: replace', adds: dedup(...Array(3).fill({ deduplication: { id, replace: true } })), completed: 1 },
  {
    what: 'debounce: extend and replace',
    adds: dedup(...Array(3).fill({ deduplication: { id, ttl, extend: true, replace: true } })),
    completed: 1,
  },
  { what: 'replace of a job that is not delayed', adds: Array(2).fill(named('a', { deduplication: { id, replace: true } })), completed: 1 },
  {
    what: 'reschedule',
    adds: dedup({ deduplication: { id, reschedule: true } }, { deduplication: { id, reschedule: true }, delay: 45 }),
    completed: 1,
    since6: true,
  },
  { what: 'with custom ids', adds: [1, 2, 2].map((n) => named('a', { jobId: `j${n}`, deduplication: { id } })), completed: 1 },
];

/** Less what version 5 alone tells. */
const readable = ({ debounceId: _, ...json }: Record<string, unknown>) => json;
const ids = (jobs: Either[]) => jobs.map((job) => job.id);
const READY = ['wait', 'prioritized', 'delayed'];

async function addAndWork(peer: PeerSide, { adds, options = {}, completed = adds.length }: AddCase): Promise<void> {
  await expectSameInAllRoles(peer, async ({ open, workers, work, redis, key }) => {
    const queue = await open('mail', options);
    const added: unknown[] = [];
    for (const { name, data, opts } of adds) {
      const add: Promise<Either> = queue.add(name, data, opts);
      added.push(
        await add.then(
          (job) => job.id,
          () => 'refused',
        ),
      );
    }
    const read = (await workers.getJobs(READY, 0, -1, true)).map((job: Either) => readable(job.toJSON()));
    const keys = (await redis.keys(key('d[en]:*'))).length;
    const ran: string[] = [];
    await work({ completed, failed: 0 }, async (job) => void ran.push(job.id));
    return { added, read, keys, ran };
  });
}

describe.each(peerSides)('$name', (peer) => {
  test.each(cases)('add: $what', (one) => addAndWork(peer, one));
  test.each(deduplicated.filter(({ since6 }) => !(since6 && peer.isV5)))('deduplication: $what', (one) => addAndWork(peer, one));

  test('addBulk: every kind in one call', async () => {
    await expectSameInAllRoles(peer, async ({ queue, workers, work }) => {
      const taken = cases
        .slice(0, 6)
        .flatMap(({ adds }) => adds)
        .map((add) => ({ data: {}, ...add }));
      const added = await queue.addBulk([
        ...taken,
        named('own', { jobId: 'own' }),
        ...dedup({ deduplication: { id } }, { deduplication: { id } }),
      ]);
      const waiting = ids(await workers.getWaiting());
      const ran: string[] = [];
      await work({ completed: taken.length + 2, delayed: 0 }, async (job) => void ran.push(job.name));
      return { added: ids(added), waiting, ran: ran.sort() };
    });
  });

  test('deduplication: the last add is kept while the first is active, and runs next', async () => {
    await expectSameInAllRoles(peer, async ({ queue, workers, worker, counts, redis, key }) => {
      const opts = { deduplication: { id, keepLastIfActive: true } };
      const starts: string[] = [];
      let release = (): void => undefined;
      const isReleased = new Promise<void>((resolve) => {
        release = resolve;
      });
      const running = await worker(async (job) => {
        starts.push(job.name);
        await isReleased;
      });
      const told = [(await queue.add('one', { n: 1 }, opts)).id];
      await until(() => starts.length === 1, { what: 'the first run' });
      told.push(
        (await queue.add('two', { n: 2 }, opts)).id,
        (await workers.add('three', { n: 3 }, { ...opts, attempts: 2, priority: 4 })).id,
      );
      const kept = await redis.hget(key(`dn:${id}`), 'name');
      release();
      await counts({ completed: 2, active: 0, waiting: 0, prioritized: 0 });
      await running.close();
      return { told, kept, starts, owner: await queue.getDeduplicationJobId(id) };
    });
  });

  test.each<readonly [string, (queue: Either) => Promise<unknown>]>([
    ['remove', async (queue) => queue.remove('1')],
    ['remove of the job', async (queue) => (await queue.getJob('1')).remove()],
    ['clean', async (queue) => queue.clean(0, 0, 'wait')],
    ['drain', async (queue) => queue.drain()],
    ['the key by the queue', async (queue) => queue.removeDeduplicationKey(id)],
    ['the key by the job', async (queue) => (await queue.getJob('1')).removeDeduplicationKey()],
  ])('deduplication: an id is free again after %s', async (_how, free) => {
    await expectSameInAllRoles(peer, async ({ queue, workers, work }) => {
      await workers.add('one', {}, { deduplication: { id } });
      const owner = await queue.getDeduplicationJobId(id);
      const told = await free(queue);
      const freed = await workers.getDeduplicationJobId(id);
      const next = (await workers.add('two', {}, { deduplication: { id } })).id;
      await work({ waiting: 0, active: 0 });
      return { owner, told, freed, next };
    });
  });

  test.each([
    { what: 'completed', mode: { id }, isFreed: true },
    { what: 'failed', mode: { id }, isFreed: true },
    { what: 'completed, while its time runs', mode: { id, ttl }, isFreed: false },
    { what: 'evicted, while its time runs', mode: { id, ttl }, isFreed: false },
  ])('deduplication: a job has $what', async ({ what, mode, isFreed }) => {
    const told = await expectSameInAllRoles(peer, async ({ queue, work, redis, key }) => {
      await queue.add(what, {}, { deduplication: mode, removeOnComplete: what.startsWith('evicted') });
      await work({ waiting: 0, active: 0, failed: what === 'failed' ? 1 : 0 }, async (job) => {
        if (job.name === 'failed') throw new Error('no');
      });
      return { owner: await queue.getDeduplicationJobId(id), isTimed: (await redis.pttl(key(`de:${id}`))) > 0 };
    });
    expect(told).toMatchObject(isFreed ? { owner: null, isTimed: false } : { owner: '1', isTimed: true });
  });

  test('a child that is added to a parent on its way', async () => {
    await expectSameInAllRoles(peer, async ({ queue, workers, work, open }) => {
      const parents = await open('par');
      await parents.add('parent', {}, { jobId: 'p' });
      const parent = { id: 'p', queue: parents.qualifiedName };
      const children = [
        await queue.add('one', {}, { parent }),
        await queue.add('two', {}, { parent, jobId: 'two', failParentOnFailure: true, delay: 5 }),
        await queue.add('two again', {}, { parent, jobId: 'two' }),
      ];
      const pending = await (await parents.getJob('p')).getDependenciesCount();
      const stored = readable((await workers.getJob('two')).toJSON());
      await work({ completed: 2, delayed: 0 }, async (job) => job.name);
      return { children: ids(children), pending, stored, values: await (await parents.getJob('p')).getChildrenValues() };
    });
  });

  test('a child of nobody is refused, and nothing of it is stored', async () => {
    await expectSameInAllRoles(peer, async ({ queue, workers, redis, key }) => {
      const parent = { id: 'nobody', queue: queue.qualifiedName };
      const refusal = await queue.add('orphan', {}, { parent }).catch((error: Either) => [error.message, error.code]);
      await redis.del(key('id')); // Drover counts the jobs of a call before it looks at them
      return { refusal, count: await workers.count() };
    });
  });
});
