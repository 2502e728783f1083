import { errorFromStatus } from '../errors/index.js';
import { decodeJob, decodeScheduler, type JobRecord, type JobSchedulerJson, type NewScheduler } from '../job/index.js';
import { type QueueRef, queueKeys } from '../keys/queue-keys.js';
import type { RedisArgument, ScriptName, Scripts } from '../redis/index.js';
import { readFields } from './replies.js';

/** The iteration is there already, but the schedule may go on after it. */
const SLOT_TAKEN = -13;

/** What operators ask about the job schedulers of a queue. */
export class SchedulerStore {
  constructor(private readonly scripts: Scripts) {}

  /**
   * Defines a scheduler, new or anew, and adds its next iteration.
   * @param slot of a pattern, epoch ms; undefined: by the interval.
   * @returns the iteration; 'taken' when that slot has one which is not to be replaced: try the one after it.
   * @throws JobStatusError when there can be no such iteration.
   */
  async upsert(queue: QueueRef, scheduler: NewScheduler, slot: number | undefined, now: number): Promise<JobRecord | 'taken'> {
    const reply = await this.#call('upsert-scheduler', queue, upsertArgs(scheduler, slot, now));
    if (reply === SLOT_TAKEN) return 'taken';
    if (typeof reply === 'number')
      throw errorFromStatus(reply, { jobId: `repeat:${scheduler.id}:${slot ?? now}`, command: 'addJobScheduler' });
    const [id, delay] = reply as [string, number];
    const isCron = slot !== undefined;
    const opts = {
      ...scheduler.opts,
      jobId: id,
      repeatJobKey: scheduler.id,
      delay,
      timestamp: now,
      ...(isCron ? { prevMillis: slot } : {}),
    };
    const { name, data, priority } = scheduler;
    return decodeJob(id, {
      name,
      data,
      opts: JSON.stringify(opts),
      timestamp: String(now),
      delay: String(delay),
      priority: String(priority),
      rjk: scheduler.id,
    }).record;
  }

  /** @returns whether there was one. */
  async remove(queue: QueueRef, id: string): Promise<boolean> {
    return (await this.#call('remove-scheduler', queue, [id])) === 0;
  }

  async one(queue: QueueRef, id: string): Promise<JobSchedulerJson | undefined> {
    const { repeat } = queueKeys(queue);
    const [next, fields] = await this.scripts.connection.sendAll([
      { name: 'zscore', args: [repeat, id] },
      { name: 'hgetall', args: [`${repeat}:${id}`] },
    ]);
    for (const reply of [next, fields]) if (reply instanceof Error) throw reply;
    return next === null ? undefined : decodeScheduler(id, Number(next), readFields(fields));
  }

  /** From index `start` to `end`, both included; negative: from the end. */
  async list(queue: QueueRef, start: number, end: number, order: 'soonest' | 'latest'): Promise<JobSchedulerJson[]> {
    const schedulers: JobSchedulerJson[] = [];
    for (let from = start, to = end; ; ) {
      const args = [from, to, order === 'latest' ? 1 : 0];
      const [next, last, found] = (await this.#call('get-schedulers', queue, args)) as [number, number, unknown[]];
      for (let at = 0; at < found.length; at += 3) {
        const scheduler = decodeScheduler(found[at] as string, Number(found[at + 1]), readFields(found[at + 2]));
        if (scheduler) schedulers.push(scheduler);
      }
      if (next < 0) return schedulers;
      [from, to] = [next, last];
    }
  }

  async count(queue: QueueRef): Promise<number> {
    return (await this.scripts.connection.send('zcard', [queueKeys(queue).repeat])) as number;
  }

  #call(script: ScriptName, queue: QueueRef, args: readonly RedisArgument[]): Promise<unknown> {
    return this.scripts.call(script, [queueKeys(queue).meta], args);
  }
}

/** As lua/commands/upsert-scheduler.lua reads them. */
function upsertArgs(
  { id, name, repeat, data, opts, priority, lifo, definition }: NewScheduler,
  slot: number | undefined,
  now: number,
): RedisArgument[] {
  const { every, offset, startAt } = repeat;
  const openOpts = `${JSON.stringify(opts).slice(0, -1)},`; // never empty: the rule is in it
  const fields = Object.entries(definition).flat();
  return [now, id, slot ?? '', every ?? '', offset ?? '', startAt ?? '', name, data, openOpts, priority, lifo ? 1 : 0, ...fields];
}
