import { setTimeout as delay } from 'node:timers/promises';
import { rig } from '../support/engine.js';
import { peers } from '../support/peers.js';
import { pairs } from '../support/queue-snapshot.js';
import { until } from '../support/until.js';

const JOBS = 20_000;
const PER_CALL = 400;
const KINDS = ['standard', 'delayed', 'prioritized', 'lifo', 'retried'] as const;
type Kind = (typeof KINDS)[number];

interface Sent {
  readonly name: Kind;
  readonly data: { readonly n: number; readonly failures: number };
  readonly opts: Record<string, unknown>;
}

/** The nth job: kinds take turns, and numbers differ from job to job, so that all producers send every kind. */
function job(n: number): Sent {
  const name = KINDS[n % KINDS.length] as Kind;
  const turn = Math.floor(n / KINDS.length);
  const failures = name === 'retried' ? 1 + (turn % 2) : 0;
  const opts: Record<Kind, Record<string, unknown>> = {
    standard: {},
    delayed: { delay: 1 + (turn % 700) },
    prioritized: { priority: 1 + (turn % 9) },
    lifo: { lifo: true },
    retried: { attempts: 3, backoff: { type: turn % 2 === 0 ? 'fixed' : 'exponential', delay: 20 } },
  };
  return { name, data: { n, failures }, opts: opts[name] };
}

/** What the stream tells of a job from its start to its end. */
function storyOf({ name, data }: Sent): string {
  const start = name === 'delayed' ? ['added', 'delayed', 'waiting', 'active'] : ['added', 'waiting', 'active'];
  const retries = Array.from({ length: data.failures }, () => ['delayed', 'waiting', 'active']).flat();
  return [...start, ...retries, 'completed'].join(' ');
}

test('Drover, BullMQ 6 and BullMQ 5 fill and work one queue: each job completes once, and counts and events agree', async () => {
  const { queue, prefix, url, redis, worker, counts, broken } = rig();
  const where = { prefix, url };
  const theirs = peers.map((peer) => peer.queue('mail', where));
  await Promise.all([queue, ...theirs].map((one) => one.waitUntilReady()));
  await redis.hset(`${prefix}:mail:meta`, 'opts.maxLenEvents', 1_000_000); // the whole story, not its end

  const completions = new Map<number, number>();
  const runs = new Map<string, number>();
  const processorOf = (fleet: string) => async (one: { data: unknown; attemptsMade: number }) => {
    const { n, failures } = one.data as Sent['data'];
    runs.set(fleet, (runs.get(fleet) ?? 0) + 1);
    await delay(1 + (n % 3));
    if (one.attemptsMade < failures) throw new Error(`try ${one.attemptsMade + 1} of ${n}`);
    completions.set(n, (completions.get(n) ?? 0) + 1);
    return n;
  };
  const events = await (peers[0] as (typeof peers)[0]).events('mail', where);
  const heard: string[] = [];
  events.on('completed', (({ jobId }: { jobId: string }) => void heard.push(jobId)) as never);
  worker(processorOf('drover'), { concurrency: 25 });
  for (const peer of peers) await peer.worker('mail', processorOf(peer.version), where, 25);

  const sent = new Map<string, Sent>();
  const producers = [queue, ...theirs];
  const calls = Array.from({ length: JOBS / PER_CALL }, (_, call) =>
    Array.from({ length: PER_CALL }, (_, at) => job(call * PER_CALL + at)),
  );
  await Promise.all(
    producers.map(async (producer, nth) => {
      for (const [call, jobs] of calls.entries()) {
        if (call % producers.length !== nth) continue;
        const added = await producer.addBulk(jobs);
        for (const [at, { id }] of added.entries()) sent.set(id as string, jobs[at] as Sent);
      }
    }),
  );
  const idle = { waiting: 0, active: 0, delayed: 0, prioritized: 0, failed: 0 };
  await until(async () => (await queue.getJobCounts()).completed === JOBS, { what: 'all jobs to complete', limitMs: 90_000, everyMs: 100 });
  await counts({ ...idle, completed: JOBS });
  for (const their of theirs) expect(await their.getJobCounts()).toMatchObject({ ...idle, completed: JOBS });

  expect(sent.size).toBe(JOBS);
  expect(completions.size).toBe(JOBS);
  expect([...completions].filter(([, times]) => times > 1)).toEqual([]);
  for (const fleet of ['drover', 'v6', 'v5']) expect(runs.get(fleet)).toBeGreaterThan(JOBS / 100);

  const stories = new Map<string, string[]>();
  for (const [, flat] of await redis.xrange(`${prefix}:mail:events`, '-', '+')) {
    const { event, jobId } = Object.fromEntries(pairs(flat));
    if (jobId === undefined) expect(event).toBe('drained');
    else if (event !== undefined) stories.set(jobId, [...(stories.get(jobId) ?? []), event]);
  }
  const wrong = [...sent]
    .map(([id, one]) => [id, storyOf(one), stories.get(id)?.join(' ')] as const)
    .filter(([, want, got]) => want !== got);
  expect(wrong.slice(0, 5)).toEqual([]);
  expect(stories.size).toBe(JOBS);
  await until(() => heard.length >= JOBS, { what: 'all completed events to be heard' });
  expect(new Set(heard).size).toBe(heard.length);
  expect(await broken()).toEqual([]);
}, 120_000);
