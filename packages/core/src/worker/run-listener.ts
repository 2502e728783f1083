import type { QueueRef } from '../keys/queue-keys.js';
import { toError } from '../kit/index.js';
import { channels } from '../telemetry/channels.js';
import type { RunListener } from './executor.js';
import { JobMessages } from './messages.js';
import type { WorkerEvents } from './worker-events.js';

type EventName = keyof WorkerEvents<unknown, unknown, string>;

/** How a worker speaks to its application. */
export interface Voice {
  tell(event: EventName, ...payload: unknown[]): void;
  problem(error: Error): void;
  isHeard(event: EventName): boolean;
}

/** What happens to the jobs of an executor, told as the worker's events and on the diagnostics channels. Nothing is made that nobody hears. */
export function runListener(queue: QueueRef, voice: Voice): RunListener {
  const messages = new JobMessages(queue);
  return {
    active: (job) => {
      if (channels.jobStart.hasSubscribers) channels.jobStart.publish(messages.of(job));
      voice.tell('active', job, 'waiting');
    },
    completed: (job, result) => {
      if (channels.jobComplete.hasSubscribers) channels.jobComplete.publish(messages.ended(job));
      if (!voice.isHeard('completed')) return;
      job.applyUpdate({ returnvalue: result, attemptsMade: job.attemptsMade + 1 });
      voice.tell('completed', job, result, 'active');
    },
    failed: (job, error) => {
      if (channels.jobFail.hasSubscribers) channels.jobFail.publish(messages.ended(job, error));
      if (!voice.isHeard('failed')) return;
      job.applyUpdate({ failedReason: error.message, attemptsMade: job.attemptsMade + 1 });
      voice.tell('failed', job, error, 'active');
    },
    progress: (job, progress) => voice.tell('progress', job, progress),
    returned: ({ job }) => {
      if (channels.jobReturn.hasSubscribers) channels.jobReturn.publish(messages.ended(job));
    },
    lockLost: ({ job, signal }) => {
      if (channels.jobLost.hasSubscribers) channels.jobLost.publish(messages.ended(job, signal.reason));
      voice.tell('lockRenewalFailed', [job.id]);
      voice.problem(toError(signal.reason));
    },
    locksRenewed: (jobIds) => voice.tell('locksRenewed', { count: jobIds.length, jobIds: [...jobIds] }),
    drained: () => voice.tell('drained'),
    stalled: (jobIds) => {
      for (const jobId of jobIds) voice.tell('stalled', jobId, 'active');
    },
    problem: (error) => voice.problem(error),
  };
}
