import { z } from 'zod';
import { ControlCommand, type ControlReply } from './commands.js';
import { Topic } from './events.js';
import { ControlError, OperationResult } from './replies.js';

export const PROTOCOL_VERSION = 1;
export const SUPPORTED_VERSIONS: readonly number[] = [PROTOCOL_VERSION];

/** A command on its way. `deadlineMs` is the time for the answer; `key` makes a repeat within 5 min answer with the first reply. */
export const ControlRequest = z.object({
  v: z.literal(PROTOCOL_VERSION),
  kind: z.literal('req'),
  rid: z.string().min(1).max(128),
  command: ControlCommand,
  deadlineMs: z.number().int().min(1).max(3_600_000).optional(),
  key: z.string().min(1).max(128).optional(),
  progress: z.boolean().optional(),
});
export type ControlRequest = z.infer<typeof ControlRequest>;

const head = { v: z.literal(PROTOCOL_VERSION) };
const replyHead = { ...head, kind: z.literal('res'), rid: z.string() };

/** The one answer that every request gets. */
export const Reply = z.discriminatedUnion('ok', [
  z.object({ ...replyHead, ok: z.literal(true), result: z.custom<ControlReply>((value) => typeof value === 'object' && value !== null) }),
  z.object({ ...replyHead, ok: z.literal(false), error: ControlError }),
]);
export type Reply = z.infer<typeof Reply>;

const progressHead = {
  ...head,
  kind: z.literal('prog'),
  opId: z.string(),
  seq: z.number(),
  done: z.number(),
  total: z.number(),
  slot: z.number().optional(),
  note: z.string().optional(),
};
/** How an operation goes on, to whoever asked for it with `progress: true`. `seq` rises by one per operation. */
export const Progress = z.discriminatedUnion('state', [
  z.object({ ...progressHead, state: z.literal('running') }),
  z.object({ ...progressHead, state: z.literal('done'), result: OperationResult }),
  z.object({ ...progressHead, state: z.literal('failed'), error: ControlError }),
]);
export type Progress = z.infer<typeof Progress>;

/** A fact, to subscribers. `seq` rises by one per subscriber, so a gap shows. */
export const EventEnvelope = z.object({
  ...head,
  kind: z.literal('evt'),
  topic: Topic,
  seq: z.number(),
  at: z.number(),
  data: z.record(z.string(), z.unknown()),
});
export type EventEnvelope = z.infer<typeof EventEnvelope>;

/** What a client may receive. */
export const FromPrimary = z.union([Reply, Progress, EventEnvelope]);
export type FromPrimary = z.infer<typeof FromPrimary>;
