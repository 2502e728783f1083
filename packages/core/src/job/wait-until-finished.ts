import { EngineError, ErrorCode, errorFromStatus } from '../errors/index.js';
import { type Clock, deferred, integer, systemClock } from '../kit/index.js';
import type { JobCommands } from './commands.js';

/** The job somebody waits for. */
export interface AwaitedJob {
  readonly id: string;
  readonly name: string;
  readonly queueQualifiedName: string;
}

/** What waiting needs of QueueEvents. */
export interface FinishEvents {
  readonly qualifiedName: string;
  isRunning(): boolean;
  /** Resolves when no event that is written from then on will be missed. */
  waitUntilReady(): Promise<void>;
  on(event: FinishEventName, listener: (payload: FinishPayload) => void): unknown;
  off(event: FinishEventName, listener: (payload: FinishPayload) => void): unknown;
  /** @returns a function that takes the callback away. */
  onClose(callback: () => void): () => void;
}

type FinishEventName = `${'completed' | 'failed' | 'removed'}:${string}`;

interface FinishPayload {
  readonly returnvalue?: unknown;
  readonly failedReason?: string;
}

/** Longest time a timer can run. */
const MAX_TTL_MS = 2 ** 31 - 1;

/**
 * Waits for the end of a job: listens first, then asks once whether it has ended already, so that no end falls in between.
 * @param ttlMs how long to wait, from the call on; 0 or undefined: without limit.
 * @returns what the processor returned.
 * @throws Error with the reason of the failure when the job fails; JobStatusError -1 when it does not exist or is removed before its end
 *   (BullMQ goes on waiting after a removal); EngineError WAIT_TIMEOUT after `ttlMs`, EVENTS_CLOSED when the events close before,
 *   EVENTS_MISMATCH for events of another queue or that do not run; ConnectionLostError when the job cannot be asked for.
 */
export async function waitUntilFinished(
  job: AwaitedJob,
  commands: Pick<JobCommands, 'state' | 'read'>,
  events: FinishEvents,
  ttlMs?: number,
  clock: Clock = systemClock(),
): Promise<unknown> {
  const limitMs = ttlMs === undefined ? 0 : integer('ttl', ttlMs, 0, MAX_TTL_MS);
  checkEvents(job, events);
  const { id } = job;
  const end = deferred<unknown>();
  const listeners = [
    [`completed:${id}`, ({ returnvalue }: FinishPayload) => end.resolve(returnvalue)],
    [`failed:${id}`, ({ failedReason }: FinishPayload) => end.reject(new Error(failedReason))],
    [`removed:${id}`, () => end.reject(errorFromStatus(ErrorCode.JobNotExist, { jobId: id, command: 'waitUntilFinished' }))],
  ] as const;
  for (const [event, listener] of listeners) events.on(event, listener);
  const forgetClose = events.onClose(() => end.reject(closed(job)));
  const timer = limitMs === 0 ? undefined : clock.setTimer(() => end.reject(timedOut(job, limitMs)), limitMs);
  try {
    askOnce(id, commands, events).then((known) => known && end.resolve(known.returnvalue), end.reject);
    return await end.promise;
  } finally {
    timer?.cancel();
    forgetClose();
    for (const [event, listener] of listeners) events.off(event, listener);
  }
}

/** How the job has ended, undefined if it has not. State and record leave in one write; a job that changes in between sends an event. */
async function askOnce(
  id: string,
  commands: Pick<JobCommands, 'state' | 'read'>,
  events: FinishEvents,
): Promise<{ readonly returnvalue: unknown } | undefined> {
  await events.waitUntilReady();
  const [state, record] = await Promise.all([commands.state(id), commands.read(id)]);
  if (!record) throw errorFromStatus(ErrorCode.JobNotExist, { jobId: id, command: 'isFinished' });
  if (state === 'failed') throw new Error(record.failedReason);
  return state === 'completed' ? { returnvalue: record.returnvalue } : undefined;
}

function checkEvents({ id, queueQualifiedName }: AwaitedJob, events: FinishEvents): void {
  if (events.qualifiedName !== queueQualifiedName) {
    const message = `the events of ${events.qualifiedName} do not tell of job ${id} of ${queueQualifiedName}`;
    throw new EngineError('EVENTS_MISMATCH', message);
  }
  if (!events.isRunning()) throw new EngineError('EVENTS_MISMATCH', `the events of ${events.qualifiedName} do not run: call run() first`);
}

function timedOut({ id, name }: AwaitedJob, ttlMs: number): EngineError {
  const message = `Job wait ${name} timed out before finishing, no finish notification arrived after ${ttlMs}ms (id=${id})`;
  return new EngineError('WAIT_TIMEOUT', message);
}

function closed({ id, queueQualifiedName }: AwaitedJob): EngineError {
  return new EngineError('EVENTS_CLOSED', `the events of ${queueQualifiedName} were closed before job ${id} finished`);
}
