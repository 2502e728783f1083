import { ConnectionClosedError, UnsupportedServerError } from '../errors/index.js';
import type { QueueRef } from '../keys/queue-keys.js';
import { type BackoffRule, backoffMs, type Clock, type Deferred, deferred, toError } from '../kit/index.js';
import type { Connections } from '../redis/index.js';
import { EventSource, isLoss, isOfServer, type ReadReply, type ReadRequest } from './event-source.js';
import { type EventSink, type EventStream, StreamTable, type Subscription } from './event-stream.js';
import { inCalls, planRead } from './plan-read.js';
import { RETRY_STREAM_MS, requestOf, takeReply } from './take-reply.js';

const RETRY: BackoffRule = { firstMs: 20, baseMs: 50, factor: 2, capMs: 2_000, jitter: 'full' };

/**
 * Reads the event streams of all queues of one Redis target that somebody in this process listens to, with one connection and one
 * waiting call. It owns that call and the table of streams.
 *
 *     subscribed -> place: `$` becomes the id of the stream's last entry, on the command connection -> read from there on
 *
 *     loop: place who has none -> read: wait for all streams at once -> hand out -> rest, if there are very many -> loop
 *                                         |- a new listener: ended by CLIENT UNBLOCK
 *                                         '- connection lost: wait for it, then go on from the last places
 *
 * `$` is made an id once, at the start: given to Redis with each read, it would skip what is written between two reads. Places live
 * here, so a lost connection neither loses nor repeats an entry; only what Redis trims away meanwhile, some 10,000 entries later, is lost.
 * A stream that makes a read fail is read apart from then on, until it can be read again.
 */
export class EventReader {
  readonly #table = new StreamTable();
  readonly #source: EventSource;
  readonly #clock: Clock;
  readonly #connections: Connections;
  readonly #stopping: Deferred<void> = deferred();
  readonly #onError = (error: Error): void => this.#tell(error);
  #isStopped = false;
  #isLooking = false;
  #loop: Promise<void> | undefined;
  #idle: Deferred<void> | undefined;
  #nap: Deferred<void> | undefined;
  #waiting: { isEnding: boolean } | undefined;
  /** The server may be another one now, or have forgotten something. */
  #mayHaveLost = false;
  #told: string | undefined;

