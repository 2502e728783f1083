import type {
  ChildKind,
  ChildPage,
  JobCommands,
  JobRecord,
  JobState,
  PageRequest,
  PendingOutcome,
  ReprocessOptions,
} from '../job/index.js';
import { jobKey, type QueueRef, queueKeys } from '../keys/queue-keys.js';
import type { Clock } from '../kit/index.js';
import type { ScriptName, Scripts } from '../redis/index.js';
import type { Tracing } from '../telemetry/tracing.js';
import { AdminStore } from './admin-store.js';
import { ChildrenStore } from './children-store.js';
import { ConsumerStore } from './consumer-store.js';
import { InspectStore } from './inspect-store.js';

/** A script of bounded steps has done one of several. */
const CALL_AGAIN = 2;
/** Settling a single job takes no other job in return, so this profile locks nothing. */
const NO_FETCH = { lockMs: 0 } as const;

/** What a `Job` of one queue may ask of Redis. One per queue, shared by all its jobs. */
export class JobStore implements JobCommands {
  readonly #inspect: InspectStore;
  readonly #admin: AdminStore;
  readonly #consumer: ConsumerStore;
  readonly #children: ChildrenStore;

  constructor(
    private readonly queue: QueueRef,
    private readonly scripts: Scripts,
    private readonly clock: Clock,
    readonly tracing?: Tracing | undefined,
  ) {
    this.#inspect = new InspectStore(scripts);
    this.#admin = new AdminStore(scripts);
    this.#consumer = new ConsumerStore(scripts);
    this.#children = new ChildrenStore(scripts);
  }

  read(jobId: string): Promise<JobRecord | undefined> {
    return this.#inspect.job(this.queue, jobId);
  }

  state(jobId: string): Promise<JobState> {
    return this.#inspect.state(this.queue, jobId);
  }

  updateData(jobId: string, data: string): Promise<number> {
    return this.#call('update-data', [jobId, data]);
  }

  updateProgress(jobId: string, progress: string): Promise<number> {
    return this.#call('update-progress', [jobId, progress]);
  }

  addLog(jobId: string, row: string, keep: number): Promise<number> {
    return this.#call('add-log', [jobId, row, keep]);
  }

  async clearLogs(jobId: string, keep: number): Promise<void> {
    const key = `${jobKey(this.queue, jobId)}:logs`;
    const { connection } = this.scripts;
    await (keep > 0 ? connection.send('ltrim', [key, -keep, -1]) : connection.send('del', [key]));
  }

  remove(jobId: string, withChildren: boolean): Promise<number> {
    return this.#admin.remove(this.queue, jobId, withChildren);
  }

  freeDeduplication(jobId: string, deduplicationId: string): Promise<number> {
    return this.#admin.freeDeduplication(this.queue, deduplicationId, jobId);
  }

  async settle(outcome: PendingOutcome): Promise<number> {
    const call = { queue: this.queue, profile: NO_FETCH, now: this.clock.now(), outcomes: [outcome], want: 0, share: 1, token: '' };
    const [reply] = await this.#consumer.exchange([call]);
    if (reply instanceof Error) throw reply;
    return reply?.codes[0] as number;
  }

  async extendLock(jobId: string, token: string, lockMs: number): Promise<boolean> {
    return (await this.#consumer.extendLocks(this.queue, [{ jobId, token }], lockMs)).length === 0;
  }

  async addNextIteration(
    jobId: string,
    scheduler: string,
    slot: number | undefined,
    metadata: string | undefined,
  ): Promise<string | undefined> {
    const args = [this.clock.now(), scheduler, jobId, slot ?? '', metadata ?? ''];
    const reply: unknown = await this.scripts.call('next-iteration', [queueKeys(this.queue).meta], args);
    return typeof reply === 'string' ? reply : undefined;
  }

  promote(jobId: string): Promise<number> {
    return this.#call('promote-job', [jobId]);
  }

  changeDelay(jobId: string, delayMs: number): Promise<number> {
    return this.#call('change-delay', [jobId, this.clock.now(), delayMs]);
  }

  changePriority(jobId: string, priority: number, lifo: boolean): Promise<number> {
    return this.#call('change-priority', [jobId, priority, lifo ? 1 : 0]);
  }

  reprocess(jobId: string, state: 'completed' | 'failed', past: ReprocessOptions): Promise<number> {
    const flags = [past.lifo, past.resetAttemptsMade, past.resetAttemptsStarted].map((flag) => (flag ? 1 : 0));
    return this.#call('reprocess-job', [jobId, state, ...flags]);
  }

  async removePendingChildren(jobId: string): Promise<number> {
    for (;;) {
      const status = await this.#call('remove-pending-children', [jobId]);
      if (status !== CALL_AGAIN) return status;
    }
  }

  removeChildDependency(jobId: string, parentKey: string): Promise<number> {
    return this.#call('remove-child-dependency', [jobId, parentKey]);
  }

  children(jobId: string, kind: ChildKind, page?: Required<PageRequest>): Promise<ChildPage> {
    return page ? this.#children.page(this.queue, jobId, kind, page) : this.#children.all(this.queue, jobId, kind);
  }

  childCounts(jobId: string): Promise<Readonly<Record<ChildKind, number>>> {
    return this.#children.counts(this.queue, jobId);
  }

  now(): number {
    return this.clock.now();
  }

  async #call(script: ScriptName, args: readonly (string | number)[]): Promise<number> {
    return (await this.scripts.call(script, [queueKeys(this.queue).meta], args)) as number;
  }
}
