import { UnrecoverableError } from './control-flow.js';
import { ErrorCode } from './error-code.js';
import { CommandFailedError, JobStatusError, RedisRefusedError } from './errors.js';

/** What was asked when the status came back. `state` is the state the job had to be in. */
export interface StatusContext {
  readonly jobId: string;
  readonly command: string;
  readonly state?: string;
  readonly parentKey?: string;
}

/** Ours alone: a removal with so many descendants would take too long in one call. */
const FAMILY_TOO_LARGE = -12;

/** Only -9 is unrecoverable: the job can never complete. Everything else is a `JobStatusError`. */
export function errorFromStatus(code: number, context: StatusContext): Error {
  if (code === ErrorCode.JobHasFailedChildren) {
    return Object.assign(new UnrecoverableError(statusMessage(code, context)), { code, jobId: context.jobId });
  }
  return new JobStatusError(code, statusName(code), statusMessage(code, context), context.jobId);
}

function statusName(code: number): string {
  if (code === FAMILY_TOO_LARGE) return 'FamilyTooLarge';
  return Object.entries(ErrorCode).find(([, value]) => value === code)?.[0] ?? 'Unknown';
}

function statusMessage(code: number, { jobId, command, state = 'active', parentKey }: StatusContext): string {
  switch (code) {
    case ErrorCode.JobNotExist:
      return `Missing key for job ${jobId}. ${command}`;
    case ErrorCode.JobLockNotExist:
      return `Missing lock for job ${jobId}. ${command}`;
    case ErrorCode.JobNotInState:
      return `Job ${jobId} is not in the ${state} state. ${command}`;
    case ErrorCode.JobPendingChildren:
      return `Job ${jobId} has pending dependencies. ${command}`;
    case ErrorCode.ParentJobNotExist:
      return `Missing key for parent job ${parentKey ?? 'unknown'}. ${command}`;
    case ErrorCode.JobLockMismatch:
      return `Lock mismatch for job ${jobId}. Cmd ${command} from ${state}`;
    case ErrorCode.ParentJobCannotBeReplaced:
      return `The parent job ${parentKey ?? 'unknown'} cannot be replaced. ${command}`;
    case ErrorCode.JobBelongsToJobScheduler:
      return `Job ${jobId} belongs to a job scheduler and cannot be removed directly. ${command}`;
    case ErrorCode.JobHasFailedChildren:
      return `Cannot complete job ${jobId} because it has at least one failed child. ${command}`;
    case ErrorCode.SchedulerJobIdCollision:
      return `Cannot create job scheduler iteration - job ID already exists. ${command}`;
    case ErrorCode.SchedulerJobSlotsBusy:
      return `Cannot create job scheduler iteration - current and next time slots already have jobs. ${command}`;
    case FAMILY_TOO_LARGE:
      return `Job ${jobId} has more than 10000 jobs below it: remove its children first. ${command}`;
    default:
      return `Unknown code ${code} error for job ${jobId}. ${command}`;
  }
}

const REFUSALS = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|OOM|BUSY|MISCONF|NOAUTH|NOPERM)\b/;

/** An error reply of Redis to `what`; its text is kept, what was sent is not. */
export function errorFromReply(what: string, reply: string): CommandFailedError | RedisRefusedError {
  return REFUSALS.test(reply) ? new RedisRefusedError(what, reply) : new CommandFailedError(what, reply);
}
