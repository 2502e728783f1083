export {
  type ControlFlowName,
  controlFlowOf,
  DelayedError,
  RateLimitError,
  UnrecoverableError,
  WaitingChildrenError,
  WaitingError,
} from './control-flow.js';
export { ErrorCode } from './error-code.js';
export {
  CommandFailedError,
  ConnectionClosedError,
  ConnectionLostError,
  EngineError,
  JobStatusError,
  LockLostError,
  RedisRefusedError,
  RedisUnreachableError,
  UnsupportedServerError,
} from './errors.js';
export { errorFromReply, errorFromStatus, type StatusContext } from './from-reply.js';
