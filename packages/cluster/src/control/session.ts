import type { Clock, Logger } from '@drover/core/kit';
import {
  ControlFailure,
  type ControlReply,
  type ControlRequest,
  encodeFrame,
  FrameError,
  type FromPrimary,
  MAX_REPLY_BYTES,
  matchesTopic,
  PROTOCOL_VERSION,
} from '../protocol/index.js';
import type { ControlEvent, ControlOperations } from './control-operations.js';
import { parseRequest } from './parse-request.js';
import { MAX_BACKLOG, type Peer, type Session } from './transport.js';

/** What became of a request. */
export type Answer = { readonly ok: true; readonly result: ControlReply } | { readonly ok: false; readonly failure: ControlFailure };

/** What a session asks of the dispatcher. `answer` never rejects, and gives up when the signal is aborted. */
export interface SessionOwner {
  answer(request: ControlRequest, session: PeerSession, signal: AbortSignal): Promise<Answer>;
  closed(session: PeerSession): void;
}

/** Requests that one peer may have open. */
export const MAX_IN_FLIGHT = 32;
const TOO_MANY = new ControlFailure('BUSY', `${MAX_IN_FLIGHT} requests of this client are open; wait for an answer first`);
const DEFAULT_DEADLINE_MS = 30_000;

/** Owns what one peer has under way: open requests, followed operations, its one stream of events. */
export class PeerSession implements Session {
  readonly #open = new Set<AbortController>();
  readonly #follows = new Map<string, () => void>();
  readonly #patterns = new Set<string>();
  #unsubscribe: (() => void) | undefined;
  #eventSeq = 0;
  #isClosed = false;

  constructor(
    readonly peer: Peer,
    private readonly owner: SessionOwner,
    private readonly operations: ControlOperations,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  get isIdle(): boolean {
    return this.#open.size === 0 && this.#follows.size === 0 && this.#patterns.size === 0;
  }

  receive(raw: unknown): void {
    if (this.#isClosed) return;
    const parsed = parseRequest(raw);
    if (!parsed.ok) this.#refuse(parsed.rid, parsed.failure);
    else if (this.#open.size >= MAX_IN_FLIGHT) this.#refuse(parsed.request.rid, TOO_MANY);
    else void this.#answer(parsed.request);
  }

  refuse(failure: ControlFailure): void {
    this.#refuse('', failure);
  }

  /** Topics only add up: a client that wants less closes its connection. */
  subscribe(patterns: readonly string[]): void {
    for (const pattern of patterns) this.#patterns.add(pattern);
    this.#unsubscribe?.();
    this.#unsubscribe = this.operations.subscribe([...this.#patterns], (event) => this.#event(event));
  }

  /** An event that does not come from the operations: the audit. */
  offer(event: ControlEvent): void {
    if ([...this.#patterns].some((pattern) => matchesTopic(pattern, event.topic))) this.#event(event);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const abort of this.#open) abort.abort(new ControlFailure('PEER_GONE', 'the client has gone'));
    for (const unfollow of this.#follows.values()) unfollow();
    this.#follows.clear();
    this.#unsubscribe?.();
    this.owner.closed(this);
  }

  async #answer(request: ControlRequest): Promise<void> {
    const deadlineMs = request.deadlineMs ?? DEFAULT_DEADLINE_MS;
    const late = new ControlFailure('DEADLINE', `${request.command.type} was not answered within ${deadlineMs} ms`);
    const abort = new AbortController();
    const timer = this.clock.setTimer(() => abort.abort(late), deadlineMs);
    this.#open.add(abort);
    const answer = await this.owner.answer(request, this, abort.signal);
    timer.cancel();
    this.#open.delete(abort);
    if (!answer.ok) return this.#refuse(request.rid, answer.failure);
    this.#send({ v: PROTOCOL_VERSION, kind: 'res', rid: request.rid, ok: true, result: answer.result });
    if (request.progress && 'opId' in answer.result) this.#follow(answer.result.opId);
  }

  /** Passes on the progress of an operation until its end; an ended one reports that at once, so the reply has to be out before. */
  #follow(opId: string): void {
    if (this.#isClosed || this.#follows.has(opId)) return;
    let hasEnded = false;
    const unfollow = this.operations.follow(opId, (progress) => {
      hasEnded ||= progress.state !== 'running';
      if (hasEnded) this.#follows.delete(opId);
      this.#stream(progress);
    });
    if (!hasEnded) this.#follows.set(opId, unfollow);
  }

  #event({ topic, at, data }: ControlEvent): void {
    this.#stream({ v: PROTOCOL_VERSION, kind: 'evt', topic, seq: ++this.#eventSeq, at, data });
  }

  /** What nobody waits for is sent only as long as it is read. */
  #stream(message: FromPrimary): void {
    if (this.#isClosed) return;
    if (this.peer.backlog < MAX_BACKLOG) {
      this.#send(message);
      return;
    }
    this.logger.warn('a client that does not read was dropped', { peer: this.peer.id, backlog: this.peer.backlog });
    this.peer.drop(`dropped: ${MAX_BACKLOG} messages wait to be read`);
    this.close();
  }

  #refuse(rid: string, failure: ControlFailure): void {
    this.#send({ v: PROTOCOL_VERSION, kind: 'res', rid, ok: false, error: failure.toError() });
  }

  #send(message: FromPrimary): void {
    if (this.#isClosed) return;
    try {
      this.peer.send(encodeFrame(message, MAX_REPLY_BYTES));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.logger.error('a message could not be sent', { peer: this.peer.id, kind: message.kind, error });
      // A lost event shows as a gap in `seq`; a reply is owed.
      if (message.kind === 'res') this.#refuse(message.rid, new ControlFailure('INTERNAL', `the reply cannot be sent: ${error.message}`));
    }
  }
}
