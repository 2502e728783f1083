import { InvalidOptionError } from '../kit/index.js';

/** A queue on one Redis target: everything that its keys are built from. */
export interface QueueRef {
  readonly name: string;
  readonly prefix: string;
  /** `<prefix>:<queue>:`, what every key of the queue begins with. */
  readonly base: string;
  /** `<prefix>:<queue>`, the form that parents and flows name a queue by. */
  readonly qualified: string;
}

/** Keys of the queue itself; those of a job are `jobKey(queue, id)` and its suffixes. See the data model, section 1. */
export interface QueueKeys {
  readonly wait: string;
  readonly paused: string;
  readonly active: string;
  readonly prioritized: string;
  readonly pc: string;
  readonly delayed: string;
  readonly waitingChildren: string;
  readonly completed: string;
  readonly failed: string;
  readonly stalled: string;
  readonly stalledCheck: string;
  readonly marker: string;
  readonly meta: string;
  readonly id: string;
  readonly events: string;
  readonly limiter: string;
  readonly repeat: string;
  /** Ours: how often jobs went back because a drain left them no time. */
  readonly returns: string;
}

const refs = new Map<string, QueueRef>();
const keysOf = new WeakMap<QueueRef, QueueKeys>();

/** @throws InvalidOptionError when the name is empty or contains `:`, which would make its keys ambiguous. */
export function queueRef(name: string, prefix = 'bull'): QueueRef {
  if (typeof name !== 'string' || name === '' || name.includes(':')) throw new InvalidOptionError('queue name', name, 'a text without ":"');
  const qualified = `${prefix}:${name}`;
  let ref = refs.get(qualified);
  if (!ref) {
    ref = Object.freeze({ name, prefix, base: `${qualified}:`, qualified });
    refs.set(qualified, ref);
  }
  return ref;
}

/** Built once per queue: key strings are not allocated on the hot path. */
export function queueKeys(queue: QueueRef): QueueKeys {
  let keys = keysOf.get(queue);
  if (!keys) {
    const key = (suffix: string) => queue.base + suffix;
    keys = Object.freeze({
      wait: key('wait'),
      paused: key('paused'),
      active: key('active'),
      prioritized: key('prioritized'),
      pc: key('pc'),
      delayed: key('delayed'),
      waitingChildren: key('waiting-children'),
      completed: key('completed'),
      failed: key('failed'),
      stalled: key('stalled'),
      stalledCheck: key('stalled-check'),
      marker: key('marker'),
      meta: key('meta'),
      id: key('id'),
      events: key('events'),
      limiter: key('limiter'),
      repeat: key('repeat'),
      returns: key('drover:returns'),
    });
    keysOf.set(queue, keys);
  }
  return keys;
}

export function jobKey(queue: QueueRef, jobId: string): string {
  return queue.base + jobId;
}
