import type { LastExit, RestartsDocument } from '@drover/cluster/protocol';
import { duration, plural } from './format.js';
import type { StatusView } from './status.js';

const JOBS_SHOWN = 5;
const LINES_SHOWN = 5;

/** The exits of each slot, newest first, each with the jobs it had in hand and its last lines. */
export function renderRestarts({ slots, isCut }: RestartsDocument, view: Pick<StatusView, 'now' | 'colors'>): string {
  const parts = slots.map(({ slot, state, restarts, exits }) => {
    const head = view.colors.bold(`slot ${slot}: ${state}, ${plural(restarts, 'restart')}`);
    return [head, ...[...exits].reverse().flatMap((exit) => lines(exit, view))].join('\n');
  });
  if (parts.length === 0) return 'no slots';
  if (isCut) parts.push(view.colors.dim('not all of it fits: ask for one slot with --slot, or see the log'));
  return parts.join('\n\n');
}

function lines(
  { at, class: kind, cause, reason, uptimeMs, jobs, stderrTail }: LastExit,
  { now, colors }: Pick<StatusView, 'now' | 'colors'>,
): string[] {
  const paint = kind === 'abnormal' ? colors.yellow : colors.dim;
  const head = `  ${duration(now - at)} ago  ${cause}: ${reason}, after ${duration(uptimeMs)}`;
  const named = jobs.slice(0, JOBS_SHOWN).map(({ queue, jobId }) => `${queue}/${jobId}`);
  const more = jobs.length > JOBS_SHOWN ? ` and ${jobs.length - JOBS_SHOWN} more` : '';
  const tail = stderrTail.trim().split('\n').filter(Boolean).slice(-LINES_SHOWN);
  return [
    paint(head),
    ...(jobs.length > 0 ? [`    in hand: ${named.join(', ')}${more}`] : []),
    ...tail.map((line) => colors.dim(`    | ${line}`)),
  ];
}
