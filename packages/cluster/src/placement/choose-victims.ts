/** Which workers go first when a group shrinks. */
export type VictimPolicy = 'oldest' | 'youngest' | 'idle';

export interface VictimCandidate {
  readonly worker: string;
  /** The number in its name: its age, which restarts and moves do not change. */
  readonly number: number;
  readonly state: 'starting' | 'running' | 'parked';
  readonly jobsInHand: number;
}

/**
 * Picks `count` workers to drain. Parked ones go first under every policy; then the lowest number, the highest number, or
 * those with the least to lose: starting, idle, fewest jobs in hand, oldest.
 */
export function chooseVictims(candidates: readonly VictimCandidate[], count: number, policy: VictimPolicy): readonly string[] {
  const order = [...candidates].sort((a, b) => Number(b.state === 'parked') - Number(a.state === 'parked') || BY_POLICY[policy](a, b));
  return order.slice(0, Math.max(0, count)).map((candidate) => candidate.worker);
}

type Order = (a: VictimCandidate, b: VictimCandidate) => number;

const oldest: Order = (a, b) => a.number - b.number;
const BY_POLICY: Readonly<Record<VictimPolicy, Order>> = {
  oldest,
  youngest: (a, b) => b.number - a.number,
  idle: (a, b) => Number(b.state === 'starting') - Number(a.state === 'starting') || a.jobsInHand - b.jobsInHand || oldest(a, b),
};
