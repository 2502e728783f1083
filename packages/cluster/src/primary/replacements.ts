import { ControlFailure, type StopMode } from '../protocol/index.js';
import type { OperationLog } from './operation-log.js';
import type { Plan, PlanInput } from './plan-reconcile.js';
import type { RolloutRules } from './plan-reload.js';
import { Rollout, type RolloutDeps, type RolloutEnd, type RolloutOrder } from './rollout.js';

/** How a reload goes about it; what is left out is as configured. */
export interface ReloadOptions {
  readonly maxSurge?: number | undefined;
  readonly maxUnavailable?: number | undefined;
  readonly canary?: number | undefined;
  readonly probationMs?: number | undefined;
}

/** Why a process is replaced without anybody having asked for it. */
export type RecycleReason = 'recycle' | 'memory';

export interface ReplacementsDeps extends Omit<RolloutDeps, 'progress'> {
  readonly log: OperationLog;
  readonly wake: () => void;
  /** What a boot, and the change-over of the workers of one process, may take. */
  readonly limitMs: number;
  /** Drains the process of a slot and starts the next. */
  readonly restart: (slot: number, mode: StopMode, drainMs: number | undefined, reason: RecycleReason | 'reload') => void;
}

interface Restart {
  readonly opId: string;
  readonly slot: number;
  readonly incarnation: string | undefined;
  /** Ends of the slot that were known before. */
  readonly exits: number;
}

export const DEFAULT_PROBATION_MS = 2_000;
const RECYCLE_RULES = { maxSurge: 1, maxUnavailable: 0, probationMs: 0, canary: 0 } as const;

/**
 * Reloads, recycles and restarts: at most one rolling replacement at a time, and one reload that waits for its turn. Owns which operation
 * is about which of them.
 */
export class Replacements {
  #rollout: Rollout | undefined;
  /** A reload that waits for scaling, or for a recycle, to end. */
  #waiting: { readonly opId: string; readonly rules: RolloutRules } | undefined;
  readonly #restarts = new Map<number, Restart>();
  #lastGeneration = 1;

  constructor(private readonly deps: ReplacementsDeps) {}

  /** A rolling replacement is under way, or waits, or a slot is being restarted. */
  get isBusy(): boolean {
    return this.#rollout !== undefined || this.#waiting !== undefined || this.#restarts.size > 0;
  }

  /** What the reconciler leaves alone. */
  holds(): Pick<PlanInput, 'trials' | 'isFrozen'> {
    return { trials: this.#rollout?.trials ?? NONE, isFrozen: this.#rollout?.holdsScaling ?? false };
  }

  /** Replaces all processes by a new generation, once what is being scaled has settled. @throws ControlFailure BUSY, OUT_OF_RANGE */
  reload(options: ReloadOptions): string {
    const other = this.#waiting?.opId ?? (this.#rollout?.order.kind === 'reload' ? this.#rollout.order.opId : undefined);
    if (other !== undefined) throw new ControlFailure('BUSY', `a reload is under way, as operation ${other}`, { opId: other });
    const { maxSurge = options.maxUnavailable ? 0 : 1, maxUnavailable = 0, canary, probationMs } = options;
    if (maxSurge + maxUnavailable < 1)
      throw new ControlFailure('OUT_OF_RANGE', 'maxSurge and maxUnavailable are both 0: no process could ever be replaced');
    const rules = {
      maxSurge,
      maxUnavailable,
      probationMs: probationMs ?? DEFAULT_PROBATION_MS,
      canary: canary ?? Number.POSITIVE_INFINITY,
      limitMs: this.deps.limitMs,
    };
    const opId = this.#begin('reload', this.deps.observed.slots().length);
    this.#waiting = { opId, rules };
    this.deps.wake();
    return opId;
  }

  /** Replaces one process, or one after the other, by new ones of the same release. @throws ControlFailure BUSY, NOT_FOUND */
  recycle(slot: number | undefined, reason: RecycleReason = 'recycle'): string {
    this.#assertIdle();
    const all = this.deps.observed.slots().filter(({ state }) => state !== 'parked');
    if (slot !== undefined) this.#assertFree(slot);
    const slots =
      slot === undefined ? all.filter(({ state, retiring }) => state === 'ready' && !retiring).map((each) => each.slot) : [slot];
    const opId = this.#begin('recycle', slots.length);
    const rules = { ...RECYCLE_RULES, limitMs: this.deps.limitMs };
    this.#start({ kind: 'recycle', opId, slots, generation: this.deps.desired.generation, rules, reason });
    return opId;
  }

  /** Drains the process of a slot and starts it again in its place; one that was given up gets another chance. @throws ControlFailure BUSY, NOT_FOUND */
  restart(slot: number, mode: StopMode, reason: RecycleReason | 'reload' = 'reload', drainMs?: number): string {
    this.#assertIdle();
    this.#assertFree(slot);
    const opId = this.#begin('restart', 1);
    const seen = this.deps.observed.slot(slot);
    const incarnation = seen?.state === 'ready' ? seen.incarnation : undefined; // one that boots is let be
    this.#restarts.set(slot, { opId, slot, incarnation, exits: this.deps.observed.crashes.of(slot).length });
    this.deps.publish('reload', { kind: 'restart', state: 'restarting', opId, slot });
    this.deps.restart(slot, mode, drainMs, reason);
    this.deps.wake();
    return opId;
  }

  /** Brings everything up to date with a pass of the reconciler. */
  advance(plan: Plan): void {
    for (const restart of this.#restarts.values()) this.#look(restart);
    const isCalm = !this.#rollout && this.#restarts.size === 0;
    const groups = this.deps.desired.groups.map(({ group }) => group);
    if (this.#waiting && isCalm && groups.every((group) => plan.settled.has(group))) this.#startWaiting(this.#waiting);
    else this.#advance();
  }

  /** The primary stops or gives up: nothing is replaced any more. The operations have been ended. */
  end(): void {
    this.#rollout = undefined;
    this.#waiting = undefined;
    this.#restarts.clear();
  }

  #startWaiting({ opId, rules }: { readonly opId: string; readonly rules: RolloutRules }): void {
    this.#waiting = undefined;
    const slots = this.deps.observed.slots().map(({ slot }) => slot);
    this.#lastGeneration++;
    this.#start({ kind: 'reload', opId, slots, generation: this.#lastGeneration, rules, reason: 'reload' });
  }

  #start(order: RolloutOrder): void {
    this.deps.log.progress(order.opId, 0);
    const progress = (opId: string, done: number, note: string): void => this.deps.log.progress(opId, done, { note });
    this.#rollout = new Rollout(order, { ...this.deps, progress });
    this.#advance();
    this.deps.wake();
  }

  #advance(): void {
    const rollout = this.#rollout;
    const end = rollout?.advance();
    if (!rollout || !end) return;
    this.#rollout = undefined;
    this.#conclude(rollout.order, end);
    this.deps.wake();
  }

