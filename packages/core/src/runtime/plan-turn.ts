/** What a call of the exchange script may carry at most, and how lanes fill (engine-performance, section 4). */
export interface TurnLimits {
  readonly maxOutcomes: number;
  readonly maxJobs: number;
  /** Calls in one pipeline; the rest rotates into the next one. */
  readonly maxCalls: number;
  /** Turns in flight at once. */
  readonly lanes: number;
  /** What a second or later lane has to have gathered before it leaves. */
  readonly laneMin: number;
  /** In how many calls the places of a pool travel at least: while Redis works on one, the processors work on the other. */
  readonly parts: number;
}

export const TURN_LIMITS: TurnLimits = Object.freeze({ maxOutcomes: 100, maxJobs: 100, maxCalls: 64, lanes: 4, laneMin: 16, parts: 2 });

/** What waits at one pool: consumers of one queue that share a call. */
export interface Demand {
  /** Outcomes that wait. */
  readonly outcomes: number;
  /** How many of the first of them fit into one call by size; at least 1 when any wait. */
  readonly fitting: number;
  /** Places of the pool: free, asked for, or taken by a running job. */
  readonly places: number;
  /** Places free, without those asked for by a turn in flight. Places that waiting outcomes freed are among them. */
  readonly free: number;
  /** Whether a fetch may find something. Outcomes take a want along even if not, unless `isLimited`. */
  readonly isReady: boolean;
  readonly isLimited: boolean;
  /** Whether a turn in flight already asks for jobs of this queue. */
  readonly isAsked: boolean;
  /** Ready jobs of the queue when last seen, less what is asked for by turns in flight. */
  readonly backlog: number;
}

export interface CallPlan {
  /** Index of the demand. */
  readonly demand: number;
  readonly outcomes: number;
  readonly want: number;
}

/**
 * Decides what the next turn carries; empty: it does not leave.
 *
 * 1. The first lane leaves with anything, so a lone job waits for nobody; a further one only with `laneMin` gathered items.
 * 2. A want never precedes the outcome that freed its place: places of outcomes that do not fit into the call are not asked for.
 * 3. A queue is asked a second time, before the first answer, only for jobs known to wait there: otherwise many free places would turn
 *    one new job into a fetch per lane.
 * 4. A call carries at most its part of a pool's places: if one carried them all, Redis and the processors would take turns.
 * 5. Above the high mark of uncommitted outcomes (`isPressed`) and while fetching is stopped, wants are 0.
 */
export function planTurn(demands: readonly Demand[], lanesInFlight: number, noWants: boolean, limits: TurnLimits): CallPlan[] {
  if (lanesInFlight >= limits.lanes) return [];
  const calls: CallPlan[] = [];
  let gathered = 0;
  for (let index = 0; index < demands.length && calls.length < limits.maxCalls; index++) {
    const demand = demands[index] as Demand;
    const part = Math.max(limits.laneMin, Math.ceil(demand.places / limits.parts));
    const outcomes = Math.min(demand.outcomes, demand.fitting, limits.maxOutcomes, part);
    const want = noWants ? 0 : wantOf(demand, outcomes, Math.min(limits.maxJobs, part));
    if (outcomes === 0 && want === 0) continue;
    calls.push({ demand: index, outcomes, want });
    gathered += outcomes + want;
  }
  return lanesInFlight === 0 || gathered >= limits.laneMin ? calls : [];
}

function wantOf(demand: Demand, outcomes: number, maxJobs: number): number {
  if (demand.isLimited || (outcomes === 0 && !demand.isReady)) return 0;
  const places = demand.free - (demand.outcomes - outcomes);
  return Math.max(0, Math.min(places, maxJobs, demand.isAsked ? demand.backlog : maxJobs));
}

/**
 * Shares `jobs` among consumers so that those with the most free places take first: nobody is left with more than one free place more
 * than the fullest taker.
 * @returns how many each takes, in order; their sum is below `jobs` when there are not enough places.
 */
export function shareOut(jobs: number, free: readonly number[]): number[] {
  if (free.length === 1) return [Math.min(jobs, free[0] as number)];
  let low = 0; // places that every taker may keep free: the highest level that hands out all jobs, or 0
  let high = Math.max(0, ...free);
  while (low < high) {
    const level = Math.ceil((low + high) / 2);
    if (placesAbove(level, free) >= jobs) low = level;
    else high = level - 1;
  }
  const taken = free.map((places) => Math.max(0, places - low));
  let surplus = taken.reduce((sum, count) => sum + count, 0) - jobs;
  for (let i = taken.length - 1; i >= 0 && surplus > 0; i--) {
    if (taken[i] === 0) continue;
    taken[i] = (taken[i] as number) - 1;
    surplus--;
  }
  return taken;
}

function placesAbove(level: number, free: readonly number[]): number {
  let places = 0;
  for (const count of free) if (count > level) places += count - level;
  return places;
}
