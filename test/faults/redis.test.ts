/**
 * Drills: what becomes of jobs in several Drover processes when their Redis breaks. Each job completes, its `completed` event is in the
 * stream once, and no key is left broken. `DRILL_JOBS=<n>` sets how many; the table they print stands in docs/guarantees.md.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { TcpProxy } from '../support/proxy.js';
import { startOwnRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { Drill, type DrillReport, LONG, SHORT } from './drill.js';

const FROZEN_MS = 3_000;
const LOADING_MS = 3_000;
const LIMIT_MS = 90_000;
const reports: DrillReport[] = [];

afterAll(() => {
  const rows = reports.map((report) => [report.drill, report.jobs, report.seconds, report.stillSeconds, report.restarts, report.errors]);
  const table = [['drill', 'jobs', 'seconds', 'still', 'started again', 'errors'], ...rows];
  process.stderr.write(`${table.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`);
});

interface Blow {
  readonly name: string;
  readonly jobs: number;
  /** Done when a tenth of the jobs has completed. */
  readonly strike: (drill: Drill) => Promise<void>;
}

const blows: readonly Blow[] = [
  {
    name: 'Redis killed (SIGKILL) and restarted, append-only file',
    jobs: LONG,
    strike: async ({ server }) => {
      await server.kill();
      await server.restart();
    },
  },
  {
    name: `Redis frozen for ${FROZEN_MS / 1_000} s (SIGSTOP), longer than a lock`,
    jobs: SHORT,
    strike: async ({ server }) => {
      process.kill(server.pid as number, 'SIGSTOP');
      await delay(FROZEN_MS);
      process.kill(server.pid as number, 'SIGCONT');
    },
  },
  {
    name: 'scripts flushed (SCRIPT FLUSH), 8 times',
    jobs: SHORT,
    strike: async (drill) => {
      for (let nth = 1; nth <= 8; nth++) {
        await drill.redis.script('FLUSH');
        await drill.completed(0.1 + nth / 10);
      }
    },
  },
  {
    name: 'all connections cut (CLIENT KILL), 3 times',
    jobs: SHORT,
    strike: async (drill) => {
      for (let nth = 1; nth <= 3; nth++) {
        await drill.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await drill.completed(0.1 + nth / 4);
      }
    },
  },
  {
    name: 'no more clients taken (maxclients), until 6 were turned away',
    jobs: SHORT,
    strike: async ({ redis }) => {
      await redis.config('SET', 'maxclients', '1');
      await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      const turnedAway = async () => Number(/rejected_connections:(\d+)/.exec(await redis.info('stats'))?.[1]);
      await until(async () => (await turnedAway()) >= 6, { what: 'clients to be turned away', limitMs: 20_000 });
      await redis.config('SET', 'maxclients', '10000');
    },
  },
  {
    name: 'one of two worker processes killed (SIGKILL)',
    jobs: SHORT,
    strike: async ({ processes: [first] }) => {
      await first?.killTree();
    },
  },
];

test.each(blows)(
  '$name: $jobs jobs complete',
  async ({ name, jobs, strike }) => {
    const drill = await Drill.start(jobs);
    await drill.add();
    await drill.work();
    await drill.completed(0.1);
    reports.push(await drill.strike(name, () => strike(drill)));
  },
  LIMIT_MS,
);

test(
  `Redis answers LOADING for seconds: ${SHORT} jobs complete, added before and meanwhile`,
  async () => {
    const slow = ['--key-load-delay', String(Math.ceil((LOADING_MS * 1_000) / SHORT)), '--loading-process-events-interval-bytes', '1024'];
    const drill = await Drill.start(SHORT, slow);
    const added = Math.floor(SHORT * 0.9);
    await drill.add(added);
    await drill.redis.bgrewriteaof(); // the delay is for the keys of the snapshot that the file then begins with
    const isRewritten = async () => /aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/.test(await drill.redis.info('persistence'));
    await until(isRewritten, { what: 'the file to be rewritten' });
    await drill.work(drill.server.url, { enableReadyCheck: false }); // the first process waits before it sends, the second is refused
    await drill.completed(0.1);
    let refused = 0;
    const report = await drill.strike(`Redis loads its file for ${LOADING_MS / 1_000} s (LOADING), jobs added meanwhile`, async () => {
      await drill.server.kill();
      const restarted = drill.server.restart();
      await answersLoading(drill.server.url);
      await Promise.all([restarted, drill.add(SHORT - added)]);
      refused = Number(/errorstat_LOADING:count=(\d+)/.exec(await drill.redis.info('errorstats'))?.[1] ?? 0);
    });
    reports.push(report);
    expect(refused).toBeGreaterThan(1); // once it was asked here
  },
  LIMIT_MS,
);

test(
  `a replica takes over: ${LONG} jobs complete`,
  async () => {
    const drill = await Drill.start(LONG);
    const primary = drill.redis;
    const replica = await startOwnRedis();
    const proxy = await TcpProxy.start(drill.server.url);
    drill.lookAt(replica.url);
    await drill.redis.replicaof('127.0.0.1', portOf(drill.server.url));
    const isFollowing = async () => (await drill.redis.info('replication')).includes('master_link_status:up');
    await until(isFollowing, { what: 'the replica to follow' });
    await drill.add();
    await primary.wait(1, 10_000);
    await drill.work(proxy.url);
    await drill.completed(0.1);
    const report = await drill.strike('failover: replica promoted, former primary read-only and still connected', async () => {
      await drill.redis.replicaof('NO', 'ONE');
      await primary.replicaof('127.0.0.1', portOf(replica.url));
      const refused = async () => Number(/errorstat_READONLY:count=(\d+)/.exec(await primary.info('errorstats'))?.[1] ?? 0);
      await until(async () => (await refused()) > 0, { what: 'the former primary to refuse a write', limitMs: 20_000 });
      proxy.pointTo(replica.url); // connections to the former primary stay: whoever is refused must come anew
    });
    reports.push(report);
  },
  LIMIT_MS,
);

test(
  `blocking reads never return: ${SHORT} jobs complete`,
  async () => {
    const drill = await Drill.start(SHORT);
    const proxy = await TcpProxy.start(drill.server.url);
    proxy.swallowRepliesTo('bzpopmin');
    await drill.work(proxy.url);
    await until(() => proxy.silenced >= drill.processes.length, { what: 'every process to wait in vain' });
    const report = await drill.strike('blocking reads of idle workers that never return', async () => {
      await drill.add();
      await drill.completed(0.1);
      proxy.swallowNothing();
    });
    reports.push(report);
  },
  LIMIT_MS,
);

/** Until the server is up and refuses to read, as it has not read its file yet. */
async function answersLoading(url: string): Promise<void> {
  const asked = new Redis(url, { enableReadyCheck: false, retryStrategy: () => 10, maxRetriesPerRequest: null });
  asked.on('error', () => undefined); // not up yet
  const isLoading = () =>
    asked.get('x').then(
      () => false,
      (error: Error) => error.message.startsWith('LOADING'),
    );
  await until(isLoading, { what: 'LOADING', everyMs: 5 });
  asked.disconnect();
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
