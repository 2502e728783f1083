import { ExitCode } from '../errors/errors.js';
import type { ExitClass } from '../protocol/index.js';

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
  /** What it said in `boot_failed`. */
  readonly bootError: string | undefined;
}

export interface ClassifiedEnd {
  readonly class: ExitClass;
  /** For a person: how it ended. */
  readonly reason: string;
}

/**
 * What an end means. 0 alone says nothing: Node ends a process with 0 when its channel drops, so a normal end is one that said
 * `drained`. What was asked for never counts against the restart intensity, however it ended.
 */
export function classifyExit(end: ProcessEnd): ClassifiedEnd {
  const reason = describe(end);
  if (end.wasAsked) return { class: 'shutdown', reason };
  if (!end.hadBooted) return { class: 'abnormal', reason };
  if (end.code === ExitCode.recycled || end.isRecycled) return { class: 'planned', reason };
  if (end.code === 0 && end.saidDrained) return { class: 'normal', reason };
  return { class: 'abnormal', reason };
}

function describe({ code, signal, saidDrained, killedFor, bootError }: ProcessEnd): string {
  if (bootError !== undefined) return bootError;
  if (killedFor !== undefined) return killedFor;
  if (signal !== null) return `killed by ${signal}`;
  if (code === 0) return saidDrained ? 'drained and exited with 0' : 'exited with 0 without having drained';
  return `exited with ${code}${MEANING[code ?? -1] ?? ''}`;
}

const MEANING: Readonly<Record<number, string>> = {
  [ExitCode.recycled]: ' (recycled)',
  [ExitCode.bootFailure]: ' (could not boot)',
  [ExitCode.watchdog]: ' (its watchdog found the event loop blocked)',
  [ExitCode.orphaned]: ' (lost its channel to the primary)',
  [ExitCode.drainDeadline]: ' (drain deadline)',
  [ExitCode.rootGaveUp]: ' (its root supervisor gave up)',
};
