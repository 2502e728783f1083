import type { QueueRef } from '../keys/queue-keys.js';
import type { JobRecord } from './job-record.js';
import { toPublicOptions } from './stored-options.js';

/** A record with public names and decoded values, as BullMQ's `toJSON` prints it. */
export function toPublicJson(queue: QueueRef, record: JobRecord): Record<string, unknown> {
  const { opts, returnvalue, ...rest } = record;
  return { ...rest, opts: toPublicOptions(opts), returnvalue: returnvalue ?? null, queueQualifiedName: queue.qualified };
}

/** A record as its hash has it, as BullMQ's `asJSON` gives it: data, results and stack traces as JSON texts, options with stored names. */
export function toStoredJson(record: JobRecord): Record<string, unknown> {
  const { data, stacktrace, returnvalue, ...rest } = record;
  return {
    ...rest,
    data: JSON.stringify(data) ?? '{}',
    stacktrace: JSON.stringify(stacktrace),
    returnvalue: JSON.stringify(returnvalue ?? null),
  };
}
