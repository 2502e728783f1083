/** The two queues that the model is compared with: the same operations through Drover and through BullMQ, and what can be seen after. */
import { UnrecoverableError } from '@drover/core';
import * as v6 from 'bullmq-v6';
import type { Redis } from 'ioredis';
import { decideOutcome, type FetchedJob, type PendingOutcome } from '../../packages/core/src/job/index.js';
import { type AddSpec, MODEL_STATES, type Observation, type ObservedJob, type Operation, type RunEnding } from './model-terms.js';
import { pairs } from './queue-snapshot.js';

/** What both libraries offer under the same names. */
export interface SubjectQueue {
  addBulk(jobs: { name: string; data: unknown; opts: AddSpec }[]): Promise<{ id?: string }[]>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  setGlobalConcurrency(concurrency: number): Promise<unknown>;
  removeGlobalConcurrency(): Promise<unknown>;
  setGlobalRateLimit(max: number, duration: number): Promise<unknown>;
  removeGlobalRateLimit(): Promise<unknown>;
  removeRateLimitKey(): Promise<unknown>;
  remove(jobId: string): Promise<number>;
  getJob(jobId: string): Promise<SubjectJob | undefined>;
  retryJobs(options: { state: 'completed' | 'failed' }): Promise<void>;
  promoteJobs(): Promise<void>;
  drain(delayed: boolean): Promise<void>;
  clean(grace: number, limit: number, type: string): Promise<string[]>;
  obliterate(options: { force: boolean }): Promise<void>;
  getJobCounts(): Promise<Record<string, number>>;
}

interface SubjectJob {
  promote(): Promise<void>;
  changeDelay(delay: number): Promise<void>;
  changePriority(change: { priority: number; lifo: boolean }): Promise<void>;
  retry(state: string, options: { resetAttemptsMade: boolean; resetAttemptsStarted: boolean }): Promise<void>;
}

/** Ends runs and takes jobs, by whatever means a library has. @returns the ids of the jobs it took. */
export type Turn = (ends: readonly RunEnding[], want: number) => Promise<string[]>;

/** A queue of one library, and what is done to it besides the methods of a queue. */
export interface Subject {
  readonly queue: SubjectQueue;
  readonly turn: Turn;
  /** The lock of the job runs out. */
  die(jobId: string): Promise<void>;
  /** Resolves when the stalled check is done. */
  check(maxStalled: number): Promise<void>;
}

const RATE_WINDOW_MS = 3_600_000;

/** Does one operation. @returns a text of what the caller is told, comparable between libraries. */
export async function perform(subject: Subject, operation: Operation): Promise<string> {
  try {
    return JSON.stringify((await performUnguarded(subject, operation)) ?? null);
  } catch (error) {
    return `error ${(error as { code?: unknown }).code ?? (error as Error).message}`;
  }
}

async function performUnguarded({ queue, turn, die, check }: Subject, operation: Operation): Promise<unknown> {
  const job = async (jobId: string): Promise<SubjectJob> => {
    const found = await queue.getJob(jobId);
    if (!found) throw new Error('no such job');
    return found;
  };
  switch (operation.do) {
    case 'add':
      return (await queue.addBulk(operation.jobs.map((opts) => ({ name: 'job', data: {}, opts })))).map(({ id }) => id);
    case 'turn':
      return turn(operation.ends, operation.want);
    case 'die':
      return die(operation.jobId);
    case 'check':
      return check(operation.maxStalled);
    case 'cap':
      return void (await queue.setGlobalConcurrency(operation.concurrency));
    case 'uncap':
      return void (await queue.removeGlobalConcurrency());
    case 'limit':
      return void (await queue.setGlobalRateLimit(operation.max, RATE_WINDOW_MS));
    case 'unlimit':
      await queue.removeGlobalRateLimit();
      return void (await queue.removeRateLimitKey());
    case 'remove':
      return queue.remove(operation.jobId);
    case 'promote':
      return (await job(operation.jobId)).promote();
    case 'changeDelay':
      return (await job(operation.jobId)).changeDelay(operation.delay);
    case 'changePriority':
      return (await job(operation.jobId)).changePriority({ priority: operation.priority, lifo: operation.lifo });
    case 'retry': {
      const resets = { resetAttemptsMade: operation.resets, resetAttemptsStarted: operation.resets };
      return (await job(operation.jobId)).retry(operation.state, resets);
    }
    case 'retryJobs':
      return queue.retryJobs({ state: operation.state });
    case 'drain':
      return queue.drain(operation.delayed);
    case 'clean':
      return (await queue.clean(operation.grace, operation.limit, operation.type)).sort();
    case 'obliterate':
      return queue.obliterate({ force: true });
    default:
      return queue[operation.do]();
  }
}

/** Drover's turn: all outcomes and the fetch in one call of the exchange, as its runtime makes it. */
export function exchangeTurn(exchange: (outcomes: PendingOutcome[], want: number, token: string) => Promise<readonly FetchedJob[]>): Turn {
  const held = new Map<string, FetchedJob>();
  let calls = 0;
  return async (ends, want) => {
    const outcomes = ends.map((end) => outcomeOf(held.get(end.jobId) as FetchedJob, end));
    const jobs = await exchange(outcomes, want, `drover:${++calls}`);
    for (const job of jobs) held.set(job.record.id, job);
    return jobs.map(({ record }) => record.id);
  };
}

