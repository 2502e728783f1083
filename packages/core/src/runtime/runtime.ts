import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { ConnectionClosedError, UnsupportedServerError } from '../errors/index.js';
import type { Outcome } from '../job/index.js';
import {
  type Clock,
  type Deadline,
  deferred,
  InvalidOptionError,
  integer,
  type Lifecycle,
  type Logger,
  messageOf,
  Once,
  silentLogger,
  systemClock,
  toError,
} from '../kit/index.js';
import { type ConnectionInput, Connections } from '../redis/index.js';
import { ConsumerStore } from '../store/index.js';
import type { Consumer, HeldJob } from './consumer.js';
import { ConsumerTable } from './consumer-table.js';
import { LockRenewer } from './lock-renewer.js';
import { Maintenance } from './maintenance.js';
import { BlockingMarkers } from './marker-source.js';
import { MarkerWaiter } from './marker-waiter.js';
import { Outage } from './outage.js';
import { OutcomeBuffer } from './outcome-buffer.js';
import { TURN_LIMITS } from './plan-turn.js';
import { TurnLoop } from './turn-loop.js';

export interface RuntimeOptions {
  readonly connection: ConnectionInput;
  /** What lock tokens begin with: one fork of one process. Default: random. */
  readonly incarnation?: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Pipelines under way at once, 1 to 8. Default 4. */
  readonly turnsInFlight?: number;
  /** Takes any server, also one older than Redis 6.2. Default false. */
  readonly skipVersionCheck?: boolean;
}

/** Events of a runtime, by the arguments of their listeners. */
export interface RuntimeEvents {
  /** Redis answers: for the first time, or again. */
  ready: [];
  /** Redis does not answer any more; everything is kept and tried again. */
  offline: [];
  /** A connection could not be made or failed. */
  connectionError: [error: Error];
  /** A bug in one of the loops, or a server that will not do: nothing of this runtime works any more, its jobs are aborted. */
  failed: [error: Error];
}

/** A job whose processor runs in this process. */
export interface JobInHand {
  readonly queue: string;
  readonly jobId: string;
  readonly token: string;
  /** Epoch ms. */
  readonly startedAt: number;
}

/** Redis states of a runtime: `offline` covers the time before the first answer, too. */
export type RuntimeState = 'offline' | 'running' | 'stopping' | 'stopped' | 'failed';

const MARKERS_END_MS = 500;

/**
 * Everything that the workers of a process share for one Redis target: turn loop, marker waiter, lock renewer, maintenance, and the
 * connections below them. It fails as one: a bug in any loop ends them all, and `failed` says so, once.
 *
 *     new -start-> offline <-> running -stop-> stopping -> stopped         offline | running -bug-> failed
 */
