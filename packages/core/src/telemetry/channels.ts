import { type Channel, channel } from 'node:diagnostics_channel';

/** What subscribers of `drover:job:*` get. Times are epoch ms. */
export interface JobMessage {
  readonly queue: string;
  readonly prefix: string;
  readonly jobId: string;
  readonly name: string;
  readonly token: string;
  readonly attempt: number;
  readonly startedAt: number;
  /** When the run ended; absent on `start`. */
  readonly endedAt?: number;
  /** On `fail`, `lost`. */
  readonly error?: unknown;
}

/**
 * Channels of `node:diagnostics_channel`. Publishing costs one property read while nobody subscribes: callers ask `hasSubscribers`
 * before they build a message.
 */
export const channels = Object.freeze({
  jobStart: channel('drover:job:start') as Channel<unknown, JobMessage>,
  jobComplete: channel('drover:job:completed') as Channel<unknown, JobMessage>,
  jobFail: channel('drover:job:failed') as Channel<unknown, JobMessage>,
  jobReturn: channel('drover:job:returned') as Channel<unknown, JobMessage>,
  jobLost: channel('drover:job:lost') as Channel<unknown, JobMessage>,
});
