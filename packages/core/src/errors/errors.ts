import { CodedError } from '../kit/index.js';

/** Base of every failure of the engine. `code` is a stable text, except for script statuses, which keep BullMQ's numeric code. */
export class EngineError extends CodedError {}

/** A transition that Redis refused: `code` is BullMQ's numeric status (see `ErrorCode`), `status` the same as a stable text. */
export class JobStatusError extends Error {
  constructor(
    readonly code: number,
    readonly status: string,
    message: string,
    readonly jobId: string,
  ) {
    super(message);
    this.name = 'JobStatusError';
  }
}

/** The lock of a job belongs to somebody else, or to nobody: its run here counts for nothing any more. */
export class LockLostError extends EngineError {
  constructor(
    readonly jobId: string,
    readonly queue: string,
    options?: ErrorOptions,
  ) {
    super('LOCK_LOST', `job ${jobId} of queue ${queue}: the lock belongs to another worker`, options);
  }
}

/** Redis could not be asked, or the answer got lost: what was sent may or may not have happened. */
export class ConnectionLostError extends EngineError {
  constructor(message: string, code = 'CONNECTION_LOST') {
    super(code, message);
  }
}

/** No connection could be made within the limit. `address` is host:port or a path, never credentials. */
export class RedisUnreachableError extends ConnectionLostError {
  constructor(
    readonly address: string,
    reason: string,
  ) {
    super(`Redis at ${address} cannot be reached: ${reason}`, 'REDIS_UNREACHABLE');
  }
}

/** The connection was closed by its owner; nothing was sent. */
export class ConnectionClosedError extends EngineError {
  constructor(address: string) {
    super('CONNECTION_CLOSED', `the connection to Redis at ${address} is closed`);
  }
}

/** The server lacks commands that the scripts need. `address` is host:port or a path; the message says what to do. */
export class UnsupportedServerError extends EngineError {
  constructor(
    readonly address: string,
    reason: string,
  ) {
    super('UNSUPPORTED_SERVER', `Redis at ${address} cannot be used: ${reason}`);
  }
}

/** Redis answers but refuses to work for now (loading, read-only, out of memory): nothing happened, try again later. */
export class RedisRefusedError extends EngineError {
  constructor(what: string, reply: string) {
    super('REDIS_REFUSED', `${what}: Redis refuses: ${reply}`);
  }
}

/** A script or command failed inside Redis: a key of a wrong type, or a mistake of ours. Part of its work may be done. */
export class CommandFailedError extends EngineError {
  constructor(what: string, reply: string) {
    super('COMMAND_FAILED', `${what} failed in Redis: ${reply}`);
  }
}
