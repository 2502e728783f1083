import type { QueueRef } from '../keys/queue-keys.js';
import type { JobRecord } from './job-record.js';
import { toPublicOptions } from './stored-options.js';

/** A record with public names and decoded values, as BullMQ's `toJSON` prints it. */
export function toPublicJson(queue: QueueRef, record: JobRecord): Record<string, unknown> {
  const { opts, returnvalue, stacktrace, ...rest } = record;
  return {
    ...rest,
    stacktrace: [...stacktrace],
    opts: toPublicOptions(opts),
    returnvalue: returnvalue ?? null,
    queueQualifiedName: queue.qualified,
  };
}

/** A record as BullMQ's `asJSON` gives it: data, results and stack traces as JSON texts, options with stored names. */
export function toStoredJson(record: JobRecord): Record<string, unknown> {
  const { delay: _delay, priority: _priority, data, stacktrace, returnvalue, ...rest } = record;
  return {
    ...rest,
    data: JSON.stringify(data) ?? '{}',
    stacktrace: JSON.stringify(stacktrace),
    returnvalue: JSON.stringify(returnvalue ?? null),
  };
}

/** A record as BullMQ lists children: without its id, and without what is not stored. */
export function toChildJson(record: JobRecord): Record<string, unknown> {
  const { id: _id, data, stacktrace, returnvalue, ...rest } = record;
  return {
    ...rest,
    data: JSON.stringify(data) ?? '{}',
    ...(stacktrace.length === 0 ? {} : { stacktrace: JSON.stringify(stacktrace) }),
    ...(returnvalue === undefined ? {} : { returnvalue: JSON.stringify(returnvalue) }),
  };
}
