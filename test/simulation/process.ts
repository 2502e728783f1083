import type { Worker as ClusterWorker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { type Clock, deferred } from '@drover/core/kit';
import { Host } from '../../packages/cluster/dist/host/host.js';
import type { HeartbeatFact } from '../../packages/cluster/dist/host/host-stats.js';
import type { LoadedModule } from '../../packages/cluster/dist/host/load-module.js';
import type { ProcessIdentity } from '../../packages/cluster/dist/primary/fork-process.js';
import type { Behaviour, BootFate } from './behaviour.js';
import { SimChannel } from './channel.js';
import { ProgramClock, type SimClock } from './clock.js';
import { SimEngine, type SimRuntime } from './engine.js';
import type { Random } from './random.js';
import { SimWatchdog } from './watchdog.js';

export interface ProcessDeps {
  readonly clock: SimClock;
  readonly random: Random;
  readonly behaviour: Behaviour;
  readonly primary: ProgramClock;
  readonly trace: (line: string) => void;
}

/** One fork: the real `Host` over a simulated channel, engine and event loop. */
export class SimProcess {
  readonly clock: ProgramClock;
  readonly channel: SimChannel;
  readonly engine: SimEngine;
  isAlive = true;
  isFrozen = false;
  /** Since when its loop alone stands still, which its watchdog sees; undefined: it does not, or it has not booted. */
  blockedAt: number | undefined;
  readonly #watchdog: SimWatchdog;

  constructor(
    readonly identity: ProcessIdentity,
    readonly pid: number,
    private readonly deps: ProcessDeps,
  ) {
    const { clock, random, primary, behaviour } = deps;
    this.clock = new ProgramClock(clock);
    this.engine = new SimEngine(this.clock, behaviour);
    this.channel = new SimChannel(clock, random, primary, this.clock, pid, (signal) => this.#onKill(signal));
    this.#watchdog = new SimWatchdog(
      clock,
      (reason) => this.#onHang(reason),
      () => !this.isFrozen,
    );
    this.clock.setTimer(() => this.#boot(), random.int(5, 40));
  }

  get slot(): number {
    return this.identity.slot;
  }

  /** The handle that the primary gets. */
  get worker(): ClusterWorker {
    return handleOf(this.channel);
  }

  /** It ends by itself, or by a signal. The primary sees the exit, the end of the channel and of the output in any order. */
  die(code: number | null, signal: NodeJS.Signals | null): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.clock.end();
    this.#watchdog.end();
    const { clock, random, primary, trace } = this.deps;
    trace(`${this.identity.incarnation} dies: ${code ?? signal}`);
    const { child } = this.channel;
    const soon = (ms: number, what: () => void): void => void clock.setTimer(() => primary.run(what), random.int(0, ms));
    soon(5, () => child.emit('exit', code, signal));
    soon(8, () => child.stdout.emit('close'));
    soon(8, () => child.report.emit('close'));
    if (!random.chance(0.1)) soon(8, () => child.stderr.emit('close')); // else somebody else has it open
    this.channel.close();
  }

  /** Its event loop stands still; its watchdog does not. */
  block(): void {
    if (!this.isAlive || this.isFrozen) return;
    if (this.#watchdog.isReady) this.blockedAt = this.deps.clock.monotonic();
    this.freeze();
    this.#watchdog.lookOn();
  }

  /** The primary is gone. */
  orphan(): void {
    if (!this.isFrozen) this.#watchdog.refresh();
    this.#watchdog.isOrphan = true;
    this.channel.close();
    if (this.isFrozen && this.blockedAt === undefined) this.thaw();
    this.#watchdog.lookOn();
  }

  /** It stands still as a whole. */
  freeze(): void {
    if (!this.isAlive || this.isFrozen) return;
    this.#watchdog.refresh();
    this.isFrozen = true;
    this.clock.freeze();
    this.deps.trace(`${this.identity.incarnation} freezes`);
  }

  thaw(): void {
    if (!this.isAlive || !this.isFrozen) return;
    this.isFrozen = false;
    this.blockedAt = undefined;
    this.#watchdog.moved();
    if (!this.isAlive) return; // it stood still for too long
    this.clock.thaw();
    this.deps.trace(`${this.identity.incarnation} thaws`);
  }

  #onHang(reason: string): void {
    const line = `${JSON.stringify({ inc: this.identity.incarnation, type: 'killed', reason })}\n`;
    this.deps.primary.run(() => void this.channel.child.report.emit('data', Buffer.from(line)));
    this.die(null, 'SIGKILL');
  }

  #onKill(signal: NodeJS.Signals): void {
    this.deps.clock.setTimer(() => this.die(null, signal), this.deps.random.int(0, 3));
  }

  #boot(): void {
    const { fate, ms } = this.deps.behaviour.boot();
    if (fate === 'dies') return void this.clock.setTimer(() => this.die(1, null), ms);
    const host = new Host<SimRuntime>({
      port: this.channel.port,
      incarnation: this.identity.incarnation,
      version: '0.0.0',
      engine: this.engine,
      clock: this.clock,
      random: this.deps.random.next,
      load: () => load(fate, ms, this.clock),
      watchdog: this.#watchdog,
      stats: { start: () => {}, heartbeat },
      writeError: (text) => void this.channel.child.stderr.emit('data', Buffer.from(text)),
      exit: (code) => this.die(code, null),
    });
    host.start();
  }
}

/** A process that could not be made: it has no pid, no exit, and raises an error. */
export function stillbornWorker({ clock, random, primary }: ProcessDeps): ClusterWorker {
  const host = new ProgramClock(clock);
  host.end();
  const handle = handleOf(new SimChannel(clock, random, primary, host, undefined, () => {}));
  clock.setTimer(() => primary.run(() => handle.emit('error', new Error('spawn EAGAIN'))), 0);
  return handle;
}

function handleOf(channel: SimChannel): ClusterWorker {
  return Object.assign(new EventEmitter(), { process: channel.child }) as unknown as ClusterWorker;
}

async function load(fate: BootFate, ms: number, clock: Clock): Promise<LoadedModule> {
  const loaded = deferred();
  if (fate !== 'hangs') clock.setTimer(() => (fate === 'fails' ? loaded.reject(new Error('does not load')) : loaded.resolve()), ms);
  await loaded.promise;
  return { kind: 'processor', processor: () => undefined };
}

function heartbeat(workers: Readonly<Record<string, number>>): HeartbeatFact {
  const jobsInHand = Object.values(workers).reduce((sum, jobs) => sum + jobs, 0);
  return {
    type: 'heartbeat',
    seq: 1,
    loopDelayP99Ms: 0,
    loopUtilization: 0,
    rssBytes: 0,
    heapUsedBytes: 0,
    cpuMs: 0,
    jobsInHand,
    jobsCompleted: 0,
    jobsFailed: 0,
    workers: { ...workers },
  };
}
