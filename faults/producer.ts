/**
 * The producer: a process of its own that adds mixed jobs at a steady rate. What Redis could not confirm is added again under the same id.
 * It tells its parent the ids that were confirmed; on `end` it stops adding, and ends when all of them are.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { FlowProducer, Queue } from '@drover/core';
import { type FaultJob, QUEUE } from './job-data.js';
import { Random } from './random.js';

const TICK_MS = 100;
const MOST_AT_ONCE = 400;

interface Planned {
  readonly kind: string;
  readonly data: FaultJob;
  readonly opts: Record<string, unknown>;
}

const [url = '', prefix = '', rate = '', seed = ''] = process.argv.slice(2);
const perSecond = Number(rate);
const random = new Random(Number(seed));
const queue = new Queue<FaultJob>(QUEUE, { connection: url, prefix });
const flows = new FlowProducer({ connection: url, prefix });
// What was not confirmed is added again.
queue.on('error', () => undefined);
flows.on('error', () => undefined);
let isEnding = false;
process.on('message', (message) => {
  if (message === 'end') isEnding = true;
});
process.once('disconnect', () => {
  if (!isEnding) process.exit(1); // the suite is gone
});

function plan(): Planned {
  const die = random.next();
  const ms = random.next() < 0.01 ? random.between(500, 1_500) : random.between(2, 60);
  if (die < 0.12) return { kind: 'delayed', data: { ms }, opts: { delay: random.between(50, 3_000) } };
  if (die < 0.24) return { kind: 'prioritized', data: { ms }, opts: { priority: random.between(1, 10) } };
  if (die < 0.34) {
    const fails = random.between(1, 2);
    return { kind: 'retried', data: { ms, fails }, opts: { attempts: fails + 1, backoff: { type: 'fixed', delay: 50 } } };
  }
  if (die < 0.36) return { kind: 'flow', data: { ms }, opts: {} };
  return { kind: 'standard', data: { ms }, opts: {} };
}

/** Until Redis has confirmed it; each try is safe, because the ids stay. */
async function confirmed(add: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await add();
      return;
    } catch {
      await delay(TICK_MS);
    }
  }
}

async function addFlow(id: string, ms: number): Promise<Record<string, string>> {
  const node = (name: string) => ({ name: 'flow', queueName: QUEUE, data: { ms }, opts: { jobId: name } });
  const children = [`${id}-a`, `${id}-b`];
  await confirmed(async () => {
    if (await queue.getJob(id)) return; // a tree is added in one step: the parent is there, so all of it is
    await flows.add({ ...node(id), children: children.map(node) });
  });
  return Object.fromEntries([id, ...children].map((each) => [each, 'flow']));
}

async function main(): Promise<void> {
  const startedAt = performance.now();
  for (let added = 0; !isEnding; await delay(TICK_MS)) {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond);
    const planned = Array.from({ length: Math.min(MOST_AT_ONCE, Math.max(0, due - added)) }, (_, n) => ({
      id: `j${added + n}`,
      ...plan(),
    }));
    added += planned.length;
    const plain = planned.filter(({ kind }) => kind !== 'flow');
    const told: Record<string, string> = Object.fromEntries(plain.map(({ id, kind }) => [id, kind]));
    const bulk = plain.map(({ id, kind, data, opts }) => ({ name: kind, data, opts: { ...opts, jobId: id } }));
    if (bulk.length > 0) await confirmed(() => queue.addBulk(bulk));
    for (const { id, kind, data } of planned) if (kind === 'flow') Object.assign(told, await addFlow(id, data.ms));
    process.send?.({ added: told });
  }
  await Promise.all([queue.close(), flows.close()]);
  process.send?.('ended', () => process.disconnect());
}

await main();
