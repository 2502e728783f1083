import type { LastExit, RestartsDocument } from '../protocol/index.js';
import type { SlotView } from './observed-state.js';

/** Characters of stderr in one document: a reply has 1 MiB, and a character may take several bytes of it. */
const STDERR_CHARACTERS = 128 * 1_024;
/** Exits in one document, the newest; there is one with all of a slot for those who ask for that slot. */
const EXITS = 400;
const JOBS = 10;

/** The exits of the given slots, oldest first, cut to what a reply can carry. */
export function restartsDocument(
  slots: readonly Pick<SlotView, 'slot' | 'state' | 'restarts'>[],
  exitsOf: (slot: number) => readonly LastExit[],
): RestartsDocument {
  const all = slots.flatMap(({ slot }) => exitsOf(slot));
  const newest = [...all].sort((a, b) => b.at - a.at).slice(0, EXITS);
  const shown = new Set(newest);
  const each = Math.floor(STDERR_CHARACTERS / Math.max(1, newest.length));
  const isCut = all.length > EXITS || newest.some(({ stderrTail, jobs }) => stderrTail.length > each || jobs.length > JOBS);
  const cut = (exit: LastExit): LastExit => ({ ...exit, jobs: exit.jobs.slice(0, JOBS), stderrTail: exit.stderrTail.slice(-each) });
  return {
    slots: slots.map(({ slot, state, restarts }) => {
      const exits = exitsOf(slot).filter((exit) => shown.has(exit));
      return { slot, state, restarts, exits: exits.map(cut) };
    }),
    isCut,
  };
}
