/** Rules on the event stream: what stops the listeners of other clients must not be in it. */
import { isJson } from './invariants-states.js';
import { pairs, type QueueSnapshot } from './queue-snapshot.js';

/** Fields that each event has besides its name; a listener reads them without asking. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  added: ['jobId', 'name'],
  waiting: ['jobId'],
  delayed: ['jobId', 'delay'],
  active: ['jobId', 'prev'],
  progress: ['jobId', 'data'],
  completed: ['jobId', 'returnvalue', 'prev'],
  failed: ['jobId', 'failedReason', 'prev'],
  'retries-exhausted': ['jobId', 'attemptsMade'],
  stalled: ['jobId'],
  'waiting-children': ['jobId'],
  drained: [],
  paused: [],
  resumed: [],
  removed: ['jobId', 'prev'],
  cleaned: ['count'],
  duplicated: ['jobId'],
  deduplicated: ['jobId', 'deduplicationId', 'deduplicatedJobId'],
  debounced: ['jobId', 'debounceId'],
};
const JSON_FIELDS: Readonly<Record<string, string>> = { completed: 'returnvalue', progress: 'data' };
const NUMBER_FIELDS: Readonly<Record<string, string>> = { delayed: 'delay', 'retries-exhausted': 'attemptsMade', cleaned: 'count' };

/** Each entry begins with its event and has that event's fields, in a form that can be parsed. Events of other names are users'. */
export function* eventsReadable({ keys }: QueueSnapshot): Generator<string> {
  const held = keys.get('events');
  if (held?.type !== 'stream') return;
  for (const [entryId, flat] of held.entries) {
    const fields = Object.fromEntries(pairs(flat));
    const { event } = fields;
    if (flat[0] !== 'event' || event === undefined) {
      yield `entry ${entryId} does not begin with its event: ${flat.join(' ')}`;
      continue;
    }
    const missing = (FIELDS[event] ?? []).filter((field) => fields[field] === undefined);
    if (missing.length > 0) yield `entry ${entryId}: ${event} without ${missing.join(', ')}`;
    const json = JSON_FIELDS[event];
    if (json && fields[json] !== undefined && !isJson(fields[json]))
      yield `entry ${entryId}: ${json} of ${event} is not JSON: ${fields[json]}`;
    const number = NUMBER_FIELDS[event];
    if (number && fields[number] !== undefined && !/^\d+$/.test(fields[number]))
      yield `entry ${entryId}: ${number} of ${event} is not a number: ${fields[number]}`;
  }
}
