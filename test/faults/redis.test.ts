/**
 * Drills: what becomes of jobs in several Drover processes when their Redis breaks. Each job completes, its `completed` event is in the
 * stream once, and no key is left broken. `DRILL_JOBS=<n>` sets how many; the table is that of docs/guarantees.md.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { TcpProxy } from '../support/proxy.js';
import { startOwnRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { Drill, type DrillReport } from './drill.js';

const FROZEN_MS = 3_000;
const reports: DrillReport[] = [];

afterAll(() => {
  const rows = reports.map(({ drill, jobs, seconds, stillSeconds, restarts, errors }) => [
    drill,
    jobs,
    seconds,
    stillSeconds,
    restarts,
    errors,
  ]);
  const table = [['drill', 'jobs', 'seconds', 'still', 'restarts', 'errors'], ...rows].map((row) => `| ${row.join(' | ')} |`);
  process.stderr.write(`${table.join('\n')}\n`);
});

/** Runs jobs in the usual way and strikes when a tenth of them has completed. */
async function drill(name: string, blow: (drill: Drill) => Promise<void>): Promise<void> {
  const one = await Drill.start();
  await one.add();
  await one.work();
  await one.completed(0.1);
  reports.push(await one.strike(name, () => blow(one)));
}

test(
  'Redis is killed and restarted',
  () =>
    drill('SIGKILL and restart, append-only file', async ({ server }) => {
      await server.kill();
      await server.restart();
    }),
  60_000,
);

test(
  'Redis is frozen and thawed',
  () =>
    drill(`frozen for ${FROZEN_MS / 1_000} s`, async ({ server }) => {
      process.kill(server.pid as number, 'SIGSTOP');
      await delay(FROZEN_MS); // longer than a lock
      process.kill(server.pid as number, 'SIGCONT');
    }),
  60_000,
);

test(
  'scripts are flushed again and again',
  () =>
    drill('SCRIPT FLUSH, 8 times', async (one) => {
      for (let nth = 1; nth <= 8; nth++) {
        await one.redis.script('FLUSH');
        await one.completed(0.1 + nth / 10);
      }
    }),
  60_000,
);

test(
  'all connections are cut again and again',
  () =>
    drill('CLIENT KILL TYPE normal, 4 times', async (one) => {
      for (let nth = 1; nth <= 4; nth++) {
        await one.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await one.completed(0.1 + nth / 5);
      }
    }),
  60_000,
);

test(
  'Redis takes no more clients for a while',
  () =>
    drill('maxclients reached, 6 clients turned away', async ({ redis }) => {
      await redis.config('SET', 'maxclients', '1');
      await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      const rejected = async () => Number(/rejected_connections:(\d+)/.exec(await redis.info('stats'))?.[1]);
      await until(async () => (await rejected()) >= 6, { what: 'clients to be turned away', limitMs: 20_000 });
      await redis.config('SET', 'maxclients', '10000');
    }),
  60_000,
);

test('a replica takes over', async () => {
  const one = await Drill.start();
  const replica = await startOwnRedis();
  const proxy = await TcpProxy.start(one.server.url);
  const primary = one.redis;
  one.lookAt(replica.url);
  const info = (section: string) => one.redis.info(section);
  await one.redis.replicaof('127.0.0.1', Number(new URL(one.server.url).port));
  await until(async () => (await info('replication')).includes('master_link_status:up'), { what: 'the replica to follow' });
  await one.add();
  await primary.wait(1, 10_000);
  await one.work(proxy.url);
  await one.completed(0.1);
  const report = await one.strike('failover to a replica', async () => {
    await one.redis.replicaof('NO', 'ONE');
    await primary.replicaof('127.0.0.1', Number(new URL(replica.url).port));
    const refused = async () => Number(/errorstat_READONLY:count=(\d+)/.exec(await primary.info('errorstats'))?.[1] ?? 0);
    await until(async () => (await refused()) > 0, { what: 'a write to be refused by the former primary', limitMs: 20_000 });
    proxy.pointTo(replica.url); // connections to the former primary stay: whoever is refused must come anew
  });
  reports.push(report);
}, 60_000);

test('blocking reads never return', async () => {
  const one = await Drill.start();
  const proxy = await TcpProxy.start(one.server.url);
  proxy.swallowRepliesTo('bzpopmin');
  await one.work(proxy.url);
  await until(() => proxy.silenced >= one.processes.length, { what: 'every process to wait in vain' });
  const report = await one.strike('a blocking read that never returns', async () => {
    await one.add();
    await one.completed(0.1);
    proxy.swallowNothing();
  });
  reports.push(report);
}, 60_000);

test(
  'a process is killed',
  () =>
    drill('SIGKILL of one of two processes', async ({ processes: [first] }) => {
      await first?.killTree();
    }),
  60_000,
);
