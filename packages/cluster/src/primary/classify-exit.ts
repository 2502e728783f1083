import { ExitCode } from '../errors/errors.js';
import type { ExitCause, ExitClass } from '../protocol/index.js';

/** Everything that is known of a process when it has ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** It was told to drain: scale-down, retire, stop. */
  readonly wasAsked: boolean;
  /** It was told to make room for another one. Then however it ends was planned: a kill for an overrun drain, too. */
  readonly isRecycled: boolean;
  /** It said `drained` before. */
  readonly saidDrained: boolean;
  /** It was ready once: an end before that is a failed start, whatever it looks like. */
  readonly hadBooted: boolean;
  /** Why the primary killed it, if it did: the boot limit, missing heartbeats, an overrun drain. */
  readonly killedFor: string | undefined;
  /** Why it was killed for a hang, if it was: by its watchdog, or by the primary for missing heartbeats. */
  readonly hungFor: string | undefined;
  /** The end of what it wrote to stderr. */
  readonly stderrTail: string;
  /** What it said in `boot_failed`. */
  readonly bootError: string | undefined;
  /** What it said in `group_failed`: why its root supervisor gave up, if that is how it ended. */
  readonly groupError: string | undefined;
}

export interface ClassifiedEnd {
  readonly class: ExitClass;
  readonly cause: ExitCause;
  /** For a person: how it ended. */
  readonly reason: string;
}

/**
 * What an end means. 0 alone says nothing: Node ends a process with 0 when its channel drops, so a normal end is one that said
 * `drained`. What was asked for never counts against the restart intensity, however it ended.
 */
export function classifyExit(end: ProcessEnd): ClassifiedEnd {
  return { class: classOf(end), cause: causeOf(end), reason: describe(end) };
}

function classOf(end: ProcessEnd): ExitClass {
  if (end.wasAsked) return 'shutdown';
  if (!end.hadBooted) return 'abnormal';
  if (end.code === ExitCode.recycled || end.isRecycled) return 'planned';
  if (end.code === 0 && end.saidDrained) return 'normal';
  return 'abnormal';
}

/** What V8 writes before it aborts; what the kernel kills for its memory cannot be told from any other SIGKILL. */
const OUT_OF_MEMORY = 'JavaScript heap out of memory';

const CAUSE_OF_CODE: Readonly<Record<number, ExitCause>> = {
  [ExitCode.recycled]: 'recycle',
  [ExitCode.bootFailure]: 'boot',
  [ExitCode.watchdog]: 'hang',
  [ExitCode.orphaned]: 'orphaned',
  [ExitCode.rootGaveUp]: 'escalated',
};

function causeOf({ code, signal, hungFor, hadBooted, wasAsked, saidDrained, stderrTail }: ProcessEnd): ExitCause {
  if (hungFor !== undefined || code === ExitCode.watchdog) return 'hang';
  if ((signal === 'SIGABRT' || code === 134) && stderrTail.includes(OUT_OF_MEMORY)) return 'oom';
  if (wasAsked) return 'asked';
  if (!hadBooted) return 'boot';
  if (signal !== null) return 'signal';
  if (code === 0) return saidDrained ? 'drained' : 'crash';
  return CAUSE_OF_CODE[code ?? -1] ?? 'crash';
}

function describe({ code, signal, saidDrained, killedFor, hungFor, bootError, groupError }: ProcessEnd): string {
  if (bootError !== undefined) return bootError;
  const why = hungFor ?? killedFor;
  if (why !== undefined) return why;
  if (signal !== null) return `killed by ${signal}`;
  if (code === 0) return saidDrained ? 'drained and exited with 0' : 'exited with 0 without having drained';
  const cause = code === ExitCode.rootGaveUp && groupError !== undefined ? `; ${groupError}` : '';
  return `exited with ${code}${MEANING[code ?? -1] ?? ''}${cause}`;
}

const MEANING: Readonly<Record<number, string>> = {
  [ExitCode.recycled]: ' (recycled)',
  [ExitCode.bootFailure]: ' (could not boot)',
  [ExitCode.watchdog]: ' (its watchdog found the event loop blocked)',
  [ExitCode.orphaned]: ' (lost its channel to the primary)',
  [ExitCode.drainDeadline]: ' (drain deadline)',
  [ExitCode.rootGaveUp]: ' (its root supervisor gave up)',
};
