import type { JobState } from '../job/index.js';
import { InvalidOptionError } from '../kit/index.js';
import type { QueueCounts, RangeState } from '../store/index.js';

/** States that jobs are counted and listed by. `wait` is `waiting`; `paused` are ready jobs that a v5 client has put aside. */
export type JobType = Exclude<JobState, 'unknown'> | 'wait' | 'paused';

/** The seven that BullMQ 6 counts and lists unless asked for others. */
export const DEFAULT_TYPES: readonly JobType[] = ['active', 'completed', 'delayed', 'failed', 'prioritized', 'waiting', 'waiting-children'];

/** How each state is counted, and by which key it is listed. */
export const TYPES: Readonly<Record<JobType, { readonly count: (counts: QueueCounts) => number; readonly range: RangeState }>> = {
  active: { count: (counts) => counts.active, range: 'active' },
  completed: { count: (counts) => counts.completed, range: 'completed' },
  delayed: { count: (counts) => counts.delayed, range: 'delayed' },
  failed: { count: (counts) => counts.failed, range: 'failed' },
  prioritized: { count: (counts) => counts.prioritized, range: 'prioritized' },
  wait: { count: (counts) => counts.waiting + counts.parked, range: 'wait' },
  waiting: { count: (counts) => counts.waiting + counts.parked, range: 'wait' },
  paused: { count: (counts) => counts.parked, range: 'paused' },
  'waiting-children': { count: (counts) => counts.waitingChildren, range: 'waitingChildren' },
};

/** @throws InvalidOptionError */
export function knownType(type: JobType): (typeof TYPES)[JobType] {
  if (Object.hasOwn(TYPES, type)) return TYPES[type];
  throw new InvalidOptionError('type', type, `one of ${Object.keys(TYPES).join(', ')}`);
}
