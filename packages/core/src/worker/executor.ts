import { controlFlowOf, errorFromStatus, LockLostError, UnrecoverableError } from '../errors/index.js';
import {
  commandOf,
  decideOutcome,
  type Job,
  type JobCommands,
  type JobProgress,
  type Outcome,
  type OutcomeRules,
  type RunEnd,
  refusalToRun,
} from '../job/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import { toError } from '../kit/index.js';
import type { Consumer, HeldJob, Upkeep } from '../runtime/consumer.js';
import type { JobInHand, Runtime } from '../runtime/runtime.js';
import type { FetchProfile } from '../store/index.js';
import { failureRules } from './failure-rules.js';
import { Hand } from './hand.js';
import { maySeeSignal } from './may-see-signal.js';
import { Places } from './places.js';
import { type AbortCause, Run, RunningJob } from './run.js';
import { addNextIteration } from './schedules.js';
import type { ResolvedWorkerOptions } from './worker-options.js';
import type { WorkerSpans } from './worker-spans.js';

/** What runs a job. The signal is aborted when the job is cancelled, its lock is lost, or its worker has to stop soon. */
export type ProcessorFunction<Data, Result, Name extends string> = (
  job: Job<Data, Result, Name>,
  token: string,
  signal: AbortSignal,
) => Promise<Result> | Result;

/** Who hears what happens to the jobs of an executor. */
export interface RunListener {
  active(job: Job): void;
  completed(job: Job, result: unknown): void;
  failed(job: Job, error: Error): void;
  progress(job: Job, progress: JobProgress): void;
  /** A job went back to wait without having failed. */
  returned(run: Run): void;
  lockLost(run: Run): void;
  locksRenewed(jobIds: readonly string[]): void;
  drained(): void;
  stalled(jobIds: readonly string[]): void;
  problem(error: Error): void;
}

/** Who knows how often jobs went back; see `ConsumerStore`. */
export interface ReturnCounts {
  returnsOf(queue: QueueRef, jobs: readonly { readonly id: string; readonly timestamp: number }[]): Promise<readonly number[]>;
}

/** Counts what becomes of the jobs in hand from some moment on; see `drain.ts`. */
export interface RunTally {
  finished(run: Run): void;
  returned(run: Run): void;
  lost(run: Run): void;
}

/**
 * Owns the jobs in hand of one worker: the running processor calls, their abort controllers and the places they occupy. It outlives its
 * worker: as long as a processor runs, its lock is renewed and its outcome goes to the runtime.
 *
 * A run is over when its processor has settled *and* its job is not held any more. Its place is free as soon as the processor settles.
 */
export class Executor implements Consumer {
  readonly profile: FetchProfile;
  readonly upkeep: Upkeep;
  readonly places: Places;
  readonly #hand = new Hand();
  readonly #rules: OutcomeRules;
  readonly #makesSignals: boolean;
  #isOpen = false;
  #refusesSchedules = false;
  #tally: RunTally | undefined;

  constructor(
    private readonly runtime: Pick<Runtime, 'settle' | 'release' | 'placesChanged' | 'fail' | 'clock'>,
    readonly queue: QueueRef,
    private readonly options: ResolvedWorkerOptions,
    private readonly commands: JobCommands,
    private readonly processor: ProcessorFunction<unknown, unknown, string>,
    private readonly listener: RunListener,
    private readonly counts: ReturnCounts,
    private readonly spans?: WorkerSpans,
  ) {
    this.profile = options.profile;
    this.upkeep = options.upkeep;
    this.places = new Places(options.concurrency);
    this.#makesSignals = maySeeSignal(processor);
    const { removeOnComplete, removeOnFail, maxStartedAttempts } = options;
    this.#rules = { random: 0, removeOnComplete, removeOnFail, maxStartedAttempts };
  }

