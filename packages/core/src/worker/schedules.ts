import { ConnectionClosedError, ConnectionLostError, RedisRefusedError } from '../errors/index.js';
import {
  isOver,
  type JobCommands,
  type JobRecord,
  nextRunAt,
  type RepeatOptions,
  type RepeatStrategy,
  repeatRule,
  slotFrom,
} from '../job/index.js';
import { toError } from '../kit/index.js';

/** How the attempt to add the iteration after a job ended: the job may run, or has to go back because Redis could not be asked. */
export type ScheduleResult = { readonly mayRun: true; readonly problem?: Error } | { readonly mayRun: false };

/** Adds the iteration after the job of `record` inside a span; `add` is given the trace that it goes on with. */
export type TracedIteration = (
  record: JobRecord,
  add: (metadata: string | undefined) => Promise<string | undefined>,
) => Promise<string | undefined>;

const ASK_AGAIN = [ConnectionLostError, ConnectionClosedError, RedisRefusedError] as const;

/**
 * Adds the iteration after a job of a scheduler, before that job runs: a process that dies while it runs does not end the schedule. A rule
 * that cannot be read is a problem to report; it does not stop the job.
 * @param traced absent: no telemetry.
 */
export async function addNextIteration(
  record: JobRecord,
  commands: Pick<JobCommands, 'addNextIteration' | 'now'>,
  strategy: RepeatStrategy | undefined,
  traced: TracedIteration = (_record, add) => add(undefined),
): Promise<ScheduleResult> {
  try {
    const now = commands.now();
    const rule = repeatRule(record);
    if (isOver(rule, now)) return { mayRun: true };
    const isInterval = rule.pattern === undefined;
    const slot = strategy && !isInterval ? await slotOf(strategy, record, now) : nextRunAt(rule, now);
    if (slot !== undefined || isInterval) {
      await traced(record, (metadata) => commands.addNextIteration(record.id, record.repeatJobKey as string, slot, metadata));
    }
    return { mayRun: true };
  } catch (thrown) {
    const error = toError(thrown);
    if (ASK_AGAIN.some((kind) => error instanceof kind)) return { mayRun: false };
    return { mayRun: true, problem: new Error(`the schedule ${record.repeatJobKey} cannot go on: ${error.message}`, { cause: error }) };
  }
}

async function slotOf(strategy: RepeatStrategy, record: JobRecord, now: number): Promise<number | undefined> {
  const { previousAt } = repeatRule(record);
  const opts = record.opts.repeat as RepeatOptions;
  return slotFrom(await strategy(Math.max(now, previousAt), opts, record.name), now);
}
