/**
 * A process as the primary sees it, from its side of the link:
 *
 *     starting -init-> booting -> ready -> draining -> exit        a drain, or the loss of the primary, may come at any time
 *
 * Requests are carried out by the tree, facts are told as they happen, and every exit goes through here.
 */
import { type Clock, Deadline, type Logger, type LogLevel, messageOf } from '@drover/core/kit';
import type { GroupConfig, HealthConfig } from '../config/resolved.js';
import { ExitCode } from '../errors/errors.js';
import { type HostHandlers, HostLink, type Init, type LinkRequest, type LinkResult, type NewFact, type Port } from '../link/index.js';
import { ControlFailure, type DrainReport, type JobRef } from '../protocol/index.js';
import { type DrainLimits, drainLimits, ProcessDrain } from './drain.js';
import { cutReport, emptyReport, REPORTED_JOBS } from './drain-report.js';
import { hostLogger } from './host-logger.js';
import type { HostStats } from './host-stats.js';
import { HostTree, type LoadedGroup } from './host-tree.js';
import type { HostedEngine, HostedRuntime } from './hosted-worker.js';
import type { LoadedModule } from './load-module.js';
import { OrphanDrain } from './orphan-drain.js';
import type { HostWatchdog } from './watchdog.js';
import { WorkerChanges } from './worker-changes.js';

export interface HostDeps<Runtime extends HostedRuntime> {
  readonly port: Port;
  readonly incarnation: string;
  readonly version: string;
  readonly engine: HostedEngine<Runtime>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Loads what the workers of a group run. */
  readonly load: (group: GroupConfig) => Promise<LoadedModule>;
  readonly stats: Pick<HostStats, 'start' | 'heartbeat'>;
  /** Kills the process when its loop stands still. */
  readonly watchdog: HostWatchdog;
  readonly writeError: (text: string) => void;
  readonly exit: (code: ExitCode) => void;
}

type Request<T extends LinkRequest['type']> = Extract<LinkRequest, { type: T }>;
type Handlers = { readonly [T in LinkRequest['type']]: (request: Request<T>) => LinkResult };
const NOTHING: LinkResult = Object.freeze({});

/** What the runtimes may take to close after the last job. */
const CLOSE_MS = 500;

export class Host<Runtime extends HostedRuntime> implements HostHandlers {
  readonly #link: HostLink;
  readonly #logger: Logger;
  readonly #changes: WorkerChanges;
  readonly #orphan: OrphanDrain;
  readonly #bootedAt: number;
  #state: 'starting' | 'booting' | 'ready' | 'draining' = 'starting';
  #health: HealthConfig | undefined;
  #tree: HostTree<Runtime> | undefined;
  #drain: ProcessDrain | undefined;
  #isHeartbeatUnsent = false;

  readonly #handlers: Handlers = {
    start_workers: ({ group, workers }) => {
      this.#ready().startWorkers(group, workers);
      return NOTHING;
    },
    stop_workers: ({ workers, drainMs, abortLeadMs, onTimeout }) => {
      const ended = this.#ready().stopWorkers(workers, drainMs, { abortLeadMs, onDeadline: 'linger' });
      if (onTimeout === 'replace')
        void ended.then((hasLingering) => hasLingering && this.#tell({ type: 'recycle_me', reason: 'stuck_job' }));
      return NOTHING;
    },
    set_share: ({ share }) => {
      this.#ready().setShare(share);
      return NOTHING;
    },
    drain: (request) => this.#onDrain(request),
  };

  constructor(private readonly deps: HostDeps<Runtime>) {
    this.#bootedAt = deps.clock.monotonic();
    this.#link = new HostLink(deps.port, deps.incarnation, this);
    this.#logger = hostLogger((level, line) => this.#log(level, line), deps.writeError);
    this.#changes = new WorkerChanges(deps.clock, (changes) => this.#tell({ type: 'worker_state', changes }));
    this.#orphan = new OrphanDrain({ clock: deps.clock, drain: (limits) => this.#end(limits), exit: deps.exit });
  }

  start(): void {
    this.#tell({ type: 'hello', pid: process.pid, node: process.version, version: this.deps.version, protocol: 1 });
    this.#link.onClose(() => this.#orphan.begin(this.#health?.orphanDeadlineMs ?? 0));
  }

  /** Signals are noted and left to the primary, as long as there is one. */
  onSignal(signal: NodeJS.Signals): void {
    this.#orphan.onSignal(signal);
  }

  init(init: Init): void {
    if (this.#state !== 'starting') return;
    this.#state = 'booting';
    this.#health = init.health;
    this.deps.watchdog.start(init.health);
    void this.#boot(init);
  }

  /** Requests are answered as soon as they are understood; what comes of them is told as facts. */
  async request(request: LinkRequest): Promise<LinkResult> {
    const handle = this.#handlers[request.type] as (request: LinkRequest) => LinkResult;
    return handle(request);
  }

  async #boot(init: Init): Promise<void> {
    try {
      const loaded = await Promise.all(init.groups.map(async (config) => ({ config, module: await this.deps.load(config) })));
      this.#tree = this.#makeTree(loaded);
      await this.#tree.start(init.share);
    } catch (error) {
      if (this.#state === 'booting') await this.#bootFailed(error);
      return;
    }
    if (this.#state !== 'booting') return; // drained, or orphaned, while it booted
    this.#state = 'ready';
    this.deps.stats.start();
    this.deps.watchdog.arm();
    this.#beat(init.health.heartbeatMs);
    this.#tell({ type: 'ready', bootMs: this.deps.clock.monotonic() - this.#bootedAt });
  }

  #makeTree(loaded: readonly LoadedGroup[]): HostTree<Runtime> {
    return new HostTree(loaded, {
      ...this.deps,
      logger: this.#logger,
      changed: (change) => this.#changes.note(change),
      groupFailed: (group, restarts, error) => this.#tell({ type: 'group_failed', group, restarts, error }),
      gaveUp: (reason) => void this.#escalate(reason, loaded),
    });
  }

  async #bootFailed(thrown: unknown): Promise<void> {
    const error = messageOf(thrown);
    this.deps.writeError(`${thrown instanceof Error ? thrown.stack : error}\n`);
    await this.#sent({ type: 'boot_failed', error });
    this.#exit(ExitCode.bootFailure);
  }

