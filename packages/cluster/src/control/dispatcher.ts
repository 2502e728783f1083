import { type Clock, type Logger, systemClock, toError } from '@drover/core/kit';
import { type ControlCommand, ControlFailure, type ControlReply, type ControlRequest, ROLE_OF_VERB } from '../protocol/index.js';
import { refuseAccess } from './access.js';
import type { ControlOperations } from './control-operations.js';
import { type Call, createHandlers } from './handlers.js';
import { type Answer, PeerSession, type SessionOwner } from './session.js';
import type { Peer, SessionHost } from './transport.js';

/**
 * The one way of a command, whatever transport it came by: parse, allow, handle, reply, audit. Owns the table of sessions.
 *
 *     transport -> session (parse, limits, deadline) -> dispatcher (access, audit) -> handler -> operations
 */
export class Dispatcher implements SessionHost, SessionOwner {
  readonly #sessions = new Set<PeerSession>();
  readonly #handlers;

  constructor(
    private readonly operations: ControlOperations,
    private readonly logger: Logger,
    private readonly clock: Clock = systemClock(),
  ) {
    this.#handlers = createHandlers(operations);
  }

  open(peer: Peer, topics: readonly string[] = []): PeerSession {
    const session = new PeerSession(peer, this, this.operations, this.clock, this.logger);
    this.#sessions.add(session);
    if (topics.length > 0) session.subscribe(topics);
    return session;
  }

  closed(session: PeerSession): void {
    this.#sessions.delete(session);
  }

  async answer(request: ControlRequest, session: PeerSession, signal: AbortSignal): Promise<Answer> {
    const answer = await this.#attempt(request, session, signal);
    if (ROLE_OF_VERB[request.command.type] === 'write') this.#audit(request, session.peer, answer);
    return answer;
  }

  async #attempt({ command, key }: ControlRequest, session: PeerSession, signal: AbortSignal): Promise<Answer> {
    const refused = refuseAccess(session.peer.identity, command.type);
    if (refused) return { ok: false, failure: refused };
    const context = { transport: session.peer.identity.source, ...(key !== undefined && { key }) };
    // The table is keyed by the verb, so the handler found there takes this command.
    const handle = this.#handlers[command.type] as (command: ControlCommand, call: Call) => ControlReply | Promise<ControlReply>;
    try {
      const result = handle(command, { context, signal, subscribe: (patterns) => session.subscribe(patterns) });
      return { ok: true, result: result instanceof Promise ? await unlessAborted(result, signal) : result };
    } catch (thrown) {
      return { ok: false, failure: thrown instanceof ControlFailure ? thrown : this.#bug(command, thrown) };
    }
  }

  /** What is no refusal is our mistake: the stack goes to the log, not to the client. */
  #bug(command: ControlCommand, thrown: unknown): ControlFailure {
    const error = toError(thrown);
    this.logger.error('a command failed by a bug', { verb: command.type, error, stack: error.stack });
    return new ControlFailure('INTERNAL', `internal error while handling ${command.type}; the log of the primary has the details`);
  }

  #audit({ command, rid, key }: ControlRequest, peer: Peer, answer: Answer): void {
    const opId = answer.ok && 'opId' in answer.result ? answer.result.opId : undefined;
    const data = { peer: peer.id, rid, key, command, result: answer.ok ? 'ok' : answer.failure.code, opId };
    this.logger.info('command', data);
    for (const session of this.#sessions) session.offer({ topic: 'audit', at: this.clock.now(), data });
  }
}

/** The promise, or the reason of the abort if that comes first. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}
