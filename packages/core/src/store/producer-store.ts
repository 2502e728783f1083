import { errorFromStatus } from '../errors/index.js';
import type { NewJob } from '../job/index.js';
import { type QueueRef, queueKeys } from '../keys/queue-keys.js';
import type { RedisArgument, ScriptCall, Scripts } from '../redis/index.js';

/** Jobs of one queue, to be added in their order. */
export interface AddCall {
  readonly queue: QueueRef;
  readonly jobs: readonly NewJob[];
  /** Epoch ms. */
  readonly now: number;
}

const JOBS_PER_CALL = 500;
/** Payload of one call, in UTF-16 units of its texts: a bound on how long Redis is busy with it, not an exact size. */
const PAYLOAD_PER_CALL = 1_048_576;

/**
 * What producers ask of Redis. Unlike consumers they wait for a connection (up to its ready limit): nothing has been sent by then. A
 * call whose reply got lost rejects with ConnectionLostError: its jobs may have been added.
 */
export class ProducerStore {
  constructor(private readonly scripts: Scripts) {}

  /**
   * Says how long the event stream may grow and which library writes here; once per Queue.
   * @param version informational, `<library>:<semver>`.
   */
  async writeMeta(queue: QueueRef, maxEvents: number, version: string): Promise<void> {
    const { connection } = this.scripts;
    await connection.whenReady();
    await connection.send('hset', [queueKeys(queue).meta, 'opts.maxLenEvents', maxEvents, 'version', version]);
  }

  /** @returns the id of each job, or the Error that kept it out; the others are added all the same. */
  async add(call: AddCall): Promise<(string | Error)[]> {
    const [results] = await this.addAll([call]);
    return results as (string | Error)[];
  }

  /** Adds to many queues in one round trip; results by call. See `add`. */
  async addAll(adds: readonly AddCall[]): Promise<(string | Error)[][]> {
    await this.scripts.connection.whenReady();
    const chunks = adds.flatMap((add, owner) => chunkJobs(add.jobs).map((jobs) => ({ owner, jobs, call: scriptCall(add, jobs) })));
    const replies = await this.scripts.callAll(chunks.map(({ call }) => call));
    const results: (string | Error)[][] = adds.map(() => []);
    chunks.forEach(({ owner, jobs }, at) => {
      const reply = replies[at];
      jobs.forEach((job, nth) => {
        results[owner]?.push(reply instanceof Error ? reply : readAdded((reply as (string | number)[])[nth], job));
      });
    });
    return results;
  }
}

/** Cuts a list of jobs into calls of at most 500 jobs and about 1 MiB; a larger job goes alone. */
export function chunkJobs(jobs: readonly NewJob[]): NewJob[][] {
  const chunks: NewJob[][] = [];
  let size = 0;
  for (const job of jobs) {
    const last = chunks.at(-1);
    size += job.data.length;
    if (last && last.length < JOBS_PER_CALL && size <= PAYLOAD_PER_CALL) last.push(job);
    else {
      chunks.push([job]);
      size = job.data.length;
    }
  }
  return chunks;
}

function scriptCall({ queue, now }: AddCall, jobs: readonly NewJob[]): ScriptCall {
  const args: RedisArgument[] = [now, jobs.length];
  for (const job of jobs) pushJob(args, job);
  return { script: 'add-jobs', keys: [queueKeys(queue).meta], args };
}

/** Appends one job as lua/includes/read-jobs.lua reads it. */
export function pushJob(args: RedisArgument[], job: NewJob): void {
  const isPlain = job.delay === 0 && job.priority === 0 && !job.lifo && !job.parent && !job.deduplication;
  args.push(isPlain ? 'plain' : 'full', job.id ?? '', job.name, job.data, JSON.stringify(job.opts), job.timestamp);
  if (isPlain) return;
  args.push(job.delay, job.priority, job.lifo ? 1 : 0, job.parent?.key ?? '', job.parent?.json ?? '');
  args.push(job.deduplication?.id ?? '', job.deduplication?.ttlMs ?? 0, job.deduplication?.modes ?? '');
}

function readAdded(result: string | number | undefined, job: NewJob): string | Error {
  if (typeof result === 'string') return result;
  const parentKey = job.parent?.key;
  return errorFromStatus(Number(result), { jobId: job.id ?? '(new)', command: 'addJob', ...(parentKey ? { parentKey } : {}) });
}
