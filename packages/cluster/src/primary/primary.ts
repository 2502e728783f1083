/**
 * The primary without its surroundings: desired and observed state, the loop between them, the supervisor of the processes, the use
 * cases. It runs no job and no user code, knows no transport, and never ends the program.
 *
 *     starting -> running <-> degraded -> draining -> (ended)          any but draining -> gave_up -> (ended)
 */
import type { Worker as ClusterWorker } from 'node:cluster';
import { type Clock, Deadline, deferred, type Logger } from '@drover/core/kit';
import type { ClusterConfig } from '../config/resolved.js';
import type { DrainReason } from '../link/index.js';
import { ControlFailure, type JobRef, type StopMode, type StopReport } from '../protocol/index.js';
import { DesiredState } from './desired-state.js';
import { EventHub } from './event-hub.js';
import { FactDesk } from './fact-desk.js';
import type { ProcessIdentity } from './fork-process.js';
import type { ProcessEnded } from './forked-process.js';
import { HeartbeatMonitor, silenceLimitMs } from './heartbeat-monitor.js';
import { ObservedState } from './observed-state.js';
import { OperationLog } from './operation-log.js';
import { Operations } from './operations.js';
import type { Plan, ReconcileLimits } from './plan-reconcile.js';
import { ProcessAdapter } from './process-adapter.js';
import { ProcessSupervisor } from './process-supervisor.js';
import { Reconciler } from './reconciler.js';
import { type DeadJobStore, RecoverJobs } from './recover-jobs.js';
import { Recycler } from './recycler.js';
import { Replacements } from './replacements.js';
import { countReply, type View } from './snapshot.js';
import type { Sizes } from './state-file.js';
import { StepTaker } from './step-taker.js';
import { processDrain, sharperMode, stopBudget } from './stop-budget.js';
import { StopTally } from './stop-tally.js';

export interface PrimaryDeps {
  readonly clock: Clock;
  readonly random: () => number;
  /** Unique ids, of operations and incarnations. */
  readonly makeId: () => string;
  readonly logger: Logger;
  readonly version: string;
  readonly fork: (identity: ProcessIdentity) => ClusterWorker;
  readonly store: DeadJobStore;
  /** Where commanded sizes outlive the primary; absent: nowhere. */
  readonly sizes?: { load(): Sizes; save(sizes: Sizes): void };
  /** Resident bytes of a process, where the system says. */
  readonly rssOf: (pid: number) => number | undefined;
  /** A line that a process wrote. */
  readonly output: (slot: number, stream: 'stdout' | 'stderr', line: string) => void;
}

/** How a primary ended. `gaveUp` names the first cause, if it did. */
export interface PrimaryEnd {
  readonly report: StopReport;
  readonly gaveUp?: string;
}

/** Processes that may boot at once: many boots starve each other. */
const FORK_BATCH = 2;
const WORKERS_PER_MESSAGE = 256;
/** Longest drain of a process beyond its hard limit of memory. */
const HARD_DRAIN_MS = 5_000;

/** Joins the parts and owns the state above; the parts own everything else. */
export class Primary {
  readonly operations: Operations;
  readonly #events: EventHub;
  readonly #desired: DesiredState;
  readonly #observed: ObservedState;
  readonly #adapter: ProcessAdapter;
  readonly #supervisor: ProcessSupervisor;
  readonly #reconciler: Reconciler;
  readonly #monitor: HeartbeatMonitor;
  readonly #recover: RecoverJobs;
  readonly #desk: FactDesk;
  readonly #log: OperationLog;
  readonly #replacements: Replacements;
  readonly #recycler: Recycler;
  /** Why processes drain that are not scaled down, by slot. */
  readonly #reasons = new Map<number, DrainReason>();
  readonly #ready = deferred();
  readonly #ended = deferred<PrimaryEnd>();
  readonly #tally = new StopTally();
  /** What is being found out about processes that ended without a word. */
  readonly #inquiries = new Set<Promise<void>>();
  #state: View['state'] = 'starting';
  /** Subscribers were told that it is degraded. */
  #wasDegraded = false;
  #mode: StopMode = 'drain';
  #gone = 0;