  /** Whether it takes jobs. */
  set isOpen(isOpen: boolean) {
    if (this.#isOpen === isOpen) return;
    this.#isOpen = isOpen;
    this.runtime.placesChanged(this);
  }

  set concurrency(concurrency: number) {
    this.places.limit = concurrency;
    this.runtime.placesChanged(this);
  }

  free(): number {
    return this.#isOpen && !this.#refusesSchedules ? this.places.free : 0;
  }

  deliver(jobs: readonly HeldJob[]): void {
    for (const held of jobs) {
      const run = new Run(held, new RunningJob(held, this.queue, this.commands, this.#onProgress));
      this.#hand.add(run);
      this.places.take(1);
      void this.#execute(run);
    }
  }

  committed(held: HeldJob, code: number): void {
    const run = this.#hand.get(held);
    if (!run) return;
    if (code === 0) this.#tell(run, held.outcome);
    else {
      this.#tally?.lost(run);
      const error = errorFromStatus(code, { jobId: held.jobId, command: commandOf(held.outcome) });
      run.trace?.lost(error);
      this.listener.problem(error);
    }
    this.#hand.letGo(run);
  }

  refused(held: HeldJob, code: number): void {
    const run = this.#hand.get(held);
    if (!run) return;
    if (code > 0) {
      this.#settle(run, { kind: 'wait' });
      return;
    }
    const refusal = errorFromStatus(code, { jobId: held.jobId, command: commandOf(held.outcome) });
    run.trace?.refused(refusal);
    this.#end(run, { threw: refusal }).catch((error) => this.runtime.fail(error));
  }

  lost(held: HeldJob): void {
    const run = this.#hand.get(held);
    if (!run) return;
    this.#tally?.lost(run);
    run.abort('lock-lost', new LockLostError(held.jobId, this.queue.name));
    run.trace?.lost(run.signal.reason);
    this.listener.lockLost(run);
    this.#hand.letGo(run);
  }

  renewed(jobIds: readonly string[], startedAt: number): void {
    this.spans?.renewed(jobIds, startedAt);
    this.listener.locksRenewed(jobIds);
  }

  drained(): void {
    this.listener.drained();
  }

  stalled(jobIds: readonly string[]): void {
    this.listener.stalled(jobIds);
  }

  checked(stalled: readonly string[], startedAt: number): void {
    this.spans?.checked(stalled, startedAt);
  }

  problem(error: Error): void {
    this.listener.problem(error);
  }

  /** Runs whose processors have not settled. */
  running(): Iterable<Run> {
    return this.#hand.running();
  }

  hand(): JobInHand[] {
    return this.#hand.jobs();
  }

  /** Aborts the signal of one job. @returns whether it runs here. */
  cancel(jobId: string, reason: unknown): boolean {
    for (const run of this.running()) {
      if (run.held.jobId !== jobId) continue;
      run.abort('cancel', reason);
      return true;
    }
    return false;
  }

  abortAll(cause: AbortCause, reason?: unknown): void {
    for (const run of [...this.running()]) run.abort(cause, reason);
  }

  /**
   * Finds the running jobs that went back as often as they may, so that they do not go back once more. When Redis does not tell in
   * time, none is found: one return too many is better than a drain that waits. Undefined: there is nothing to find.
   */
  findExhausted(): Promise<void> | undefined {
    const { returns } = this.options;
    const runs = [...this.running()].filter((run) => run.held.phase === 'running' && run.instead === undefined);
    return returns && runs.length > 0 ? this.#findExhausted(runs, returns) : undefined;
  }

  async #findExhausted(runs: readonly Run[], returns: NonNullable<ResolvedWorkerOptions['returns']>): Promise<void> {
    try {
      const counts = await this.counts.returnsOf(
        this.queue,
        runs.map(({ held }) => held.record),
      );
      for (const [at, run] of runs.entries()) if ((counts[at] ?? 0) >= returns.max) run.instead = returns.instead;
    } catch (error) {
      this.listener.problem(toError(error));
    }
  }

  /** Ends the hold on every unfinished job without waiting for its processor; what that still answers is dropped. */
  returnAll(): void {
    for (const run of [...this.running()].filter(({ held }) => held.phase === 'running')) {
      if (run.instead === 'stall') this.#leaveLocked(run);
      else this.runtime.settle(run.held, this.#outOfTime(run), this.runtime.clock.now());
    }
  }

  /** What is stored for a job that a drain leaves no time. */
  #outOfTime(run: Run): Outcome {
    const { returns } = this.options;
    if (run.instead === undefined || !returns) return { kind: 'wait', isCounted: returns !== undefined };
    const reason = `the job went back to wait ${returns.max} times because its worker stopped before it had ended`;
    return decideOutcome(run.held.record, { threw: new UnrecoverableError(reason) }, this.#rules) as Outcome;
  }

  /** The job stays active until its lock runs out; then the stalled check takes it back, and counts that. */
  #leaveLocked(run: Run): void {
    this.runtime.release(run.held);
    this.#tally?.lost(run);
    this.#hand.letGo(run);
    this.runtime.placesChanged(this);
  }

  count(tally: RunTally): void {
    this.#tally = tally;
  }

  /** Runs whose job this process still holds. */
  held(): Iterable<Run> {
    return this.#hand.held();
  }

  /** Resolves when no processor runs and no outcome is open. */
  whenEmpty(): Promise<void> {
    return this.#hand.whenEmpty();
  }

  /** Resolves when no job is held, even if processors of lost or returned ones still run. */
  whenNoneHeld(): Promise<void> {
    return this.#hand.whenNoneHeld();
  }

  readonly #onProgress = (job: Job, progress: JobProgress): void => this.listener.progress(job, progress);

  /** Never rejects: what a processor throws is an outcome, anything else is a bug of ours. */
  async #execute(run: Run): Promise<void> {
    const { held } = run;
    try {
      if (!held.schedule || (await this.#follow(run))) await this.#end(run, await this.#call(run));
    } catch (error) {
      this.runtime.fail(error);
    }
  }

  async #call(run: Run): Promise<RunEnd> {
    const { held, job } = run;
    const trace = this.spans?.begin(job.record);
    run.trace = trace;
    const refusal = held.undecodable ?? refusalToRun(held.record, this.options.maxStartedAttempts);
    if (refusal !== undefined) return { threw: new UnrecoverableError(refusal) };
    this.listener.active(job);
    try {
      const signal = this.#makesSignals ? run.signal : undefined;
      const call = this.processor;
      const { token } = held;
      return {
        returned: await (trace ? trace.run(() => call(job, token, signal as AbortSignal)) : call(job, token, signal as AbortSignal)),
      };
    } catch (error) {
      return { threw: error };
    }
  }

  /** The processor has settled: its place is free, and what it said goes to Redis unless the job is not ours any more. */
  async #end(run: Run, end: RunEnd): Promise<void> {
    const { held } = run;
    const isOutOfTime = 'threw' in end && run.abortCause === 'drain' && !hasMoved(end.threw); // never a failed attempt
    const isLeft = isOutOfTime && run.instead === 'stall' && held.phase === 'running';
    const outcome = held.phase === 'running' && !isLeft ? await this.#outcomeOf(run, end, isOutOfTime) : undefined;
    if (!run.end) this.places.give();
    run.end = end;
    if (isLeft && held.phase === 'running') this.#leaveLocked(run);
    else if (outcome) this.#settle(run, outcome);
    else if (held.phase === 'running') {
      this.runtime.release(held); // the processor has moved the job itself
      run.trace?.moved();
      this.#tally?.finished(run);
      this.#hand.letGo(run);
      this.runtime.placesChanged(this); // no turn carries news of this place
    } else if (held.phase === 'over') {
      this.#hand.forget(run);
      this.runtime.placesChanged(this);
    }
  }

  async #outcomeOf(run: Run, end: RunEnd, isOutOfTime: boolean): Promise<Outcome | undefined> {
    const { held, job } = run;
    if (isOutOfTime) return this.#outOfTime(run);
    const threw = 'threw' in end;
    const rules = threw ? await failureRules(job, end.threw, this.options, (error) => this.listener.problem(error)) : this.#rules;
    return decideOutcome(held.record, end, rules);
  }

