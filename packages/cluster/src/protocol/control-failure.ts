import { CodedError } from '@drover/core/kit';
import type { ControlError, ErrorCode } from './replies.js';

const RETRYABLE: ReadonlySet<ErrorCode> = new Set(['BUSY', 'DEADLINE', 'PEER_GONE', 'DRAINING']);

/** A command that cannot be carried out, thrown by whoever finds out; the dispatcher turns it into the error reply. */
export class ControlFailure extends CodedError {
  constructor(
    override readonly code: ErrorCode,
    message: string,
    readonly details?: Readonly<Record<string, unknown>>,
  ) {
    super(code, message);
  }

  static from(error: ControlError): ControlFailure {
    return new ControlFailure(error.code, error.message, error.details);
  }

  toError(): ControlError {
    return { code: this.code, message: this.message, retryable: RETRYABLE.has(this.code), ...(this.details && { details: this.details }) };
  }
}
