// What processors throw to say what should become of their job. Names and messages are BullMQ's: other copies of these classes
// (another version of the package, a sandbox) are recognised by them.

const MESSAGES = {
  UnrecoverableError: 'bullmq:unrecoverable',
  DelayedError: 'bullmq:movedToDelayed',
  WaitingError: 'bullmq:movedToWait',
  WaitingChildrenError: 'bullmq:movedToWaitingChildren',
  RateLimitError: 'bullmq:rateLimitExceeded',
} as const;

/** The names of errors that steer a job instead of only failing it. */
export type ControlFlowName = keyof typeof MESSAGES;

class ControlFlowError extends Error {
  constructor(name: ControlFlowName, message: string = MESSAGES[name]) {
    super(message);
    this.name = name;
  }
}

/** Fails the job for good, whatever attempts are left. */
export class UnrecoverableError extends ControlFlowError {
  constructor(message?: string) {
    super('UnrecoverableError', message);
  }
}

/** The processor has moved its job to delayed; the run ends without a result. */
export class DelayedError extends ControlFlowError {
  constructor(message?: string) {
    super('DelayedError', message);
  }
}

/** The processor has moved its job back to wait. */
export class WaitingError extends ControlFlowError {
  constructor(message?: string) {
    super('WaitingError', message);
  }
}

/** The processor has moved its job to waiting-children. */
export class WaitingChildrenError extends ControlFlowError {
  constructor(message?: string) {
    super('WaitingChildrenError', message);
  }
}

/** The queue is rate limited: the job goes back to wait and counts no attempt. */
export class RateLimitError extends ControlFlowError {
  constructor(message?: string) {
    super('RateLimitError', message);
  }
}

/** Which of these `error` is, by class, by name, and for the rate limit by message as well; undefined for any other error. */
export function controlFlowOf(error: unknown): ControlFlowName | undefined {
  if (!(typeof error === 'object' && error !== null)) return undefined;
  const { name, message } = error as { readonly name?: unknown; readonly message?: unknown };
  if (message === MESSAGES.RateLimitError) return 'RateLimitError';
  return typeof name === 'string' && Object.hasOwn(MESSAGES, name) ? (name as ControlFlowName) : undefined;
}
