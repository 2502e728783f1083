import { z } from 'zod';
import { TopicPattern } from './events.js';
import type {
  AckReply,
  CountReply,
  DocReply,
  ListReply,
  OperationReply,
  OperationStatus,
  PingReply,
  ScaleReply,
  StatusReply,
} from './replies.js';

/** Which workers go first when a group shrinks; parked ones always do. */
export const Victim = z.enum(['oldest', 'youngest', 'idle']);
export type Victim = z.infer<typeof Victim>;

/** `drain` lets jobs finish up to the deadline, `fast` aborts them at once, `now` gives everything back and exits. */
export const StopMode = z.enum(['drain', 'fast', 'now']);
export type StopMode = z.infer<typeof StopMode>;

const group = z.string().min(1).optional();
const count = z.number().int().min(0).max(1_000_000);
const drainMs = z.number().int().min(0).optional();
const victim = Victim.optional();

const ScaleUp = z.object({ type: z.literal('scale_up'), group, count: count.optional() });
const ScaleDown = z.object({ type: z.literal('scale_down'), group, count: count.optional(), victim, drainMs });
const ScaleTo = z.object({ type: z.literal('scale_to'), group, count, victim, drainMs });
const WorkerCount = z.object({ type: z.literal('worker_count'), group });
const Status = z.object({ type: z.literal('status') });
const List = z.object({
  type: z.literal('list'),
  what: z.enum(['processes', 'workers']),
  group,
  slot: z.number().int().min(0).optional(),
  after: z.string().optional(),
  limit: z.number().int().min(1).max(200).optional(),
});
const Show = z.object({ type: z.literal('show'), what: z.enum(['restarts']), slot: z.number().int().min(0).optional() });
const Operation = z.object({ type: z.literal('operation'), opId: z.string(), wait: z.boolean().optional() });
const Ping = z.object({ type: z.literal('ping') });
const Subscribe = z.object({ type: z.literal('subscribe'), topics: z.array(TopicPattern).min(1) });
const processes = z.number().int().min(0).max(100).optional();
const Reload = z.object({
  type: z.literal('reload'),
  maxSurge: processes,
  maxUnavailable: processes,
  /** Only so many replacements, the first ones, are on probation; left out: all. */
  canary: processes,
  probationMs: z.number().int().min(0).max(3_600_000).optional(),
});
const slot = z.number().int().min(0);
const Restart = z.object({ type: z.literal('restart'), slot, mode: StopMode.optional() });
const Recycle = z.object({ type: z.literal('recycle'), slot: slot.optional() });
const Stop = z.object({ type: z.literal('stop'), mode: StopMode.optional(), drainMs });

/** Every command, on every transport. A new member compiles only once it has a handler and a role. */
export const ControlCommand = z.discriminatedUnion('type', [
  ScaleUp,
  ScaleDown,
  ScaleTo,
  WorkerCount,
  Status,
  List,
  Show,
  Operation,
  Ping,
  Subscribe,
  Reload,
  Restart,
  Recycle,
  Stop,
]);
export type ControlCommand = z.infer<typeof ControlCommand>;
export type Verb = ControlCommand['type'];

/** The reply that each verb has. */
export interface ReplyByVerb {
  scale_up: ScaleReply;
  scale_down: ScaleReply;
  scale_to: ScaleReply;
  worker_count: CountReply;
  status: StatusReply;
  list: ListReply;
  show: DocReply;
  operation: OperationStatus;
  ping: PingReply;
  subscribe: AckReply;
  reload: OperationReply;
  restart: OperationReply;
  recycle: OperationReply;
  stop: OperationReply;
}
export type ReplyOf<T extends Verb> = ReplyByVerb[T];
export type ControlReply = ReplyByVerb[Verb];
export type CommandOf<T extends Verb> = Extract<ControlCommand, { type: T }>;

/** `read` verbs change nothing; `write` verbs are audited. */
export const ROLE_OF_VERB: Readonly<Record<Verb, 'read' | 'write'>> = {
  scale_up: 'write',
  scale_down: 'write',
  scale_to: 'write',
  worker_count: 'read',
  status: 'read',
  list: 'read',
  show: 'read',
  operation: 'read',
  ping: 'read',
  subscribe: 'read',
  reload: 'write',
  restart: 'write',
  recycle: 'write',
  stop: 'write',
};
export const VERBS = Object.keys(ROLE_OF_VERB) as readonly Verb[];
