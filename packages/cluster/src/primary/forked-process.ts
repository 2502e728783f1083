/**
 * One incarnation of a slot, from its fork to its end.
 *
 *     fork -> hello -> (init) -> ready and first heartbeat -> ... -> (drain) -> drained -> exit
 *
 * It is booting until `ready` and a heartbeat have come, and is killed if that takes longer than the boot limit. It has ended when the exit
 * was seen, its channel is closed and its output was read: what a process said last arrives after its exit.
 */
import type { Worker } from 'node:cluster';
import { type Clock, type Deferred, deferred, type Logger, messageOf, type Timer } from '@drover/core/kit';
import type { GroupConfig, HealthConfig } from '../config/resolved.js';
import { type DrainReason, IpcPort, type Fact as LinkFact, type LinkResult, type NewLinkRequest, PrimaryLink } from '../link/index.js';
import type { DrainReport, JobRef, LastExit } from '../protocol/index.js';
import type { ChildExit, ChildHandle, Shutdown } from '../supervisor/index.js';
import { classifyExit } from './classify-exit.js';
import { type ProcessIdentity, WATCHDOG_FD } from './fork-process.js';
import { guardChannel } from './guard-channel.js';
import { escapeLine, LineReader, Tail } from './process-output.js';
import type { StopBudget } from './stop-budget.js';
import { parseWatchdogReport } from './watchdog-report.js';

/** What a process is told when it boots. */
export interface ProcessInit {
  readonly groups: readonly GroupConfig[];
  readonly health: HealthConfig;
  readonly share: number;
}

/** How a process ended. */
export interface ProcessEnded {
  readonly exit: LastExit;
  /** What it said in `drained`, if it did. */
  readonly report: DrainReport | undefined;
  /** It was ready once; before that it holds no job. */
  readonly hadBooted: boolean;
}

export interface ProcessWatcher {
  booted(): void;
  draining(): void;
  fact(fact: LinkFact): void;
  /** Its watchdog says that its loop has been standing still. */
  suspected(silentMs: number): void;
  line(stream: 'stdout' | 'stderr', line: string): void;
  ended(end: ProcessEnded): void;
}

export interface ProcessDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly fork: (identity: ProcessIdentity) => Worker;
  /** Bytes on its channel that are no message would end the primary: this Node keeps the channel where we cannot guard it. */
  readonly onUnguarded: () => void;
  /** How a stop of that many ms is to be carried out. */
  readonly budget: (drainMs: number) => StopBudget & { readonly reason: DrainReason };
}

/** How long a process may overrun its drain before it is killed. */
export const KILL_AFTER_MS = 2_000;
/** How long the last messages and lines of a process that has exited may take to arrive. A process of its own may hold its output open. */
const LAST_WORDS_MS = 500;
const BOOT_KILLED = 'stopped while it booted';

export class ForkedProcess implements ChildHandle {
  readonly exited: Promise<ChildExit>;
  readonly #worker: Worker;
  readonly #link: PrimaryLink;
  readonly #booted = deferred();
  readonly #exited = deferred<ChildExit>();
  readonly #tail = new Tail();
  readonly #forkedAt: number;
  #bootTimer: Timer | undefined;
  #killTimer: Timer | undefined;
  #killAt = Number.POSITIVE_INFINITY;
  #saw = { ready: false, heartbeat: false };
  #hasEnded = false;
  #wasAsked = false;
  #isDraining = false;
  #isRecycled = false;
  #killedFor: string | undefined;
  /** Why it was killed for a hang, by its watchdog or by the primary. */
  #hungFor: string | undefined;
  #bootError: string | undefined;
  /** Why the supervisor of one of its groups gave up, the last time that one did. */
  #groupError: string | undefined;
  #report: DrainReport | undefined;
  #jobs: readonly JobRef[] = [];

