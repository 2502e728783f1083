/** Random operations on a queue, from a seed: the same seed, the same operations, as far as the model's state goes. */
import type { QueueModel } from './model.js';
import type { AddSpec, CleanableState, Deduplication, Operation, RunEnding } from './model-terms.js';

/** Numbers from 0 to 1, by mulberry32: small, fast, the same everywhere. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
}

const CUSTOM_IDS = ['a', 'b', 'c', 'd'];
const DEDUPLICATION_IDS = ['x', 'y'];
/** Due within a few steps, or never in a sequence. A step takes 10 ms. */
const DELAYS = [5, 15, 15, 35, 60, 3_600_000];
const ENDINGS: readonly RunEnding['how'][] = ['complete', 'complete', 'complete', 'fail', 'fail', 'fail for good', 'wait', 'delay'];
const CLEANABLE: readonly CleanableState[] = ['completed', 'failed', 'delayed', 'prioritized', 'wait', 'active'];

type Make = (random: SeededRandom, model: QueueModel) => Operation | undefined;

/** How often each operation comes, and how one is made; undefined: there is nothing to do it to. */
const MAKERS: readonly (readonly [weight: number, make: Make])[] = [
  [24, (random) => ({ do: 'add', jobs: Array.from({ length: 1 + random.below(3) }, () => addSpec(random)) })],
  [34, (random, model) => ({ do: 'turn', ends: endings(random, model), want: random.below(4) })],
  [2, () => ({ do: 'pause' })],
  [4, () => ({ do: 'resume' })],
  [2, (random) => ({ do: 'cap', concurrency: 1 + random.below(3) })],
  [2, () => ({ do: 'uncap' })],
  [1, (random) => ({ do: 'limit', max: 1 + random.below(4) })],
  [2, () => ({ do: 'unlimit' })],
  [4, (random, model) => onJob(random, model, (jobId) => ({ do: 'remove', jobId }))],
  [4, (random, model) => onJob(random, model, (jobId) => ({ do: 'promote', jobId }), 'delayed')],
  [3, (random, model) => onJob(random, model, (jobId) => ({ do: 'changeDelay', jobId, delay: random.pick(DELAYS) }), 'delayed')],
  [
    5,
    (random, model) =>
      onJob(random, model, (jobId) => ({ do: 'changePriority', jobId, priority: random.below(4), lifo: random.chance(0.3) })),
  ],
  [
    4,
    (random, model) =>
      onJob(
        random,
        model,
        (jobId) => ({ do: 'retry', jobId, state: random.pick(['completed', 'failed']), resets: random.chance(0.3) }),
        random.pick(['completed', 'failed']),
      ),
  ],
  [1, (random) => ({ do: 'retryJobs', state: random.pick(['completed', 'failed']) })],
  [1, () => ({ do: 'promoteJobs' })],
  [1, (random) => ({ do: 'drain', delayed: random.chance(0.5) })],
  [3, clean],
  [6, (random, model) => dying(random, model)],
  [7, (random) => ({ do: 'check', maxStalled: random.below(3) })],
  [0.3, () => ({ do: 'obliterate' })],
];
const TOTAL = MAKERS.reduce((sum, [weight]) => sum + weight, 0);

export function randomOperation(random: SeededRandom, model: QueueModel): Operation {
  for (;;) {
    let at = random.next() * TOTAL;
    for (const [weight, make] of MAKERS) {
      at -= weight;
      if (at >= 0) continue;
      const operation = make(random, model);
      if (operation) return operation;
      break;
    }
  }
}

/** Mostly a job for which the operation makes sense (of `state`); now and then any, or none, so that refusals are compared too. */
function onJob(random: SeededRandom, model: QueueModel, make: (jobId: string) => Operation, state?: Parameters<QueueModel['idsIn']>[0]) {
  if (random.chance(0.05)) return make('nobody');
  const fitting = state && random.chance(0.8) ? model.idsIn(state) : [...model.jobs.keys()];
  return fitting.length === 0 ? undefined : make(random.pick(fitting));
}

function addSpec(random: SeededRandom): AddSpec {
  const putsOff = { deduplication: deduplication(random) };
  return {
    ...(random.chance(0.15) ? { jobId: random.pick(CUSTOM_IDS) } : random.chance(0.2) ? putsOff : {}),
    ...(random.chance(0.25) ? { delay: random.pick(DELAYS) } : {}),
    ...(random.chance(0.3) ? { priority: 1 + random.below(3) } : {}),
    ...(random.chance(0.15) ? { lifo: true } : {}),
    ...(random.chance(0.4) ? { attempts: 2 + random.below(2) } : {}),
    ...(random.chance(0.3) ? { backoff: random.pick(DELAYS) } : {}),
    ...(random.chance(0.3) ? { removeOnComplete: random.pick([true, 1, 2, { age: 0 }, { age: 1 }]) } : {}),
    ...(random.chance(0.2) ? { removeOnFail: random.pick([true, 1, 2]) } : {}),
  };
}

/** Not with custom ids: one that was put off may be stored anew meanwhile. Times to live are an hour: none ends within a sequence. */
function deduplication(random: SeededRandom): Deduplication {
  const id = random.pick(DEDUPLICATION_IDS);
  const ttl = 3_600_000;
  return random.pick<Deduplication>([
    { id },
    { id, ttl },
    { id, ttl, extend: true },
    { id, ttl, extend: true, replace: true },
    { id, replace: true },
    { id, keepLastIfActive: true },
  ]);
}

/** One job at a time is without its worker: in which order a check puts several back is up to a set of Redis, which has none. */
function dying(random: SeededRandom, model: QueueModel): Operation | undefined {
  const held = model.held();
  return held.length === 0 || held.length < model.idsIn('active').length ? undefined : { do: 'die', jobId: random.pick(held) };
}

/** Limits only for finished jobs: of other states BullMQ looks at so many jobs, while Drover goes on until it has found so many. */
function clean(random: SeededRandom): Operation {
  const type = random.pick(CLEANABLE);
  const limit = type === 'completed' || type === 'failed' ? random.pick([0, 1, 2]) : 0;
  return { do: 'clean', grace: random.pick([0, 50, 200]), limit, type };
}

/**
 * Ends of some runs, of workers that live; a job that stalled too often fails, as a worker does it. Of the jobs with a rule of retention at most one ends, as the last: a batch applies the rules when all of its
 * outcomes are recorded, so what they spare among jobs that end in one call depends on their order.
 */
function endings(random: SeededRandom, model: QueueModel): RunEnding[] {
  const chosen = model.held().filter(() => random.chance(0.5));
  const hasRule = (jobId: string): boolean => {
    const { removeOnComplete, removeOnFail } = (model.jobs.get(jobId) as { spec: AddSpec }).spec;
    return [removeOnComplete, removeOnFail].some((rule) => rule !== undefined && rule !== true);
  };
  return [...chosen.filter((jobId) => !hasRule(jobId)), ...chosen.filter(hasRule).slice(0, 1)].map((jobId) => {
    const how = model.jobs.get(jobId)?.isDoomed ? 'fail for good' : random.pick(ENDINGS);
    return how === 'delay' ? { jobId, how, ms: random.pick(DELAYS) } : { jobId, how };
  });
}
