/**
 * The rules of control-plane section 6 for one supervisor, written down a second time and in another way: it is told what ended and answers
 * what must have become of it. Times are monotonic ms.
 */
import type { SupervisionConfig } from '../../packages/cluster/dist/config/resolved.js';

export type Verdict = 'restarted' | 'parked' | 'gave up' | 'forgotten';

export interface EndedChild {
  readonly kind: 'normal' | 'abnormal' | 'planned';
  /** Since it was ready; undefined: it never was. */
  readonly livedMs: number | undefined;
  /** Children there are, this one included, and how many others are parked. */
  readonly children: number;
  readonly parked: number;
}

export class RestartOracle {
  /** Instants of all restarts so far. */
  readonly #restarts: number[] = [];
  readonly #failures = new Map<string, number>();

  constructor(
    private readonly rules: SupervisionConfig,
    private readonly restart: 'permanent' | 'transient' | 'temporary',
  ) {}

  /** The child is a new one, or was pardoned. */
  forget(id: string): void {
    this.#failures.delete(id);
  }

  judge(id: string, ended: EndedChild, now: number): Verdict {
    const { rules, restart } = this;
    const hasRecovered = ended.livedMs !== undefined && ended.livedMs >= rules.resetAfterMs;
    if (hasRecovered) this.#failures.set(id, 0);
    if (restart === 'temporary') return 'forgotten';
    if (ended.kind === 'planned') return 'restarted';
    if (restart === 'transient' && ended.kind === 'normal') return 'forgotten';
    const inARow = hasRecovered ? 0 : (this.#failures.get(id) ?? 0) + 1;
    this.#failures.set(id, inARow);
    const allowed = rules.maxRestarts ?? Math.max(10, 2 * ended.children);
    const inPeriod = this.#restarts.filter((at) => at >= now - rules.periodMs).length;
    const isTooMany = inPeriod >= allowed;
    if (isTooMany) return rules.onGiveUp === 'park' ? 'parked' : 'gave up';
    if (inARow >= rules.maxConsecutiveFailures) {
      const isHalf = 2 * (ended.parked + 1) >= ended.children;
      return isHalf && rules.onGiveUp === 'escalate' ? 'gave up' : 'parked';
    }
    this.#restarts.push(now);
    return 'restarted';
  }
}
