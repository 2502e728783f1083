/**
 * The link between the primary and one process, over a `Port`. Downwards go requests, each answered once by `reply` or `reply_error` of
 * the same `rid`, and `init`; upwards go facts. Every message carries the incarnation. What does not parse, or speaks of another
 * incarnation, is counted and dropped: processes run user code, and anything may arrive. When the channel closes, open requests end with
 * PEER_GONE; one that is not answered in time ends with DEADLINE, and its late reply is dropped.
 */
import { type Clock, messageOf, type Timer } from '@drover/core/kit';
import { ControlFailure } from '../protocol/index.js';
import { PrimaryToProcess, ProcessToPrimary } from './messages.js';
import type { Port } from './port.js';

type Reply = Extract<ProcessToPrimary, { type: 'reply' | 'reply_error' }>;
type Distributed<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** A request as its handler gets it. */
export type LinkRequest = Extract<PrimaryToProcess, { rid: string }>;
/** A request as its sender writes it: incarnation and rid are the link's business. */
export type NewLinkRequest = Distributed<LinkRequest, 'inc' | 'rid'>;
export type Init = Extract<PrimaryToProcess, { type: 'init' }>;
/** Whatever a process tells unasked. */
export type Fact = Exclude<ProcessToPrimary, Reply>;
export type NewFact = Distributed<Fact, 'inc'>;
export type LinkResult = Readonly<Record<string, unknown>>;

interface OpenRequest {
  readonly type: string;
  readonly timer: Timer;
  resolve(result: LinkResult): void;
  reject(failure: ControlFailure): void;
}

/** The primary's end of the link to one incarnation. Owns the table of open requests. */
export class PrimaryLink {
  readonly #open = new Map<string, OpenRequest>();
  #lastRid = 0;
  #dropped = 0;
  #isClosed = false;

  /** @param onFact gets every fact of this incarnation, in the order sent, on the message's own turn. */
  constructor(
    private readonly port: Port,
    private readonly inc: string,
    private readonly clock: Clock,
    onFact: (fact: Fact) => void,
  ) {
    port.onMessage((message) => this.#receive(message, onFact));
    port.onClose(() => this.#close());
  }

  /** Messages that did not parse, were of another incarnation, or answered nothing that is open. */
  get dropped(): number {
    return this.#dropped;
  }

  get openRequests(): number {
    return this.#open.size;
  }

  get isOpen(): boolean {
    return !this.#isClosed && this.port.isOpen;
  }

  /** Called once, after the open requests have ended with PEER_GONE. */
  onClose(listener: () => void): void {
    this.port.onClose(listener);
  }

  /** @throws PortClosedError as a rejection, when the process is gone. */
  init(init: Omit<Init, 'inc' | 'type'>): Promise<void> {
    return this.port.send({ ...init, inc: this.inc, type: 'init' } satisfies Init);
  }

  /**
   * @param deadlineMs time for the answer.
   * @throws ControlFailure as a rejection: what the process answered, DEADLINE, or PEER_GONE.
   */
  request(request: NewLinkRequest, deadlineMs: number): Promise<LinkResult> {
    if (!this.isOpen) return Promise.reject(this.#gone(request.type));
    const rid = String(++this.#lastRid);
    return new Promise((resolve, reject) => {
      const timer = this.clock.setTimer(() => {
        this.#settle(rid)?.reject(
          new ControlFailure('DEADLINE', `${request.type}: process ${this.inc} did not answer within ${deadlineMs} ms`),
        );
      }, deadlineMs);
      this.#open.set(rid, { type: request.type, timer, resolve, reject });
      this.port.send({ ...request, inc: this.inc, rid }).catch(() => this.#settle(rid)?.reject(this.#gone(request.type)));
    });
  }

  #receive(raw: unknown, onFact: (fact: Fact) => void): void {
    const parsed = ProcessToPrimary.safeParse(raw);
    if (!parsed.success || parsed.data.inc !== this.inc) {
      this.#dropped++;
      return;
    }
    const message = parsed.data;
    if (message.type === 'reply' || message.type === 'reply_error') this.#onReply(message);
    else onFact(message);
  }

  #onReply(message: Reply): void {
    const request = this.#settle(message.rid);
    if (!request) this.#dropped++;
    else if (message.type === 'reply') request.resolve(message.result ?? {});
    else request.reject(ControlFailure.from(message.error));
  }

  #settle(rid: string): OpenRequest | undefined {
    const request = this.#open.get(rid);
    this.#open.delete(rid);
    request?.timer.cancel();
    return request;
  }

  #gone(type: string): ControlFailure {
    return new ControlFailure('PEER_GONE', `${type}: process ${this.inc} is gone`);
  }

  #close(): void {
    this.#isClosed = true;
    for (const rid of [...this.#open.keys()]) {
      const request = this.#settle(rid) as OpenRequest;
      request.reject(this.#gone(request.type));
    }
  }
}

/** What a process does when it is told or asked something. */
export interface HostHandlers {
  init(init: Init): void;
  /** Its result is the reply; a `ControlFailure` it throws is the error reply, anything else is answered INTERNAL. */
  request(request: LinkRequest): Promise<LinkResult | undefined>;
}

/** The process's end of the link. */
export class HostLink {
  #dropped = 0;

  constructor(
    private readonly port: Port,
    private readonly inc: string,
    handlers: HostHandlers,
  ) {
    port.onMessage((message) => this.#receive(message, handlers));
  }

  get dropped(): number {
    return this.#dropped;
  }

  get isOpen(): boolean {
    return this.port.isOpen;
  }

  onClose(listener: () => void): void {
    this.port.onClose(listener);
  }

  /** Resolves when the fact was handed over to the channel. @throws PortClosedError as a rejection, when the primary is gone. */
  tell(fact: NewFact): Promise<void> {
    return this.port.send({ ...fact, inc: this.inc });
  }

  #receive(raw: unknown, handlers: HostHandlers): void {
    const parsed = PrimaryToProcess.safeParse(raw);
    if (!parsed.success || parsed.data.inc !== this.inc) this.#dropped++;
    else if (parsed.data.type === 'init') handlers.init(parsed.data);
    else void this.#answer(parsed.data, handlers);
  }

  async #answer(request: LinkRequest, handlers: HostHandlers): Promise<void> {
    const head = { inc: this.inc, rid: request.rid };
    try {
      const result = await handlers.request(request);
      await this.#reply({ ...head, type: 'reply', ok: true, ...(result && { result: { ...result } }) });
    } catch (thrown) {
      const failure = thrown instanceof ControlFailure ? thrown : new ControlFailure('INTERNAL', messageOf(thrown));
      await this.#reply({ ...head, type: 'reply_error', error: failure.toError() });
    }
  }

  /** With the channel closed nobody is left to answer: the asker has had PEER_GONE, and `onClose` tells this process. */
  async #reply(reply: Reply): Promise<void> {
    await this.port.send(reply).catch((error: unknown) => {
      if (reply.type === 'reply' && this.port.isOpen) throw error; // a result that cannot be cloned: answered as a failure
    });
  }
}
