/** A worker that dies anywhere between the activation and the completion of a scheduler's job neither ends the schedule nor doubles it. */
import { fileURLToPath } from 'node:url';
import { rig } from '../support/engine.js';
import { completedTwice } from '../support/invariants.js';
import { startNode } from '../support/process-harness.js';
import { TcpProxy } from '../support/proxy.js';
import { until } from '../support/until.js';

const WORKER = fileURLToPath(new URL('./fixtures/schedule-worker.mjs', import.meta.url));
const LIMIT = 5;
const RULES = [
  { name: 'an interval', rule: { every: 20, limit: LIMIT } },
  { name: 'a pattern', rule: { pattern: 'each time 20 ms later', limit: LIMIT } },
] as const;
/** `activated`: between the activation and the next iteration, which only patterns have two steps for. */
const POINTS = ['activated', 'started', 'running', 'settled', 'committed'] as const;

describe.each(RULES)('$name', ({ rule }) => {
  const settings = { repeatStrategy: (millis: number) => millis + 20 };

  const finish = async ({ queue, redis, prefix, broken }: ReturnType<typeof rig>, url: string): Promise<void> => {
    startNode(WORKER, [url, prefix, 'never']);
    await until(async () => (await queue.getJobCounts()).completed === LIMIT, { what: 'all iterations', limitMs: 20_000 });
    const jobs = await queue.getJobs('completed');
    expect(jobs.map(({ opts }) => opts.repeat?.count).sort()).toEqual([1, 2, 3, 4, 5]);
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(LIMIT);
    expect(await queue.getJobCounts()).toMatchObject({ active: 0, waiting: 0, delayed: 0, failed: 0 });
    expect(await redis.hget(`${prefix}:drill:repeat:s`, 'ic')).toBe(String(LIMIT));
    expect(await completedTwice(redis, 'drill', prefix)).toEqual([]);
    expect(await broken()).toEqual([]);
  };

  test.each(POINTS.filter((point) => point !== 'activated' || 'pattern' in rule))(
    'killed when it is %s',
    async (point) => {
      const one = rig('drill', { settings });
      await one.queue.upsertJobScheduler('s', rule);
      for (let kills = 0; kills < 2; kills++) {
        const { signal } = await startNode(WORKER, [one.url, one.prefix, point]).exit();
        expect(signal).toBe('SIGKILL');
      }
      await finish(one, one.url);
    },
    60_000,
  );

  test('killed while the answer that brings the job is on its way', async () => {
    const one = rig('drill', { settings });
    const proxy = await TcpProxy.start(one.url);
    const doomed = startNode(WORKER, [proxy.url, one.prefix, 'never']);
    await doomed.line('ready');
    proxy.swallowRepliesTo('evalsha');
    await one.queue.upsertJobScheduler('s', rule);
    await until(async () => (await one.queue.getJobCounts()).active === 1, { what: 'the job to be active' });
    doomed.kill('SIGKILL');
    await doomed.exit();
    await finish(one, one.url);
  }, 60_000);
});