  constructor(connections: Connections, clock: Clock) {
    this.#connections = connections;
    this.#clock = clock;
    this.#source = new EventSource(connections, () => {
      this.#mayHaveLost = true;
      for (const sink of this.#table.sinks()) sink.offline();
    });
  }

  start(): void {
    this.#connections.on('error', this.#onError);
    this.#loop ??= this.#run();
  }

  /** Ends the reading and its connection. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#connections.off('error', this.#onError);
    this.#stopping.resolve();
    this.#idle?.resolve();
    this.#nap?.resolve();
    await this.#source.stop();
    await this.#loop;
  }

  /** @param from `$`, or an id in the form of `streamPosition`. */
  subscribe(queue: QueueRef, from: string, sink: EventSink): Subscription {
    const subscription = this.#table.add(queue, from, sink);
    this.#changed();
    return subscription;
  }

  /** Takes effect at once: what was read already is not handed out any more. */
  unsubscribe(subscription: Subscription): void {
    this.#table.remove(subscription);
  }

  /** Looks once per tick, however many listeners have come. */
  #changed(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    setImmediate(() => {
      this.#isLooking = false;
      this.#idle?.resolve();
      this.#interrupt();
    });
  }

  async #run(): Promise<void> {
    let failuresInRow = 0;
    while (!this.#isStopped) {
      try {
        await this.#cycle();
        failuresInRow = 0;
        this.#told = undefined;
      } catch (error) {
        if (this.#isStopped) return;
        if (error instanceof ConnectionClosedError || error instanceof UnsupportedServerError) return this.#end(error);
        this.#failed(toError(error));
        await this.#pause(backoffMs(++failuresInRow, RETRY, Math.random()));
      }
    }
  }

  async #cycle(): Promise<void> {
    if (!this.#source.isReady) await Promise.race([this.#source.whenReady(), this.#stopping.promise]);
    if (this.#mayHaveLost) await this.#rewind();
    const { eldest } = this.#table;
    const refused = eldest && (await this.#source.showAs(eldest.queue));
    if (refused) this.#tell(refused);
    await this.#place();
    const startedAt = this.#clock.monotonic();
    const { atOnce, waited, blockMs, restMs } = planRead(this.#table.readable(), startedAt);
    let isBusy = false;
    if (atOnce.length > 0) isBusy = await this.#read(atOnce);
    else if (waited.length > 0) isBusy = await this.#wait(waited, blockMs);
    else await this.#sleep(blockMs);
    if (restMs > 0 && (isBusy || waited.length === 0)) await this.#rest(startedAt + restMs);
  }

  /**
   * A server that lost its last writes (a replica that took over, a restart without them) may write lower ids than it did before: places
   * behind the end of their stream go back to it, or what comes next would be taken for read.
   */
  async #rewind(): Promise<void> {
    const streams = [...this.#table.readable()];
    const ends = await this.#source.lastIds(streams.map(({ key }) => key));
    for (const [at, stream] of streams.entries()) {
      const end = ends[at] as string | Error;
      if (!(end instanceof Error)) stream.rewind(end);
      else if (isOfServer(end)) throw end;
    }
    this.#mayHaveLost = false;
  }

  async #place(): Promise<void> {
    const unplaced = this.#table.unplaced(this.#clock.monotonic());
    const atEnd = unplaced.filter(({ from }) => from === '$');
    const ids = atEnd.length === 0 ? [] : await this.#source.lastIds(atEnd.map(({ stream }) => stream.key));
    for (const [at, subscription] of atEnd.entries()) {
      const id = ids[at] as string | Error;
      if (!(id instanceof Error)) this.#table.place(subscription, id);
      else if (isOfServer(id)) throw id;
      else {
        if (subscription.retryAt === 0) subscription.sink.problem(id);
        subscription.retryAt = this.#clock.monotonic() + RETRY_STREAM_MS;
      }
    }
    for (const subscription of unplaced) if (subscription.from !== '$') this.#table.place(subscription, subscription.from);
  }

  /** Reads without waiting. @returns whether there was anything. */
  async #read(calls: readonly (readonly EventStream[])[]): Promise<boolean> {
    const requests = calls.map(requestOf);
    const replies = await this.#source.read(requests);
    let isBusy = false;
    for (const [at, streams] of calls.entries()) {
      if (takeReply(streams, requests[at] as ReadRequest, replies[at] as ReadReply, this.#clock.monotonic())) isBusy = true;
    }
    return isBusy;
  }

  /** @returns whether something came. */
  async #wait(streams: readonly EventStream[], blockMs: number): Promise<boolean> {
    if (this.#isStopped || this.#table.hasUnplaced(this.#clock.monotonic())) return false;
    const request = requestOf(streams);
    this.#waiting = { isEnding: false };
    try {
      const reply = await this.#source.wait(request, blockMs);
      return takeReply(streams, request, reply, this.#clock.monotonic());
    } finally {
      this.#waiting = undefined;
    }
  }

  /** Until `untilMs` reads only what streams are known to have left: a read of all of them is what is costly. */
  async #rest(untilMs: number): Promise<void> {
    while (!this.#isStopped) {
      const leftMs = untilMs - this.#clock.monotonic();
      if (leftMs <= 0) return;
      const behind = [...this.#table.readable()].filter(({ hasMore, isApart }) => hasMore && !isApart);
      if (behind.length === 0) return this.#pause(leftMs);
      await this.#read(inCalls(behind));
    }
  }

  /** The call may reach Redis after its end was asked for, so that is repeated until it has returned. */
  #interrupt(): void {
    const waiting = this.#waiting;
    if (!waiting || waiting.isEnding) return;
    waiting.isEnding = true;
    const attempt = async (): Promise<void> => {
      while (this.#waiting === waiting && !(await this.#source.unblock())) await new Promise(setImmediate);
    };
    attempt().catch((error) => {
      waiting.isEnding = false;
      if (!isLoss(error)) this.#failed(toError(error));
      else if (!this.#isStopped) this.#connections.command.once('ready', () => this.#changed());
    });
  }

  /** Until a listener comes, or the time is over. */
  async #sleep(ms: number): Promise<void> {
    if (this.#isStopped || this.#table.hasUnplaced(this.#clock.monotonic())) return;
    this.#idle = deferred();
    const timer = this.#clock.setTimer(this.#idle.resolve, ms);
    await this.#idle.promise;
    timer.cancel();
    this.#idle = undefined;
  }

  async #pause(ms: number): Promise<void> {
    if (this.#isStopped) return;
    this.#nap = deferred();
    const timer = this.#clock.setTimer(this.#nap.resolve, ms);
    await this.#nap.promise;
    timer.cancel();
    this.#nap = undefined;
  }

  /** A loss is told by the connection itself; anything else once, until something else happens. */
  #failed(error: Error): void {
    if (isLoss(error) || error.message === this.#told) return;
    this.#told = error.message;
    this.#tell(error);
  }

  #tell(error: Error): void {
    for (const sink of this.#table.sinks()) sink.problem(error);
  }

  #end(error: Error): void {
    this.#connections.off('error', this.#onError);
    for (const sink of this.#table.sinks()) sink.ended(error);
  }
}
