/**
 * The client's side of the control protocol: every request has an id and gets one answer, a failure, or its deadline; whatever is open
 * when the connection ends is answered with PEER_GONE. It never reconnects: what was under way goes on in the primary, and who repeats a
 * command has to know (see `key`).
 */

import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { type Clock, type Deferred, deferred, systemClock, type Timer } from '@drover/core/kit';
import { type ClientChannel, childChannel, connectSocket } from './client-channel.js';
import type { CommandOf, ControlCommand, ControlReply, ReplyOf } from './commands.js';
import { ControlFailure } from './control-failure.js';
import { type ControlRequest, type EventEnvelope, FromPrimary, PROTOCOL_VERSION, type Progress, type Reply } from './envelope.js';
import { matchesTopic } from './events.js';
import type { OperationResult } from './replies.js';
import { findSocketPath } from './socket-directory.js';

/** Where the primary is: a socket, a name on this machine, or a child that this program forked. */
export type ControlTarget = { readonly socket: string } | { readonly name: string } | { readonly channel: ChildProcess };

export interface RequestOptions {
  /** Time for the answer; 30 s unless set. */
  readonly deadlineMs?: number;
  /** A repeat with the same key within 5 min gets the first reply instead of being carried out again. */
  readonly key?: string;
  /** Hears how the operation behind the reply goes on, its end included. */
  readonly progress?: (progress: Progress) => void;
}

export interface RunOptions extends RequestOptions {
  /** Time for the whole operation; without limit unless set. It goes on when the time is over. */
  readonly timeoutMs?: number;
  /** Called with the reply as soon as the command was accepted. */
  readonly accepted?: (reply: { readonly opId: string }) => void;
}

/** Verbs whose reply names an operation. */
export type OperationVerb = 'scale_up' | 'scale_down' | 'scale_to' | 'reload' | 'restart' | 'recycle' | 'stop' | 'operation';

/** How a command was accepted, and how its operation ended. */
export interface Outcome<T extends OperationVerb> {
  readonly reply: ReplyOf<T>;
  readonly result: OperationResult;
}

interface OpenRequest {
  readonly answer: Deferred<ControlReply>;
  readonly progress: ((progress: Progress) => void) | undefined;
  readonly timer: Timer;
}

const DEFAULT_DEADLINE_MS = 30_000;

/** Owns the open requests and the listeners of one connection. */
export class ControlClient {
  readonly #open = new Map<string, OpenRequest>();
  readonly #followers = new Map<string, Set<(progress: Progress) => void>>();
  readonly #listeners = new Set<{ readonly pattern: string; readonly listener: (event: EventEnvelope) => void }>();
  readonly #closed = deferred<ControlFailure>();
  readonly #id = randomUUID().slice(0, 8);
  #next = 0;
  #reason: ControlFailure | undefined;