  #ready(): HostTree<Runtime> {
    if (this.#state === 'ready' && this.#tree) return this.#tree;
    if (this.#state === 'draining') throw new ControlFailure('DRAINING', 'the process drains');
    throw new ControlFailure('BUSY', 'the process has not booted yet');
  }

  /** The answer names the jobs in hand; it is on its way before the drain begins. */
  #onDrain(request: Request<'drain'>): LinkResult {
    this.#state = 'draining'; // nothing is started from now on
    const hand = this.#tree?.hand() ?? [];
    this.deps.clock.setTimer(() => void this.#drainAndExit(drainLimits(request.mode, request), exitCodeOf(request.reason)), 0);
    return { left: hand.length, jobs: hand.slice(0, REPORTED_JOBS) };
  }

  async #drainAndExit(limits: DrainLimits, code?: ExitCode): Promise<void> {
    const isFirst = !this.#drain;
    const report = await this.#end(limits);
    if (!isFirst) return; // whoever began it reports
    this.#changes.flush();
    this.#logJobs('given back', report.returned);
    this.#logJobs('lost', report.lost);
    await this.#sent({ type: 'drained', report: cutReport(report) });
    const isLate = report.returned.length + report.lost.length > 0;
    this.#exit(code ?? (isLate ? ExitCode.drainDeadline : ExitCode.ok));
  }

  /** Ends everything that runs here; called again, it may shorten what is under way. */
  async #end(limits: DrainLimits): Promise<DrainReport> {
    this.#state = 'draining';
    if (!this.#tree) return emptyReport();
    const target = this.#tree;
    this.#drain ??= new ProcessDrain(target, this.deps.clock, (jobs) => this.#progress(jobs));
    const report = await this.#drain.run(limits);
    const deadline = Deadline.in(CLOSE_MS, this.deps.clock);
    await target.stop(deadline);
    deadline.clear();
    return report;
  }

  /** The root gave up: the other groups drain, each within its own limits, and the process ends. While it boots, that is a boot failure. */
  async #escalate(reason: string, loaded: readonly LoadedGroup[]): Promise<void> {
    if (this.#state !== 'ready') return;
    this.deps.writeError(`the root supervisor gave up: ${reason}\n`);
    const longest = (of: (drain: LoadedGroup['config']['drain']) => number): number =>
      Math.max(0, ...loaded.map(({ config }) => of(config.drain)));
    const limits = { drainMs: longest((drain) => drain.deadlineMs), abortLeadMs: longest((drain) => drain.abortLeadMs) };
    await this.#drainAndExit(limits, ExitCode.rootGaveUp);
  }

  #progress(jobs: readonly JobRef[]): void {
    this.#tell({ type: 'drain_progress', left: jobs.length, jobs: jobs.slice(0, REPORTED_JOBS) });
  }

  /** One heartbeat under way at a time: a primary that cannot keep up gets fewer of them. */
  #beat(everyMs: number): void {
    this.deps.clock.setTimer(() => this.#beat(everyMs), everyMs);
    const tree = this.#tree as HostTree<Runtime>;
    for (const worker of tree.settled()) this.#changes.note({ worker, state: 'gone', jobsInHand: 0, restarts: 0 });
    if (this.#isHeartbeatUnsent) return;
    this.#isHeartbeatUnsent = true;
    void this.#sent(this.deps.stats.heartbeat(tree.hands.byWorker(), tree.ended)).then(() => {
      this.#isHeartbeatUnsent = false;
    });
  }

  #logJobs(what: string, jobs: readonly JobRef[]): void {
    for (let from = 0; from < jobs.length; from += REPORTED_JOBS) {
      const some = jobs.slice(from, from + REPORTED_JOBS).map(({ queue, jobId }) => `${queue}/${jobId}`);
      this.#logger.warn(`jobs ${what}`, { count: jobs.length, jobs: some });
    }
  }

  #log(level: LogLevel, line: string): boolean {
    if (!this.#link.isOpen) return false;
    this.#tell({ type: 'log', level, line });
    return true;
  }

  #tell(fact: NewFact): void {
    void this.#sent(fact);
  }

  /** Resolves when the fact was handed over, or cannot be: without a primary there is nobody to tell, and `onClose` has told us. */
  async #sent(fact: NewFact): Promise<void> {
    try {
      await this.#link.tell(fact);
    } catch (error) {
      if (this.#link.isOpen) this.deps.writeError(`${fact.type} could not be told: ${messageOf(error)}\n`);
    }
  }

  #exit(code: ExitCode): void {
    this.deps.exit(this.#orphan.hasBegun ? ExitCode.orphaned : code);
  }
}

/** A process that makes room for another one says so by its code, whatever became of its jobs. */
function exitCodeOf(reason: Request<'drain'>['reason']): ExitCode | undefined {
  return reason === 'recycle' || reason === 'memory' ? ExitCode.recycled : undefined;
}
