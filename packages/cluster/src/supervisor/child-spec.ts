import { type BackoffRule, InvalidOptionError, integer, nonNegativeInt, positiveInt } from '@drover/core/kit';
import type { RestartType, SupervisionConfig } from '../config/resolved.js';
import type { Shutdown } from './child-adapter.js';

/** What a supervisor is told about a child. `spec` is the adapter's business; children start in rising `startOrder`, equal ones as added. */
export interface ChildSpec<Spec> {
  readonly id: string;
  readonly spec: Spec;
  readonly restart: RestartType;
  readonly shutdown: Shutdown;
  readonly startOrder: number;
}

/** The brakes of one supervisor: more than `intensity` restarts within `periodMs` end it (`onGiveUp: 'escalate'`) or park the child. */
export interface SupervisorFlags {
  readonly intensity: number;
  readonly periodMs: number;
  readonly strategy: 'one_for_one' | 'one_for_all' | 'rest_for_one';
  /** Failures in a row, each without `resetAfterMs` of life, that park a child. */
  readonly maxConsecutiveFailures: number;
  readonly resetAfterMs: number;
  readonly backoff: BackoffRule;
  readonly onGiveUp: 'escalate' | 'park';
  /** Its end stops the children one after the other, last started first, as later ones need earlier ones; else all at once. */
  readonly stopInReverse?: boolean;
}

/** Restarts allowed for `children` siblings when nobody set a number: one outage may end all of them at once. */
export function defaultIntensity(children: number): number {
  return Math.max(10, 2 * children);
}

/** @param children how many there are, for the default of the intensity. An explicit `maxRestarts` is taken literally. */
export function resolveSupervisorFlags(config: SupervisionConfig, children: number): SupervisorFlags {
  const { maxRestarts, periodMs, strategy, maxConsecutiveFailures, resetAfterMs, backoff, onGiveUp } = config;
  return checkSupervisorFlags({
    intensity: maxRestarts ?? defaultIntensity(children),
    periodMs,
    strategy,
    maxConsecutiveFailures,
    resetAfterMs,
    backoff,
    onGiveUp,
  });
}

const STRATEGIES: readonly SupervisorFlags['strategy'][] = ['one_for_one', 'one_for_all', 'rest_for_one'];
const GIVE_UP: readonly SupervisorFlags['onGiveUp'][] = ['escalate', 'park'];
const JITTER: readonly BackoffRule['jitter'][] = ['full', 'none'];
const RESTART: readonly RestartType[] = ['permanent', 'transient', 'temporary'];

/** @throws InvalidOptionError naming the first field that cannot be used. */
export function checkSupervisorFlags(flags: SupervisorFlags): SupervisorFlags {
  nonNegativeInt('intensity', flags.intensity);
  positiveInt('periodMs', flags.periodMs);
  positiveInt('maxConsecutiveFailures', flags.maxConsecutiveFailures);
  nonNegativeInt('resetAfterMs', flags.resetAfterMs);
  oneOf('strategy', flags.strategy, STRATEGIES);
  oneOf('onGiveUp', flags.onGiveUp, GIVE_UP);
  nonNegativeInt('backoff.firstMs', flags.backoff.firstMs);
  nonNegativeInt('backoff.baseMs', flags.backoff.baseMs);
  nonNegativeInt('backoff.capMs', flags.backoff.capMs);
  if (!(flags.backoff.factor >= 1)) throw new InvalidOptionError('backoff.factor', flags.backoff.factor, 'a number of at least 1');
  oneOf('backoff.jitter', flags.backoff.jitter, JITTER);
  return Object.freeze({ ...flags, backoff: Object.freeze({ ...flags.backoff }) });
}

/** @throws InvalidOptionError naming the first field that cannot be used. */
export function checkChildSpec<Spec>(child: ChildSpec<Spec>): ChildSpec<Spec> {
  if (typeof child.id !== 'string' || child.id === '') throw new InvalidOptionError('id', child.id, 'a text that is not empty');
  oneOf('restart', child.restart, RESTART);
  integer('startOrder', child.startOrder);
  checkShutdown(child.shutdown);
  return child;
}

function checkShutdown(shutdown: Shutdown): void {
  if (shutdown === 'brutal_kill' || shutdown === Number.POSITIVE_INFINITY) return;
  nonNegativeInt('shutdown', shutdown);
}

function oneOf<T extends string>(option: string, value: T, allowed: readonly T[]): void {
  if (!allowed.includes(value)) throw new InvalidOptionError(option, value, `one of ${allowed.join(', ')}`);
}