  constructor(
    readonly identity: ProcessIdentity,
    private readonly init: ProcessInit,
    private readonly watcher: ProcessWatcher,
    private readonly deps: ProcessDeps,
  ) {
    this.exited = this.#exited.promise;
    this.#forkedAt = deps.clock.monotonic();
    this.#worker = deps.fork(identity);
    this.#worker.on('error', (error) => this.#onError(error));
    if (!guardChannel(this.#worker.process, (error) => this.kill(`wrote to its channel what is no message: ${error.message}`)))
      deps.onUnguarded();
    const port = new IpcPort(this.#worker);
    this.#link = new PrimaryLink(port, identity.incarnation, deps.clock, (fact) => this.#onFact(fact));
    const closed = deferred();
    port.onClose(() => closed.resolve());
    const outputEnded = [this.#read('stdout'), this.#read('stderr'), this.#listenToWatchdog()];
    this.#worker.process.once('exit', (code, signal) => void this.#onExit(code, signal, [closed.promise, ...outputEnded]));
    const { bootTimeoutMs } = init.health;
    this.#bootTimer = deps.clock.setTimer(() => this.kill(`was not ready within ${bootTimeoutMs} ms`), bootTimeoutMs);
  }

  get pid(): number {
    return this.#worker.process.pid ?? 0;
  }

  /** Resolves when it is ready; rejects when it ended before. @param unwanted ends the boot: it has nothing in hand. */
  async boot(unwanted: AbortSignal): Promise<void> {
    const abandon = (): void => {
      this.#wasAsked = true;
      this.kill(BOOT_KILLED);
    };
    unwanted.addEventListener('abort', abandon, { once: true });
    if (unwanted.aborted) abandon();
    try {
      await this.#booted.promise;
    } finally {
      unwanted.removeEventListener('abort', abandon);
    }
  }

  request(request: NewLinkRequest, deadlineMs: number): Promise<LinkResult> {
    return this.#link.request(request, deadlineMs);
  }

  /** Asks it to drain within `shutdown` ms and kills it when that has been overrun; asked again, the shorter time counts. */
  async stop(shutdown: Shutdown): Promise<void> {
    if (shutdown === 'brutal_kill') {
      this.#wasAsked = true;
      this.kill('was to be killed');
    } else {
      this.#drain(shutdown, undefined);
    }
    await this.exited;
  }

  /** Asks it to drain and exit with 90: a planned end, after which its supervisor starts another one. A stop that comes meanwhile counts more. @param drainMs Infinity: as configured. */
  recycle(reason: 'recycle' | 'memory', drainMs: number): void {
    if (this.#wasAsked || this.#isRecycled) return;
    this.#isRecycled = true;
    this.#drain(drainMs, reason);
  }

  /** @param reason for the log of exits, unless it was asked to end. */
  kill(reason: string): void {
    if (this.#hasEnded) return;
    this.#killedFor ??= reason;
    this.#worker.process.kill('SIGKILL');
  }

  /** Ends one that gives no sign of life. */
  killHung(reason: string): void {
    if (this.#hasEnded) return;
    this.#hungFor ??= reason;
    this.kill(reason);
  }

  #drain(shutdown: number, why: DrainReason | undefined): void {
    const { mode, drainMs, abortLeadMs, reason: usual } = this.deps.budget(shutdown);
    const reason = why ?? usual;
    const killAt = this.deps.clock.monotonic() + drainMs + KILL_AFTER_MS;
    if (why === undefined) this.#wasAsked = true;
    if (this.#hasEnded || killAt >= this.#killAt) return;
    this.#killAt = killAt;
    this.#killTimer?.cancel();
    this.#killTimer = this.deps.clock.setTimer(() => this.kill(`overran its drain of ${drainMs} ms`), drainMs + KILL_AFTER_MS);
    if (!this.#isDraining) this.watcher.draining();
    this.#isDraining = true;
    this.#link.request({ type: 'drain', mode, drainMs, abortLeadMs, reason }, drainMs + KILL_AFTER_MS).catch((error: unknown) => {
      this.deps.logger.debug('a process did not answer its drain', { ...this.identity, error: messageOf(error) }); // the kill timer runs
    });
  }

  #onFact(fact: LinkFact): void {
    switch (fact.type) {
      case 'hello':
        this.#init();
        break;
      case 'ready':
        this.#onBootStep('ready');
        break;
      case 'heartbeat':
        this.watcher.fact(fact);
        this.#onBootStep('heartbeat');
        return;
      case 'boot_failed':
        this.#bootError = fact.error;
        break;
      case 'group_failed':
        this.#groupError = `group ${fact.group}: ${fact.error}`;
        break;
      case 'drain_progress':
        this.#jobs = fact.jobs;
        break;
      case 'drained':
        this.#report = fact.report;
        this.#jobs = [];
        break;
    }
    this.watcher.fact(fact);
  }

  /** A process that could not be made has no pid and no exit; any other error is of a send to one that is about to be seen to exit. */
  #onError(error: Error): void {
    this.deps.logger.debug('a process handle raised an error', { ...this.identity, error });
    if (this.#worker.process.pid !== undefined) return;
    this.#bootError ??= `could not be forked: ${error.message}`;
    void this.#onExit(null, null, []);
  }

  #init(): void {
    const { slot, generation } = this.identity;
    const { groups, health, share } = this.init;
    this.#link.init({ slot, generation, groups: [...groups], health, share }).catch((error: unknown) => {
      this.deps.logger.debug('a process ended before its init', { ...this.identity, error: messageOf(error) }); // its exit is seen
    });
  }

  #onBootStep(step: 'ready' | 'heartbeat'): void {
    if (this.#saw.ready && this.#saw.heartbeat) return;
    this.#saw[step] = true;
    if (!this.#saw.ready || !this.#saw.heartbeat || this.#hasEnded) return;
    this.#bootTimer?.cancel();
    this.watcher.booted();
    this.#booted.resolve();
  }

  #read(stream: 'stdout' | 'stderr'): Promise<void> {
    const source = this.#worker.process[stream];
    if (!source) return Promise.resolve();
    const reader = new LineReader((line) => this.watcher.line(stream, line));
    source.on('data', (chunk: Buffer) => {
      if (stream === 'stderr') this.#tail.push(chunk);
      reader.push(chunk);
    });
    const ended: Deferred<void> = deferred();
    source.once('close', () => {
      reader.end();
      ended.resolve();
    });
    return ended.promise;
  }

  /** Its lines come by a pipe of its own: the channel is blocked together with the loop. */
  #listenToWatchdog(): Promise<void> {
    const source = this.#worker.process.stdio?.[WATCHDOG_FD];
    if (!source) return Promise.resolve();
    const reader = new LineReader((line) => {
      const report = parseWatchdogReport(line);
      if (report?.inc !== this.identity.incarnation) return; // user code can write there, too
      if (report.type === 'suspect') this.watcher.suspected(report.silentMs);
      else this.#hungFor ??= report.reason;
    });
    source.on('data', (chunk: Buffer) => reader.push(chunk));
    source.on('error', (error) => this.deps.logger.debug('the pipe of a watchdog broke', { ...this.identity, error: messageOf(error) }));
    const ended = deferred();
    source.once('close', () => ended.resolve());
    return ended.promise;
  }

  async #onExit(code: number | null, signal: NodeJS.Signals | null, lastWords: readonly Promise<void>[]): Promise<void> {
    const late = deferred();
    const timer = this.deps.clock.setTimer(() => late.resolve(), LAST_WORDS_MS);
    await Promise.race([Promise.all(lastWords), late.promise]);
    for (const pending of [timer, this.#bootTimer, this.#killTimer]) pending?.cancel();
    this.#hasEnded = true;
    this.#conclude(code, signal);
  }

  #conclude(code: number | null, signal: NodeJS.Signals | null): void {
    const wasAsked = this.#wasAsked;
    const saidDrained = this.#report !== undefined;
    const hadBooted = this.#saw.ready && this.#saw.heartbeat;
    const why = { killedFor: this.#killedFor, hungFor: this.#hungFor, bootError: this.#bootError, groupError: this.#groupError };
    const stderrTail = this.#tail.text().split('\n').map(escapeLine).join('\n'); // shown on terminals
    const end = classifyExit({ code, signal, wasAsked, isRecycled: this.#isRecycled, saidDrained, hadBooted, ...why, stderrTail });
    const exit: LastExit = {
      at: this.deps.clock.now(),
      code,
      signal,
      ...end,
      uptimeMs: Math.round(this.deps.clock.monotonic() - this.#forkedAt),
      jobs: [...this.#jobs],
      stderrTail,
    };
    this.watcher.ended({ exit, report: this.#report, hadBooted });
    const error = new Error(end.reason);
    this.#booted.promise.catch(() => undefined); // whoever boots it has this error; after the boot nobody waits
    this.#booted.reject(error);
    this.#exited.resolve(end.class === 'abnormal' ? { kind: 'abnormal', error } : { kind: end.class });
  }
}