function outcomeOf({ record, token }: FetchedJob, end: RunEnding): PendingOutcome {
  const base = { jobId: end.jobId, token, at: Date.now() };
  if (end.how === 'delay') return { ...base, outcome: { kind: 'delay', delayMs: end.ms, countsAttempt: false } };
  if (end.how === 'wait') return { ...base, outcome: { kind: 'wait' } };
  const outcome = decideOutcome(record, end.how === 'complete' ? { returned: 'done' } : { threw: errorOf(end) }, { random: 0 });
  if (!outcome) throw new Error(`no outcome for ${end.how}`);
  return { ...base, outcome };
}

/**
 * BullMQ's turn: one call for each end and each job taken, through a worker without processor. A worker that met the rate limit remembers
 * it and asks no more, whatever becomes of the limit: it is replaced, so that each turn asks Redis.
 */
export function manualTurn(queue: v6.Queue, makeWorker: () => v6.Worker): Turn {
  let worker = makeWorker();
  return async (ends, want) => {
    for (const end of ends) await endRun((await v6.Job.fromId(queue, end.jobId)) as v6.Job, end);
    const taken: string[] = [];
    for (let nth = 0; nth < want; nth++) {
      const job = await worker.getNextJob('bullmq', { block: false });
      if (job) taken.push(job.id as string);
    }
    if (taken.length < want && (await queue.getRateLimitTtl()) > 0) {
      await worker.close();
      worker = makeWorker();
    }
    return taken;
  };
}

async function endRun(job: v6.Job, end: RunEnding): Promise<void> {
  if (end.how === 'complete') await job.moveToCompleted('done', 'bullmq', false);
  else if (end.how === 'delay') await job.moveToDelayed(Date.now() + end.ms, 'bullmq');
  else if (end.how === 'wait') await job.moveToWait('bullmq');
  else await job.moveToFailed(end.how === 'fail' ? errorOf(end) : new v6.UnrecoverableError('no more'), 'bullmq', false);
}

function errorOf({ how }: RunEnding): Error {
  return how === 'fail' ? new Error('no good') : new UnrecoverableError('no more');
}

/** Reads what the model knows, and the event stream less what tells of no job. */
export async function observe(redis: Redis, base: string): Promise<{ observed: Observation; events: string[] }> {
  const first = redis.pipeline().get(`${base}id`).hexists(`${base}meta`, 'paused').get(`${base}limiter`).xrange(`${base}events`, '-', '+');
  for (const list of ['wait', 'active']) first.lrange(base + list, 0, -1);
  for (const set of ['prioritized', 'delayed', 'completed', 'failed']) first.zrange(base + set, '0', '-1', 'WITHSCORES');
  for (const id of ['x', 'y']) first.get(`${base}de:${id}`);
  const [counter, paused, started, stream, wait, active, prioritized, delayed, completed, failed, x, y] = (await first.exec())!.map(
    ([error, reply]) => {
      if (error) throw error;
      return reply;
    },
  ) as [
    string | null,
    number,
    string | null,
    [string, string[]][],
    string[],
    string[],
    string[],
    string[],
    string[],
    string[],
    string | null,
    string | null,
  ];
  const dueAt = new Map(pairs(delayed).map(([id, score]) => [id, Math.floor(Number(score) / 4096)]));
  const states = {
    wait,
    active,
    prioritized: evens(prioritized),
    delayed: evens(delayed),
    completed: evens(completed),
    failed: evens(failed),
  };
  const ids = MODEL_STATES.flatMap((state) => states[state]);
  const second = redis.pipeline();
  for (const id of ids) second.hmget(base + id, 'timestamp', 'delay', 'priority', 'ats', 'atm', 'stc', 'defa', 'processedOn', 'finishedOn');
  const records = ids.length === 0 ? [] : ((await second.exec())!.map(([, reply]) => reply) as (string | null)[][]);
  const jobs = ids.map((id, at): [string, ObservedJob] => [id, { ...jobOf(records[at] as (string | null)[]), dueAt: dueAt.get(id) }]);
  const owners = { ...(x === null ? {} : { x }), ...(y === null ? {} : { y }) };
  return {
    observed: {
      counter: Number(counter ?? 0),
      isPaused: paused === 1,
      started: Number(started ?? 0),
      states,
      jobs: Object.fromEntries(jobs),
      owners,
    },
    events: stream.map(([, flat]) => flat.join(' ')).filter((text) => text !== 'event drained'),
  };
}

function jobOf([timestamp, delay, priority, started, made, stalled, doom, processedOn, finishedOn]: readonly (
  | string
  | null
  | undefined
)[]) {
  const optional = (text: string | null | undefined) => (text === null || text === undefined ? undefined : Number(text));
  return {
    timestamp: Number(timestamp),
    delay: Number(delay ?? 0),
    priority: Number(priority ?? 0),
    started: Number(started ?? 0),
    made: Number(made ?? 0),
    stalled: Number(stalled ?? 0),
    isDoomed: doom !== null && doom !== undefined,
    processedOn: optional(processedOn),
    finishedOn: optional(finishedOn),
  };
}

function evens(flat: readonly string[]): string[] {
  return flat.filter((_, at) => at % 2 === 0);
}
