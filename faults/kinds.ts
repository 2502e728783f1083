/** The faults: one entry a kind. A strike resolves when the cluster has recovered, with the time that took. */
import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from '@drover/core';
import { until } from '../test/support/until.js';
import { type FaultJob, QUEUE } from './job-data.js';
import type { Random } from './random.js';
import { isThere, PREFIX, type System, signal } from './system.js';

/** What two faults at a time must not both touch. */
export type Part = 'processes' | 'sizes' | 'redis';

export interface FaultKind {
  readonly name: string;
  /** What the recovery time counts. */
  readonly measures: string;
  readonly weight: number;
  readonly parts: readonly Part[];
  /** @returns ms until the cluster had recovered. */
  strike(system: System, random: Random): Promise<number>;
}

const LIMIT_MS = 60_000;

async function timed(recovery: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await recovery();
  return performance.now() - startedAt;
}

async function victim(system: System, random: Random) {
  const { processes } = await system.status();
  return random.pick(processes.filter(({ state }) => state === 'ready'));
}

function replaced(system: System, { slot, incarnation }: { slot: number; incarnation: string }): Promise<unknown> {
  const isNew = (each: { slot: number; state: string; incarnation: string }): boolean =>
    each.slot === slot && each.state === 'ready' && each.incarnation !== incarnation;
  return system.untilStatus(`a ready replacement in slot ${slot}`, ({ processes }) => processes.some(isNew), LIMIT_MS);
}

async function nextCompleted(system: System): Promise<void> {
  const before = await system.completed();
  await until(async () => (await system.completed()) > before, { what: 'a job to complete', limitMs: LIMIT_MS, everyMs: 10 });
}

async function outage(system: System, hit: () => Promise<unknown>): Promise<number> {
  const window = { from: Date.now(), to: Number.POSITIVE_INFINITY };
  system.outages.push(window);
  await hit();
  const ms = await timed(() => nextCompleted(system));
  window.to = Date.now();
  return ms;
}

export const KINDS: readonly FaultKind[] = [
  {
    name: 'process killed (SIGKILL)',
    measures: 'until its replacement was ready',
    weight: 8,
    parts: ['processes'],
    async strike(system, random) {
      const one = await victim(system, random);
      return timed(async () => {
        signal(one.pid, 'SIGKILL');
        await replaced(system, one);
      });
    },
  },
  {
    name: 'primary killed (SIGKILL), started again',
    measures: 'until all processes were ready',
    weight: 3,
    parts: ['processes', 'sizes', 'redis'],
    strike: (system) =>
      timed(async () => {
        await system.killPrimary();
        await system.untilWhole('the new primary to have its processes');
      }),
  },
  {
    name: 'process frozen for 0.5 to 2 s (SIGSTOP)',
    measures: 'from SIGCONT until it was well',
    weight: 4,
    parts: ['processes'],
    async strike(system, random) {
      const one = await victim(system, random);
      signal(one.pid, 'SIGSTOP');
      await delay(random.between(500, 2_000));
      signal(one.pid, 'SIGCONT');
      const isWell = (each: { slot: number; incarnation: string; suspect: boolean }): boolean =>
        each.slot === one.slot && each.incarnation === one.incarnation && !each.suspect;
      return timed(() => system.untilStatus('the frozen process to be well', ({ processes }) => processes.some(isWell), LIMIT_MS));
    },
  },
  {
    name: 'process frozen for good (SIGSTOP)',
    measures: 'until its replacement was ready',
    weight: 2,
    parts: ['processes'],
    async strike(system, random) {
      const one = await victim(system, random);
      return timed(async () => {
        signal(one.pid, 'SIGSTOP');
        await replaced(system, one);
      });
    },
  },
  {
    name: 'endless loop in a processor',
    measures: 'from the loop until the process was killed',
    weight: 2,
    parts: ['processes'],
    async strike(system, random) {
      const jobId = `loop-${random.between(0, 1_000_000_000)}`;
      system.added.set(jobId, 'loop');
      const queue = new Queue<FaultJob>(QUEUE, { connection: system.server.url, prefix: PREFIX });
      queue.on('error', () => undefined);
      const add = async () => (await queue.add('loop', { ms: 1, loops: true }, { jobId, lifo: true })) !== undefined;
      await until(add, { what: 'the looping job to be added', limitMs: LIMIT_MS });
      await queue.close();
      const hung = () => system.ledger.lindex(`ledger:hung:${jobId}`, 0);
      const pid = Number(await until(hung, { what: 'the job to loop', limitMs: LIMIT_MS }));
      const ms = await timed(() => until(() => !isThere(pid), { what: 'the loop to be killed', limitMs: LIMIT_MS }));
      await system.untilWhole('its replacement');
      return ms;
    },
  },
  {
    name: 'Redis killed (SIGKILL) and started again',
    measures: 'from its return to the next completed job',
    weight: 2,
    parts: ['redis', 'sizes'],
    strike: (system) =>
      outage(system, async () => {
        await system.server.kill();
        await system.server.restart();
      }),
  },
  {
    name: 'Redis frozen for 0.3 to 2 s (SIGSTOP)',
    measures: 'from its return to the next completed job',
    weight: 2,
    parts: ['redis', 'sizes'],
    strike: (system, random) =>
      outage(system, async () => {
        const pid = system.server.pid as number;
        signal(pid, 'SIGSTOP');
        await delay(random.between(300, 2_000));
        signal(pid, 'SIGCONT');
      }),
  },
  {
    name: 'all connections to Redis reset',
    measures: 'until the next completed job',
    weight: 6,
    parts: ['redis'],
    strike: (system) => outage(system, async () => system.proxy.reset()),
  },
  {
    name: 'scaled to 3 to 12 workers',
    measures: 'until the operation was done',
    weight: 6,
    parts: ['sizes'],
    strike: (system, random) =>
      timed(async () => (await system.client()).run({ type: 'scale_to', count: random.between(3, 12) }, { timeoutMs: LIMIT_MS })),
  },
];
