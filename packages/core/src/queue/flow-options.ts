import { InvalidOptionError, refuseUnknown } from '../kit/index.js';
import type { ConnectionInput } from '../redis/index.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { type QueueOptions, type ResolvedQueueOptions, resolveQueueOptions } from './queue-options.js';

/** BullMQ's options of a FlowProducer by name and meaning. */
export interface FlowProducerOptions {
  /** Where Redis is, as for a Queue. On a cluster, all queues of a flow have to share a slot: put a hash tag into the prefix. */
  readonly connection?: ConnectionInput;
  /** For nodes that name none. Default `bull`. */
  readonly prefix?: string;
  /** Accepted for compatibility, without effect. */
  readonly skipVersionCheck?: boolean;
  /** Accepted for compatibility, without effect. */
  readonly skipWaitingForReady?: boolean;
  /** Makes spans of the flows that are added, and lets their jobs carry the trace; see `docs/telemetry.md`. */
  readonly telemetry?: Telemetry;
}

/** Options of one `add`. */
export interface FlowOptions {
  /** By queue name, what a Queue would be given: `defaultJobOptions` is what counts here. */
  readonly queuesOptions?: Readonly<Record<string, QueueOptions>>;
}

const KNOWN: ReadonlySet<string> = new Set<keyof FlowProducerOptions>([
  'connection',
  'prefix',
  'skipVersionCheck',
  'skipWaitingForReady',
  'telemetry',
]);

/** @throws InvalidOptionError */
export function resolveFlowProducerOptions(input: FlowProducerOptions): Pick<ResolvedQueueOptions, 'connection' | 'prefix' | 'telemetry'> {
  if (typeof input !== 'object' || input === null) throw new InvalidOptionError('options', input, 'an object');
  refuseUnknown('', input, KNOWN);
  return resolveQueueOptions(input as QueueOptions);
}

/** Checks the options of an add. @throws InvalidOptionError */
export function checkFlowOptions(input: FlowOptions): void {
  if (typeof input !== 'object' || input === null) throw new InvalidOptionError('options', input, 'an object');
  refuseUnknown('', input, new Set(['queuesOptions']));
  const { queuesOptions = {} } = input;
  if (typeof queuesOptions !== 'object' || queuesOptions === null)
    throw new InvalidOptionError('queuesOptions', queuesOptions, 'an object');
  for (const [name, options] of Object.entries(queuesOptions)) {
    if (typeof options !== 'object' || options === null) throw new InvalidOptionError(`queuesOptions.${name}`, options, 'an object');
    resolveQueueOptions(options);
  }
}