  constructor(
    private readonly config: ClusterConfig,
    private readonly deps: PrimaryDeps,
  ) {
    const { clock, logger } = deps;
    const groups = Object.values(config.groups);
    this.#events = new EventHub(() => clock.now(), logger);
    this.#desired = new DesiredState(groups, config);
    this.#observed = new ObservedState(clock);
    this.#recover = new RecoverJobs(groups, { store: deps.store, clock, logger, onPoison: (jobs, how) => this.#onPoison(jobs, how) });
    this.#desk = this.#makeDesk();
    const adapter = this.#makeAdapter();
    this.#adapter = adapter;
    this.#supervisor = this.#makeSupervisor(adapter);
    this.#monitor = new HeartbeatMonitor(silenceLimitMs(config.health), {
      clock,
      slots: () => this.#observed.slots(),
      kill: (slot, reason) => adapter.killHung(slot, reason),
      onSuspect: (slot, silentMs) => {
        logger.warn('a process gives no sign of life', { slot, silentMs: Math.round(silentMs) });
        this.#events.publish('process.suspect', { slot, silentMs: Math.round(silentMs) });
      },
    });
    const steps = new StepTaker(this.#desired, this.#observed, this.#supervisor, adapter);
    this.#log = new OperationLog(clock, deps.makeId, (status) => this.#events.publish('op', { ...status }));
    this.#replacements = this.#makeReplacements(steps);
    this.#recycler = this.#makeRecycler();
    this.#reconciler = this.#makeReconciler(steps);
    this.operations = this.#makeOperations();
  }

  /** Resolves when the first process is ready; never, if none gets there. */
  get whenReady(): Promise<void> {
    return this.#ready.promise;
  }

  /** Resolves when it has stopped or given up, and no process is left. */
  get ended(): Promise<PrimaryEnd> {
    return this.#ended.promise;
  }

  /** Takes the sizes of the configuration as desired and starts the loop. From now on it can be commanded. */
  start(): void {
    const remembered = this.deps.sizes?.load() ?? {};
    for (const { group, workers: configured, isSizeFixed, min } of Object.values(this.config.groups)) {
      const workers = isSizeFixed ? configured : Math.max(min, remembered[group] ?? configured);
      const { applied, reason } = this.#desired.grow(group, workers);
      if (applied < workers) this.deps.logger.warn('a group starts smaller than configured', { group, workers, applied, reason });
    }
    this.#monitor.start();
    this.#recycler.start();
    this.#reconciler.start();
  }

  /** Tells subscribers and keeps the first cause; what follows is the supervisor's: it drains the survivors. */
  #giveUp(reason: string): void {
    this.deps.logger.error('the primary gives up', { reason });
    if (this.#state !== 'draining') this.#state = 'gave_up';
    this.#reconciler.stop();
    this.operations.failAll(new ControlFailure('GAVE_UP', reason));
    this.#events.publish('primary.gave_up', { reason });
    void this.#conclude();
  }

  /** Drains all processes at once. Called again, it may sharpen the mode or bring the deadline closer. */
  #stop(mode: StopMode, drainMs: number | undefined): void {
    const isFirst = this.#state !== 'draining' && this.#state !== 'gave_up';
    this.#mode = sharperMode(this.#mode, mode);
    const budget = stopBudget(this.#mode, processDrain(Object.values(this.config.groups)), drainMs);
    this.deps.logger.info('the primary stops', { ...budget });
    if (isFirst) {
      this.#state = 'draining';
      this.#reconciler.stop();
      this.operations.failAll(new ControlFailure('DRAINING', 'the primary is stopping'));
      this.#events.publish('primary.draining', { ...budget });
    }
    const deadline = Deadline.in(budget.drainMs, this.deps.clock);
    void this.#supervisor.stop(deadline).finally(() => deadline.clear());
    if (isFirst) void this.#conclude();
    else void this.ended.then(({ report }) => this.operations.stopped(report)); // it may have ended before it was asked to
  }

  async #conclude(): Promise<void> {
    const end = await this.#supervisor.ended;
    this.#monitor.stop();
    this.#recycler.stop();
    await Promise.all(this.#inquiries);
    await this.#recover.finish();
    const report = this.#tally.report(end !== 'shutdown');
    this.operations.stopped(report);
    this.deps.logger.info('the primary has stopped', { ...report });
    this.#ended.resolve(end === 'shutdown' ? { report } : { report, gaveUp: end.gaveUp });
  }

  #onReady(): void {
    if (this.#state !== 'starting') return;
    this.#state = 'running';
    this.#events.publish('primary.ready', { name: this.config.name, pid: process.pid });
    this.#ready.resolve();
  }

  /** A process that did not say `drained` may have left jobs under its locks. */
  #onEnded({ incarnation, slot }: ProcessIdentity, { exit, report, hadBooted }: ProcessEnded): void {
    this.#reasons.delete(slot);
    const isStopping = this.#state === 'draining' || this.#state === 'gave_up';
    if (report) {
      if (isStopping) this.#tally.add(report);
    } else if (hadBooted) {
      const how = exit.class === 'abnormal' ? exit.reason : undefined;
      const inquiry = this.#recover.recover(incarnation, how).then((recovered) => {
        if (recovered) this.#observed.crashes.tellJobs(slot, exit, recovered);
        if (isStopping) this.#tally.addSilent(exit.jobs, recovered);
      });
      this.#inquiries.add(inquiry);
      void inquiry.finally(() => this.#inquiries.delete(inquiry));
    }
    if (isStopping) this.operations.stopProgress(++this.#gone);
  }

  /** Drains the process of a slot; its supervisor starts the next one, with the same workers. During a stop, and for one that drains, there is nothing to do. */
  #requestRecycle(slot: number, reason: string): void {
    if (this.#state !== 'running' || this.#observed.slot(slot)?.state !== 'ready') return;
    this.deps.logger.info('a process is recycled', { slot, reason });
    this.#adapter.recycle(slot);
  }

  #onPoison(jobs: readonly JobRef[], how: string): void {
    this.deps.logger.error('jobs will fail unrun: processes end with them in hand', { count: jobs.length, jobs: jobs.slice(0, 20), how });
    this.#events.publish('poison', { count: jobs.length, jobs: jobs.slice(0, 100), how });
  }

  #onPass(plan: Plan): void {
    this.operations.advance(plan);
    const parkedWorkers = this.#parkedWorkers();
    const isDegraded = parkedWorkers > 0 || this.#hasParkedSlot();
    if (isDegraded && !this.#wasDegraded) this.#events.publish('primary.degraded', { parkedWorkers });
    this.#wasDegraded = isDegraded;
  }

  #parkedWorkers(): number {
    return countReply({ desired: this.#desired, observed: this.#observed, unplaced: this.#reconciler.unplaced }).workers.parked;
  }

  #hasParkedSlot(): boolean {
    return this.#observed.slots().some((slot) => slot.state === 'parked');
  }

  #view(): View {
    return {
      name: this.config.name,
      state: this.#state,
      isDegraded: () => this.#hasParkedSlot() || this.#parkedWorkers() > 0,
      desired: this.#desired,
      observed: this.#observed,
      unplaced: this.#reconciler.unplaced,
      suspects: this.#monitor.suspects,
      restartsLeft: this.#supervisor.restartsLeft(),
      now: this.deps.clock.now(),
    };
  }

  #limits(): ReconcileLimits {
    const { workersPerProcess, processes } = this.config;
    return { workersPerProcess, ...processes, forkBatch: FORK_BATCH, workersPerMessage: WORKERS_PER_MESSAGE };
  }

  #makeDesk(): FactDesk {
    return new FactDesk({
      desired: this.#desired,
      observed: this.#observed,
      events: this.#events,
      logger: this.deps.logger,
      output: this.deps.output,
      wake: () => this.#reconciler.wake(),
      onReady: () => this.#onReady(),
      onEnded: (identity, end) => this.#onEnded(identity, end),
      requestRecycle: (slot, reason) => this.#requestRecycle(slot, reason),
      onSuspect: (slot, silentMs) => this.#monitor.report(slot, silentMs),
      onDrainProgress: (slot, left) => this.operations.stopProgress(this.#gone, `process ${slot}: ${left} jobs in hand`),
    });
  }

  #makeAdapter(): ProcessAdapter {
    const { clock, logger, makeId, fork } = this.deps;
    const groups = Object.values(this.config.groups);
    const { health } = this.config;
    const drain = processDrain(groups);
    return new ProcessAdapter({
      clock,
      logger,
      makeId,
      fork,
      listener: this.#desk,
      init: () => ({ groups, health, share: Math.max(1, this.#observed.slots().length) }),
      budget: (slot, asked) => {
        const own = this.#reasons.get(slot) ?? 'scale_down';
        const reasons = { draining: 'stop', gave_up: 'escalation', starting: own, running: own } as const;
        const drainMs = Number.isFinite(asked) ? asked : drain.deadlineMs;
        return { ...stopBudget(this.#mode, drain, drainMs), reason: reasons[this.#state] };
      },
    });
  }

  #makeSupervisor(adapter: ProcessAdapter): ProcessSupervisor {
    return new ProcessSupervisor(adapter, {
      clock: this.deps.clock,
      random: this.deps.random,
      restart: this.config.processRestart,
      supervision: this.config.supervision,
      onParked: (slot, reason) => this.#desk.parked(slot, reason),
      onGaveUp: (reason) => this.#giveUp(reason),
    });
  }

  #makeReconciler(steps: StepTaker): Reconciler {
    return new Reconciler(this.#desired, this.#observed, this.#limits(), {
      clock: this.deps.clock,
      logger: this.deps.logger,
      take: (action) => steps.take(action),
      holds: () => this.#replacements.holds(),
      heldUp: () => this.#supervisor.heldUp(),
      onPass: (plan) => this.#onPass(plan),
    });
  }

  #makeReplacements(steps: StepTaker): Replacements {
    const drain = processDrain(Object.values(this.config.groups));
    const drainOf = (mode: StopMode, drainMs?: number): number => stopBudget(mode, drain, drainMs).drainMs;
    return new Replacements({
      desired: this.#desired,
      observed: this.#observed,
      logger: this.deps.logger,
      log: this.#log,
      now: () => this.deps.clock.monotonic(),
      limitMs: 2 * this.config.health.bootTimeoutMs,
      wake: () => this.#reconciler.wake(),
      publish: (topic, data) => this.#events.publish(topic, data),
      heldUp: () => this.#supervisor.heldUp(),
      openTrial: (slot, generation) => {
        this.#observed.apply({ type: 'opened', slot, generation });
        this.#supervisor.open({ slot, generation }, true);
      },
      adopt: (slot) => this.#supervisor.adopt(slot),
      retire: (slot, reason) => {
        this.#reasons.set(slot, reason);
        this.#observed.apply({ type: 'retiring', slot });
        void steps.retire(slot, drainOf('drain')).then(() => this.#reconciler.wake());
      },
      restart: (slot, mode, drainMs, reason) => {
        this.#reasons.set(slot, reason);
        if (this.#observed.slot(slot)?.state === 'parked') this.#observed.apply({ type: 'pardoned', slot });
        this.#supervisor.restart({ slot, generation: this.#desired.generation }, drainOf(mode, drainMs));
      },
    });
  }

  #makeRecycler(): Recycler {
    const { clock, random, logger, rssOf } = this.deps;
    const { deadlineMs } = processDrain(Object.values(this.config.groups));
    return new Recycler(this.config.recycle, {
      clock,
      random,
      logger,
      rssOf,
      slots: () => this.#observed.slots(),
      trials: () => this.#replacements.holds().trials,
      isRunning: () => this.#state === 'running',
      isIdle: () => !this.#replacements.isBusy,
      replace: (slot, reason) => void this.#replacements.recycle(slot, reason),
      drain: (slot) => this.#adapter.recycle(slot, 'memory', Math.min(HARD_DRAIN_MS, deadlineMs)),
      publish: (data) => this.#events.publish('recycle', data),
    });
  }

  #makeOperations(): Operations {
    const { clock, version } = this.deps;
    return new Operations({
      clock,
      version,
      view: () => this.#view(),
      log: this.#log,
      replacements: this.#replacements,
      events: this.#events,
      wake: () => {
        this.deps.sizes?.save(Object.fromEntries(this.#desired.groups.map(({ group }) => [group, this.#desired.size(group)])));
        this.#reconciler.wake();
      },
      stop: (mode, drainMs) => this.#stop(mode, drainMs),
    });
  }
}
