import type { QueueRef } from '../keys/queue-keys.js';

/** What other clients list workers by: `<prefix>:<base64 queue>`, with `:w:<name>` for a named worker. See the data model, section 9. */
export function workerClientName(queue: QueueRef, workerName?: string): string {
  const base = `${queue.prefix}:${Buffer.from(queue.name).toString('base64')}`;
  return workerName === undefined ? base : `${base}:w:${workerName}`;
}

/** The same for a reader of the event stream. */
export function eventsClientName(queue: QueueRef): string {
  return `${workerClientName(queue)}:qe`;
}