  /** Speaks over a channel that is open already; `connect` is the usual way. */
  constructor(
    private readonly channel: ClientChannel,
    private readonly clock: Clock = systemClock(),
  ) {
    channel.open({ message: (raw) => this.#receive(raw), closed: (reason) => this.#end(reason) });
  }

  /** @throws ControlFailure PEER_GONE there is no primary; FORBIDDEN its socket is not ours; BAD_REQUEST no such place can exist; DEADLINE. */
  static async connect(target: ControlTarget, options: { readonly timeoutMs?: number } = {}): Promise<ControlClient> {
    if ('channel' in target) return new ControlClient(childChannel(target.channel));
    const path = 'socket' in target ? target.socket : findSocketPath(target.name);
    if (path === undefined) throw new ControlFailure('PEER_GONE', `no primary named "${'name' in target && target.name}" is running`);
    return new ControlClient(await connectSocket(path, options.timeoutMs ?? 5_000));
  }

  /** Resolves with the reason once the connection has ended, from either side. */
  get closed(): Promise<ControlFailure> {
    return this.#closed.promise;
  }

  /** Sends a command and resolves with its reply. @throws ControlFailure */
  request<C extends ControlCommand>(command: C, options: RequestOptions = {}): Promise<ReplyOf<C['type']>> {
    if (this.#reason) return Promise.reject(this.#reason);
    const rid = `${this.#id}-${++this.#next}`;
    const deadlineMs = Math.max(1, Math.ceil(options.deadlineMs ?? DEFAULT_DEADLINE_MS));
    const request: ControlRequest = { v: PROTOCOL_VERSION, kind: 'req', rid, command, deadlineMs };
    if (options.key !== undefined) request.key = options.key;
    if (options.progress) request.progress = true;
    const answer = deferred<ControlReply>();
    const late = new ControlFailure('DEADLINE', `no answer to ${command.type} within ${deadlineMs} ms`);
    const timer = this.clock.setTimer(() => this.#take(rid)?.answer.reject(late), deadlineMs);
    this.#open.set(rid, { answer, progress: options.progress, timer });
    try {
      this.channel.send(request);
    } catch (error) {
      this.#take(rid)?.answer.reject(error);
    }
    return answer.promise as Promise<ReplyOf<C['type']>>; // the primary answers a verb with its own reply
  }

  /**
   * Sends a command and waits for the end of its operation.
   * @throws ControlFailure the command was refused, the operation failed, the connection ended, or `timeoutMs` is over (DEADLINE); in the
   * last two the operation goes on, and `details.opId` names it.
   */
  async run<T extends OperationVerb>(command: CommandOf<T>, options: RunOptions = {}): Promise<Outcome<T>> {
    const ended = deferred<OperationResult>();
    ended.promise.catch(() => undefined); // awaited below, but only once the command was accepted
    const progress = (step: Progress): void => {
      options.progress?.(step);
      if (step.state === 'done') ended.resolve(step.result);
      if (step.state === 'failed') ended.reject(ControlFailure.from(step.error));
    };
    const startedAt = this.clock.monotonic();
    const deadlineMs = Math.min(options.deadlineMs ?? DEFAULT_DEADLINE_MS, options.timeoutMs ?? Number.POSITIVE_INFINITY);
    const reply = (await this.request(command as ControlCommand, { ...options, deadlineMs, progress })) as ReplyOf<T>;
    options.accepted?.(reply);
    const left = options.timeoutMs === undefined ? undefined : options.timeoutMs - (this.clock.monotonic() - startedAt);
    return { reply, result: await this.#within(ended, reply.opId, left, options.timeoutMs) };
  }

  /** Calls `listener` with every event whose topic the pattern (`process.*`, `op`, `*`) covers; resolves with the way to stop it, once subscribed. */
  async on(pattern: string, listener: (event: EventEnvelope) => void): Promise<() => void> {
    const entry = { pattern, listener };
    this.#listeners.add(entry);
    const off = (): void => void this.#listeners.delete(entry);
    try {
      await this.request({ type: 'subscribe', topics: [pattern] });
    } catch (error) {
      off();
      throw error;
    }
    return off;
  }

  /** Resolves once the primary works: a process of it has been ready. @throws ControlFailure it ended, gave up, or did not by the deadline. */
  async ready(options: { readonly deadlineMs?: number } = {}): Promise<void> {
    const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
    const announced = deferred();
    const late = new ControlFailure('DEADLINE', `the primary was not ready within ${deadlineMs} ms`);
    const timer = this.clock.setTimer(() => announced.reject(late), deadlineMs);
    const entry = { pattern: 'primary.ready', listener: () => announced.resolve() };
    this.#listeners.add(entry);
    const asked = this.request({ type: 'subscribe', topics: [entry.pattern] }, { deadlineMs })
      .then(() => this.request({ type: 'status' }, { deadlineMs }))
      .then(({ state }) => {
        if (state === 'running' || state === 'degraded') announced.resolve();
        if (state === 'draining' || state === 'gave_up') announced.reject(new ControlFailure('DRAINING', `the primary is ${state}`));
      });
    asked.catch((error) => announced.reject(error));
    void this.closed.then((reason) => announced.reject(reason));
    try {
      await announced.promise;
    } finally {
      timer.cancel();
      this.#listeners.delete(entry);
    }
  }

  /** Ends the connection; what is open is answered with PEER_GONE. */
  close(): void {
    this.channel.close();
  }

  #receive(raw: unknown): void {
    const parsed = FromPrimary.safeParse(raw);
    if (!parsed.success) return; // a forked primary may send other messages, a newer one may know more topics
    const message = parsed.data;
    if (message.kind === 'res') this.#answered(message);
    else if (message.kind === 'prog') this.#progressed(message);
    else this.#happened(message);
  }

  #happened(message: EventEnvelope): void {
    for (const { pattern, listener } of [...this.#listeners]) if (matchesTopic(pattern, message.topic)) listener(message);
  }

  #answered(reply: Reply): void {
    const request = this.#take(reply.rid);
    if (!reply.ok) {
      const failure = ControlFailure.from(reply.error);
      request?.answer.reject(failure);
      if (reply.rid === '' && failure.code === 'PEER_GONE') this.#dropped(failure);
      return;
    }
    if (!request) return; // its deadline was sooner
    if (request.progress && 'opId' in reply.result) this.#follow(reply.result.opId, request.progress);
    request.answer.resolve(reply.result);
  }

  #follow(opId: string, follower: (progress: Progress) => void): void {
    const followers = this.#followers.get(opId) ?? new Set();
    this.#followers.set(opId, followers.add(follower));
  }

  #progressed(progress: Progress): void {
    const followers = this.#followers.get(progress.opId);
    if (progress.state !== 'running') this.#followers.delete(progress.opId);
    for (const follower of followers ?? []) follower(progress);
  }

  /** Waits for the end of an operation, for `leftMs` at most and as long as there is a connection. */
  async #within(ended: Deferred<OperationResult>, opId: string, leftMs: number | undefined, timeoutMs: number | undefined) {
    const late = new ControlFailure('DEADLINE', `operation ${opId} goes on: it has not ended within ${timeoutMs} ms`, { opId });
    const timer = leftMs === undefined ? undefined : this.clock.setTimer(() => ended.reject(late), leftMs);
    void this.closed.then((reason) => ended.reject(new ControlFailure(reason.code, reason.message, { opId })));
    try {
      return await ended.promise;
    } finally {
      timer?.cancel();
    }
  }

  #take(rid: string): OpenRequest | undefined {
    const request = this.#open.get(rid);
    this.#open.delete(rid);
    request?.timer.cancel();
    return request;
  }

  /** The primary says goodbye to this client although the channel as such lives on. */
  #dropped(reason: ControlFailure): void {
    this.#end(reason);
    this.channel.close();
  }

  #end(reason: ControlFailure): void {
    if (this.#reason) return;
    this.#reason = reason;
    for (const rid of [...this.#open.keys()]) this.#take(rid)?.answer.reject(reason);
    this.#followers.clear();
    this.#listeners.clear();
    this.#closed.resolve(reason);
  }
}