export class Runtime extends EventEmitter<RuntimeEvents> implements Lifecycle {
  readonly incarnation: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly connections: Connections;
  readonly #table = new ConsumerTable();
  readonly #buffer = new OutcomeBuffer();
  readonly #outage: Outage;
  readonly #renewer: LockRenewer;
  readonly #maintenance: Maintenance;
  readonly #loop: TurnLoop;
  readonly #lifecycle = new Once(
    () => this.#start(),
    (deadline) => this.#stop(deadline),
  );
  readonly #stopAsked = deferred();
  #markers: BlockingMarkers | undefined;
  #waiter: MarkerWaiter | undefined;
  #state: RuntimeState = 'offline';

  constructor(options: RuntimeOptions) {
    super();
    this.setMaxListeners(0); // each worker listens
    this.incarnation = incarnationOf(options.incarnation);
    this.clock = options.clock ?? systemClock();
    this.logger = options.logger ?? silentLogger;
    const { connection, skipVersionCheck = false } = options;
    this.connections = new Connections({ connection, clock: this.clock, skipVersionCheck });
    const { clock, logger } = this;
    const store = new ConsumerStore(this.connections.scripts);
    const failed = (error: unknown): void => this.fail(error);
    const lanes = integer('turnsInFlight', options.turnsInFlight ?? TURN_LIMITS.lanes, 1, 8);
    this.#outage = new Outage(clock, () => this.#tryAgain());
    this.#renewer = new LockRenewer(store, clock, this.#outage, logger, (job) => this.#lost(job), failed);
    this.#maintenance = new Maintenance(store, this.#table, clock, this.#outage, logger, failed);
    this.#loop = new TurnLoop({
      store,
      table: this.#table,
      buffer: this.#buffer,
      renewer: this.#renewer,
      outage: this.#outage,
      clock,
      logger,
      incarnation: this.incarnation,
      limits: { ...TURN_LIMITS, lanes },
      failed,
    });
  }

  get state(): RuntimeState {
    return this.#state;
  }

  /** Outcomes that Redis has not confirmed yet. */
  get uncommitted(): number {
    return this.#buffer.size;
  }

  /**
   * Starts the loops and resolves when Redis answers.
   * @throws RedisUnreachableError when it does not within the connection's limit. The loops go on trying all the same: `ready` tells.
   *   UnsupportedServerError when the server is too old: the runtime has failed. ConnectionClosedError when it was stopped before.
   */
  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  /**
   * Fetches nothing more, commits what has been settled until the deadline, then ends loops and connections. A Redis that was not reached
   * yet is not waited for.
   */
  stop(deadline: Deadline): Promise<void> {
    this.#stopAsked.resolve();
    return this.#lifecycle.stop(deadline);
  }

  register(consumer: Consumer): void {
    this.#table.register(consumer);
    this.#markers?.showAs(consumer.queue, consumer.profile.name);
    this.#renewer.pace(consumer.upkeep.lockRenewMs);
    this.#maintenance.consumersChanged();
    this.#waiter?.changed();
  }

  /** Delivers nothing to the consumer any more; resolves when no turn under way can bring jobs that were meant for it. */
  async unregister(consumer: Consumer): Promise<void> {
    if (!this.#table.unregister(consumer)) return;
    this.#waiter?.changed();
    await this.#loop.settleFetches();
  }

  /** A consumer has more or fewer free places, for another reason than a job that came or ended. */
  placesChanged(consumer: Consumer): void {
    const queue = this.#table.queues.get(consumer.queue);
    if (queue && consumer.free() > 0) this.#table.markReady(queue);
    this.#waiter?.changed();
  }

  /** How many processes serve a queue: on a short one each takes its share only. Unknown queues count as served by one. */
  setShare(queueName: string, processes: number): void {
    this.#table.setShare(queueName, integer('share', processes, 1));
  }

  /** Fetches nothing more, for good. Resolves when no fetch is under way: what `hand` names then is final. */
  async quiesce(): Promise<void> {
    this.#loop.stopFetching();
    await this.#loop.settleFetches();
  }

  /** The jobs that run here, of all queues. Before `quiesce` has resolved, turns under way may still add some. */
  hand(): readonly JobInHand[] {
    const hand: JobInHand[] = [];
    for (const { phase, queue, jobId, token, startedAt } of this.#renewer.held) {
      if (phase === 'running') hand.push({ queue: queue.name, jobId, token, startedAt });
    }
    return hand;
  }

  /** What became of a held job. */
  settle(job: HeldJob, outcome: Outcome, at: number): void {
    this.#loop.settle(job, outcome, at);
  }

  /** A held job that its processor has moved by itself. */
  release(job: HeldJob): void {
    this.#loop.release(job);
  }

  async #start(): Promise<void> {
    const { command, blocking } = this.connections;
    this.#markers = new BlockingMarkers(blocking, command);
    this.#waiter = new MarkerWaiter(this.#markers, this.#table, this.clock, this.logger, (error) => this.fail(error));
    for (const consumer of this.#table.consumers()) this.#markers.showAs(consumer.queue, consumer.profile.name);
    this.#listen();
    const connected = command.whenReady();
    this.#table.listen({ ready: () => this.#loop.wake(), changed: () => this.#waiter?.changed() });
    try {
      await Promise.race([connected, this.#stopAsked.promise]);
      if (this.#lifecycle.isStopping && !command.isReady) throw new ConnectionClosedError(command.address);
    } catch (error) {
      if (error instanceof UnsupportedServerError) this.fail(error);
      throw error;
    } finally {
      if (this.#state !== 'failed' && !this.#lifecycle.isStopping) this.#startLoops(this.#waiter);
    }
  }

  #startLoops(waiter: MarkerWaiter): void {
    this.#maintenance.start();
    waiter.start();
    this.#loop.wake();
  }

  #listen(): void {
    const online = (): void => {
      if (this.#state !== 'offline') return;
      this.#state = 'running';
      this.#outage.tryNow();
      this.emit('ready');
    };
    this.connections.on('ready', online);
    this.connections.on('offline', () => {
      if (this.#state !== 'running') return;
      this.#state = 'offline';
      this.emit('offline');
    });
    this.connections.on('refused', (error) => this.fail(error));
    this.connections.on('error', (error) => this.#connectionFailed(error));
    if (this.connections.command.isReady) online();
  }

  #connectionFailed(error: Error): void {
    this.emit('connectionError', error);
    for (const consumer of [...this.#table.consumers()]) consumer.problem(error);
  }

  #tryAgain(): void {
    this.#loop.wake();
    this.#renewer.renewDue().catch((error) => this.fail(error));
  }

  #lost(job: HeldJob): void {
    if (job.phase === 'settled') {
      this.#loop.abandon(job);
      return;
    }
    this.#loop.release(job);
    job.owner.lost(job);
  }

  async #stop(deadline: Deadline): Promise<void> {
    if (this.#state !== 'failed') this.#state = 'stopping';
    this.#loop.stopFetching();
    if (this.#state === 'stopping') await beforeDeadline(this.#buffer.whenEmpty(), deadline.signal);
    await this.#end();
    if (this.#state === 'stopping') this.#state = 'stopped';
  }

  /** In the reverse order of the start. */
  async #end(): Promise<void> {
    const waited = this.#waiter?.stop();
    if (waited && this.connections.command.isReady) await beforeDeadline(waited, AbortSignal.timeout(MARKERS_END_MS));
    const turns = this.#loop.stop();
    this.#maintenance.stop();
    this.#renewer.stop();
    this.#outage.stop();
    await this.connections.close();
    await Promise.all([waited, turns]);
  }

  /** A bug in a loop or in what runs jobs on it, or a server that will not do: everything of this runtime ends, once. */
  fail(thrown: unknown): void {
    if (this.#state === 'failed' || this.#state === 'stopped') return;
    this.#state = 'failed';
    const error = toError(thrown);
    this.logger.error('the runtime failed', { incarnation: this.incarnation, error: messageOf(error) });
    for (const job of [...this.#renewer.held]) {
      this.#renewer.release(job);
      if (job.phase === 'running') job.owner.lost(job);
    }
    this.#end().catch((cause) => this.logger.error('the end of a failed runtime failed', { error: messageOf(cause) }));
    this.emit('failed', error);
  }
}

function incarnationOf(given: string | undefined): string {
  if (given === undefined) return randomUUID();
  if (given === '' || given.includes(':')) throw new InvalidOptionError('incarnation', given, 'a text without ":"');
  return given;
}

/** Waits for `work`, but not longer than until the signal aborts. */
async function beforeDeadline(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  let stopWaiting = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    stopWaiting = resolve;
    signal.addEventListener('abort', stopWaiting, { once: true });
  });
  await Promise.race([work, over]);
  signal.removeEventListener('abort', stopWaiting);
}
