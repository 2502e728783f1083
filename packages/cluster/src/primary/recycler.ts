import { type Clock, type Logger, messageOf, type Timer } from '@drover/core/kit';
import type { RecycleConfig } from '../config/resolved.js';
import type { SlotView } from './observed-state.js';
import { type DueProcess, isBornOver, planRecycle, type RecycleCandidate } from './plan-recycle.js';

export interface RecyclerDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly slots: () => readonly SlotView[];
  /** Slots that a rolling replacement has in hand. */
  readonly trials: () => ReadonlySet<number>;
  readonly isRunning: () => boolean;
  /** Nothing is being replaced. */
  readonly isIdle: () => boolean;
  /** Resident bytes of a process; undefined where the system does not say: then its last heartbeat counts. */
  readonly rssOf: (pid: number) => number | undefined;
  /** A new process first, then the old one drains. */
  readonly replace: (slot: number, reason: 'memory' | 'recycle') => void;
  /** Drains at once, within a few seconds, and starts the next one after that. */
  readonly drain: (slot: number) => void;
  readonly publish: (data: Readonly<Record<string, unknown>>) => void;
}

/** What is kept of a process while it lives. */
interface Life {
  readonly sinceMs: number;
  readonly spread: number;
  triedAtMs: number;
}

const TICK_MS = 1_000;

/**
 * Replaces processes that have used up what they may: one at a time, none twice within the interval. A process that is over its limit of
 * memory so early stops all recycling by memory until it is gone: it would only go round. Owns one timer.
 */
export class Recycler {
  readonly #lives = new Map<string, Life>();
  /** Incarnations that were over their limit early on. */
  readonly #bornOver = new Set<string>();
  /** The one that drains because of the hard limit. */
  #urgent: string | undefined;
  #timer: Timer | undefined;

  constructor(
    private readonly limits: RecycleConfig,
    private readonly deps: RecyclerDeps,
  ) {}

  /** Does nothing unless there is a limit. */
  start(): void {
    const { softBytes, hardBytes, maxJobs, maxAgeMs } = this.limits;
    if ([softBytes, hardBytes, maxJobs, maxAgeMs].some(Number.isFinite)) this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer = this.deps.clock.setTimer(() => {
      if (this.deps.isRunning()) this.#check();
      this.#arm();
    }, TICK_MS);
  }

  #check(): void {
    const slots = this.deps.slots();
    this.#forgetAllBut(new Set(slots.map(({ incarnation }) => incarnation)));
    const trials = this.deps.trials();
    const candidates = slots
      .filter(({ slot, state, retiring }) => state === 'ready' && !retiring && !trials.has(slot))
      .map((slot) => this.#candidate(slot));
    for (const candidate of candidates) if (isBornOver(candidate, this.limits)) this.#stopFor(candidate);
    const now = this.deps.clock.monotonic();
    const isTried = ({ incarnation }: RecycleCandidate): boolean =>
      now - (this.#lives.get(incarnation) as Life).triedAtMs < this.limits.minIntervalMs;
    const due = planRecycle(
      candidates.filter((candidate) => !isTried(candidate)),
      this.#limitsNow(),
    );
    if (due && (due.isUrgent ? this.#urgent === undefined : this.deps.isIdle())) this.#recycle(due);
  }

  #limitsNow(): RecycleConfig {
    const none = Number.POSITIVE_INFINITY;
    return this.#bornOver.size > 0 ? { ...this.limits, softBytes: none, hardBytes: none } : this.limits;
  }

  #candidate({ slot, incarnation, pid, beat }: SlotView): RecycleCandidate {
    const id = incarnation as string; // one that is ready has one
    const now = this.deps.clock.monotonic();
    const { jitter } = this.limits;
    const life = this.#lives.get(id) ?? {
      sinceMs: now,
      spread: 1 - jitter + 2 * jitter * this.deps.random(),
      triedAtMs: Number.NEGATIVE_INFINITY,
    };
    this.#lives.set(id, life);
    const rssBytes = this.deps.rssOf(pid as number) ?? beat?.rssBytes ?? 0;
    const jobs = (beat?.jobsCompleted ?? 0) + (beat?.jobsFailed ?? 0);
    return { slot, incarnation: id, ageMs: now - life.sinceMs, rssBytes, jobs, spread: life.spread };
  }

  #forgetAllBut(incarnations: ReadonlySet<string | undefined>): void {
    for (const incarnation of this.#lives.keys()) if (!incarnations.has(incarnation)) this.#lives.delete(incarnation);
    for (const incarnation of this.#bornOver) if (!incarnations.has(incarnation)) this.#bornOver.delete(incarnation);
    if (!incarnations.has(this.#urgent)) this.#urgent = undefined;
  }

  #stopFor({ slot, incarnation, rssBytes, ageMs }: RecycleCandidate): void {
    if (this.#bornOver.has(incarnation)) return;
    this.#bornOver.add(incarnation);
    const data = { slot, rssBytes, ageMs: Math.round(ageMs), softBytes: this.limits.softBytes, hardBytes: this.limits.hardBytes };
    this.deps.logger.error('recycling by memory stops: a young process is over the limit, the next would be, too; raise the limit', data);
    this.deps.publish({ state: 'stopped', ...data });
  }

  #recycle({ candidate, reason, isUrgent }: DueProcess): void {
    const { slot, incarnation, rssBytes, jobs, ageMs } = candidate;
    const data = { slot, reason, isUrgent, rssBytes, jobs, ageMs: Math.round(ageMs) };
    (this.#lives.get(incarnation) as Life).triedAtMs = this.deps.clock.monotonic();
    if (isUrgent) this.#urgent = incarnation;
    try {
      if (isUrgent) this.deps.drain(slot);
      else this.deps.replace(slot, reason === 'memory' ? 'memory' : 'recycle');
    } catch (error) {
      this.deps.logger.warn('a process could not be recycled', { ...data, error: messageOf(error) });
      return;
    }
    this.deps.logger.info('a process is recycled', data);
    this.deps.publish({ state: 'begun', ...data });
  }
}
