/** How long to wait before the n-th try in a row. `firstMs` is the wait before the first one, the rest doubles from `baseMs` to `capMs`. */
export interface BackoffRule {
  readonly firstMs: number;
  readonly baseMs: number;
  readonly factor: number;
  readonly capMs: number;
  /** `full`: a random share of the wait, so that many waiters spread out; `none`: the wait itself. */
  readonly jitter: 'full' | 'none';
}

/**
 * @param failuresInRow failures so far, 1 or more; 1 answers `firstMs`.
 * @param random 0 <= random < 1, an argument so that the simulator can replay it.
 */
export function backoffMs(failuresInRow: number, rule: BackoffRule, random: number): number {
  if (failuresInRow <= 1) return rule.firstMs;
  const wait = Math.min(rule.capMs, rule.baseMs * rule.factor ** (failuresInRow - 2));
  return Math.round(rule.jitter === 'full' ? wait * random : wait);
}
