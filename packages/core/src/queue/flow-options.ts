import { anObject, checked, flag, type Shape, text } from '../kit/index.js';
import { type ConnectionInput, checkConnection } from '../redis/index.js';
import { checkTelemetry, type Telemetry } from '../telemetry/telemetry.js';
import { LOCAL, QUEUE_OPTIONS, type QueueOptions } from './queue-options.js';

/** BullMQ's options of a FlowProducer by name and meaning. */
export interface FlowProducerOptions {
  /** Where Redis is, as for a Queue. On a cluster, all queues of a flow have to share a slot: put a hash tag into the prefix. */
  readonly connection?: ConnectionInput;
  /** For nodes that name none. Default `bull`. */
  readonly prefix?: string;
  /** Takes any server, also one older than Redis 6.2. Default false. */
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

/** The options below the edge. */
export interface ResolvedFlowProducerOptions {
  readonly connection: ConnectionInput;
  readonly prefix: string;
  readonly skipVersionCheck: boolean;
  readonly telemetry: Telemetry | undefined;
}

/** How each option is checked; what is not in here is refused. */
export const FLOW_PRODUCER_OPTIONS: Shape<FlowProducerOptions> = {
  connection: checkConnection,
  prefix: text,
  skipVersionCheck: flag,
  skipWaitingForReady: flag,
  telemetry: checkTelemetry,
};

/** How the options of an add are checked: those of its queues, as a `Queue` would check them. */
export const FLOW_OPTIONS: Shape<FlowOptions> = {
  queuesOptions: (option, value) => {
    for (const [name, options] of Object.entries(anObject(option, value))) checked(`${option}.${name}`, options, QUEUE_OPTIONS);
  },
};

/** @throws InvalidOptionError */
export function resolveFlowProducerOptions(input: FlowProducerOptions): ResolvedFlowProducerOptions {
  const { connection = LOCAL, prefix = 'bull', skipVersionCheck = false, telemetry } = checked('', input, FLOW_PRODUCER_OPTIONS);
  return Object.freeze({ connection, prefix, skipVersionCheck, telemetry });
}
