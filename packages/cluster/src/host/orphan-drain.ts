import type { Clock } from '@drover/core/kit';
import { ExitCode } from '../errors/errors.js';
import type { DrainLimits } from './drain.js';

/** Between the end of the drain and the deadline: what jobs given back and the last connections may take. Never more than half of it. */
const GRACE_MS = 2_000;
const ABORT_LEAD_MS = 5_000;

export interface OrphanDeps {
  readonly clock: Clock;
  /** The drain of the process; called again to shorten it. Not to be waited for before anything runs here. */
  drain(limits: DrainLimits): Promise<unknown>;
  exit(code: ExitCode): void;
}

/**
 * What a process does once its primary is gone: the usual drain, early enough that the process is gone by the deadline, then exit 93. It
 * ends at the deadline whatever hangs. The first TERM or INT shortens it to the abort lead, the next one to nothing.
 */
export class OrphanDrain {
  #abortLeadMs = 0;
  #hasBegun = false;
  #signals = 0;

  constructor(private readonly deps: OrphanDeps) {}

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  begin(deadlineMs: number): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const drainMs = Math.max(deadlineMs - GRACE_MS, deadlineMs / 2);
    this.#abortLeadMs = Math.min(ABORT_LEAD_MS, drainMs / 2);
    const { clock, exit } = this.deps;
    clock.setTimer(() => exit(ExitCode.orphaned), deadlineMs);
    const end = (): void => exit(ExitCode.orphaned);
    this.deps.drain({ drainMs, abortLeadMs: this.#abortLeadMs }).then(end, end);
  }

  /** While there is a primary, signals are its business. */
  onSignal(signal: NodeJS.Signals): void {
    if (!this.#hasBegun || (signal !== 'SIGTERM' && signal !== 'SIGINT')) return;
    const drainMs = this.#signals++ === 0 ? this.#abortLeadMs : 0;
    void this.deps.drain({ drainMs, abortLeadMs: this.#abortLeadMs });
  }
}