  #settle(run: Run, outcome: Outcome): void {
    run.trace?.settling(outcome);
    this.runtime.settle(run.held, outcome, this.runtime.clock.now());
  }

  #tell(run: Run, outcome: Outcome): void {
    const { job, end } = run;
    run.trace?.committed(outcome, end);
    if (outcome.kind === 'wait' || outcome.kind === 'wait-children') {
      this.#tally?.returned(run);
      this.listener.returned(run);
      return;
    }
    this.#tally?.finished(run);
    if (outcome.kind === 'complete' && end && 'returned' in end) this.listener.completed(job, end.returned);
    else this.listener.failed(job, toError(end && 'threw' in end && run.instead === undefined ? end.threw : new Error(reasonOf(outcome))));
  }

  /** Sees to the schedule that the job belongs to. @returns whether the job may run; if not, it goes back to wait. */
  async #follow(run: Run): Promise<boolean> {
    const { record, schedule } = run.held;
    if (schedule === 'legacy') {
      this.#refuseSchedule(run);
      return false;
    }
    const result = await addNextIteration(record, this.commands, this.options.repeatStrategy, this.spans?.iteration);
    if (result.mayRun && result.problem) this.listener.problem(result.problem);
    if (result.mayRun && run.held.phase === 'running') return true;
    this.#giveBack(run);
    return false;
  }

  /** Back to wait without a run, unless the job was lost or given back already. */
  #giveBack(run: Run): void {
    this.places.give();
    run.end = { returned: undefined };
    this.#settle(run, { kind: 'wait' });
    if (run.held.phase !== 'over') return;
    this.#hand.forget(run);
    this.runtime.placesChanged(this);
  }

  /**
   * Repeatable jobs of version 5 end when an engine that does not make their successors runs one: such a job is left for others, and as it
   * is the next of its queue, so are the rest.
   */
  #refuseSchedule(run: Run): void {
    this.#giveBack(run);
    if (this.#refusesSchedules) return;
    this.#refusesSchedules = true;
    const { record } = run.held;
    this.listener.problem(
      new Error(
        `queue ${this.queue.name}: job ${record.id} belongs to the repeatable job ${record.repeatJobKey} of BullMQ 5 or before, which only ` +
          'such clients can run. It went back to wait and this worker takes no more jobs of the queue. Remove it, or make it a job scheduler.',
      ),
    );
  }
}

function hasMoved(error: unknown): boolean {
  const flow = controlFlowOf(error);
  return flow === 'DelayedError' || flow === 'WaitingError' || flow === 'WaitingChildrenError';
}

function reasonOf(outcome: Outcome): string {
  return 'reason' in outcome && outcome.reason !== undefined ? outcome.reason : outcome.kind;
}