  #conclude({ opId, generation }: RolloutOrder, end: RolloutEnd): void {
    const { desired, log } = this.deps;
    if (end.is === 'done') {
      desired.release(generation);
      log.finish(opId, { replaced: [...end.replaced], generation });
      return;
    }
    const { replaced } = end.failure.details as { readonly replaced: readonly number[] };
    if (replaced.length > 0) desired.release(generation); // the old release is not there any more to go back to
    log.fail(opId, end.failure.toError());
  }

  #look({ opId, slot, incarnation, exits }: Restart): void {
    const { observed, log, desired } = this.deps;
    const seen = observed.slot(slot);
    const over = (): void => void this.#restarts.delete(slot);
    if (!seen || (seen.state === 'ready' && seen.incarnation !== incarnation)) {
      over();
      log.finish(opId, { replaced: [slot], generation: seen?.generation ?? desired.generation });
      return;
    }
    const isHeldUp = this.deps.heldUp().has(slot);
    const failed = observed.crashes
      .of(slot)
      .slice(exits)
      .find((exit) => exit.class === 'abnormal');
    if (!failed && seen.state !== 'parked' && !isHeldUp) return;
    over();
    const why = seen.error ?? (isHeldUp ? 'it waits for a process that was given up; restart that one first' : 'it ended');
    const details = failed && failed.stderrTail !== '' ? { stderrTail: failed.stderrTail } : undefined;
    log.fail(opId, new ControlFailure('GAVE_UP', `process ${slot} did not come back: ${why}`, details).toError());
  }

  #begin(verb: string, total: number): string {
    return this.deps.log.begin({ verb, group: undefined, total, version: this.deps.desired.version });
  }

  #assertIdle(): void {
    const other = this.#waiting?.opId ?? this.#rollout?.order.opId;
    if (other !== undefined) throw new ControlFailure('BUSY', `processes are being replaced, as operation ${other}`, { opId: other });
  }

  #assertFree(slot: number): void {
    const seen = this.deps.observed.slot(slot);
    if (!seen) throw new ControlFailure('NOT_FOUND', `there is no process ${slot}`);
    const other = this.#restarts.get(slot)?.opId;
    if (other !== undefined) throw new ControlFailure('BUSY', `process ${slot} is being restarted, as operation ${other}`, { opId: other });
    if (seen.state === 'draining' || seen.retiring) throw new ControlFailure('BUSY', `process ${slot} drains`);
  }
}

const NONE: ReadonlySet<number> = new Set();
