import { z } from 'zod';

/** Codes of a failed command; stable, the same on every transport. */
export const ErrorCode = z.enum([
  'BAD_REQUEST',
  'UNSUPPORTED_VERSION',
  'UNKNOWN_VERB',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'NOT_FOUND',
  'BUSY',
  'CONFLICT',
  'OUT_OF_RANGE',
  'DRAINING',
  'DEADLINE',
  'PEER_GONE',
  'GAVE_UP',
  'INTERNAL',
]);
export type ErrorCode = z.infer<typeof ErrorCode>;

/** Why a command failed. `retryable`: the same command may succeed later, unchanged. */
export const ControlError = z.object({
  code: ErrorCode,
  message: z.string(),
  retryable: z.boolean(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type ControlError = z.infer<typeof ControlError>;

export const SlotState = z.enum(['booting', 'ready', 'draining', 'parked', 'gone']);
export type SlotState = z.infer<typeof SlotState>;
export const WorkerState = z.enum(['starting', 'running', 'draining', 'parked', 'gone']);
export type WorkerState = z.infer<typeof WorkerState>;
export const OperationState = z.enum(['accepted', 'running', 'done', 'failed']);
export type OperationState = z.infer<typeof OperationState>;
/** How a child ended, see control-plane section 6: only `normal` and `abnormal` count against the restart intensity. */
export const ExitClass = z.enum(['shutdown', 'planned', 'normal', 'abnormal']);
export type ExitClass = z.infer<typeof ExitClass>;

/** What ended a process. `signal` and `crash` (a code nobody asked for) are what is left when nothing more is known. */
export const ExitCause = z.enum(['asked', 'drained', 'recycle', 'boot', 'hang', 'oom', 'escalated', 'orphaned', 'signal', 'crash']);
export type ExitCause = z.infer<typeof ExitCause>;

/** A job that a worker has in hand. `startedAt` in epoch ms. */
export const JobRef = z.object({ queue: z.string(), jobId: z.string(), startedAt: z.number() });
export type JobRef = z.infer<typeof JobRef>;

/** What a drain did: jobs that finished, rejected after their abort signal, went back to wait, were neither, or still run in a process that lives on. */
export const DrainReport = z.object({
  finished: z.number(),
  aborted: z.number(),
  returned: z.array(JobRef),
  lost: z.array(JobRef),
  lingering: z.array(JobRef),
  /** Workers of your own that had not closed at the deadline: nobody knows what they had in hand. */
  abandoned: z.array(z.string()).optional(),
});
export type DrainReport = z.infer<typeof DrainReport>;

export const WorkerCounts = z.object({
  desired: z.number(),
  running: z.number(),
  starting: z.number(),
  draining: z.number(),
  parked: z.number(),
});
export type WorkerCounts = z.infer<typeof WorkerCounts>;

/** `applied` is `requested` after clamping, in the same quantity; `desired` is the size of the group from now on. */
export const ScaleReply = z.object({
  opId: z.string(),
  group: z.string(),
  requested: z.number(),
  applied: z.number(),
  desired: z.number(),
  reason: z.enum(['at_min', 'at_max', 'hard_ceiling']).optional(),
});
export type ScaleReply = z.infer<typeof ScaleReply>;

/** `count` is running + starting: it has the new value as soon as a scale verb was answered. */
export const CountReply = z.object({ count: z.number(), workers: WorkerCounts, groups: z.record(z.string(), WorkerCounts) });
export type CountReply = z.infer<typeof CountReply>;

export const StopReport = z.object({
  exitCode: z.union([z.literal(0), z.literal(79), z.literal(80), z.literal(81)]),
  drained: DrainReport,
});
export type StopReport = z.infer<typeof StopReport>;

/** Old slots whose processes have been replaced, and the release of the new ones. */
export const ReplacedReport = z.object({ replaced: z.array(z.number()), generation: z.number() });
export type ReplacedReport = z.infer<typeof ReplacedReport>;

export const OperationResult = z.union([ScaleReply, StopReport, ReplacedReport]);
export type OperationResult = z.infer<typeof OperationResult>;

export const OperationStatus = z.object({
  opId: z.string(),
  verb: z.string(),
  state: OperationState,
  done: z.number(),
  total: z.number(),
  acceptedAt: z.number(),
  endedAt: z.number().optional(),
  result: OperationResult.optional(),
  error: ControlError.optional(),
  supersededBy: z.string().optional(),
});
export type OperationStatus = z.infer<typeof OperationStatus>;

/** One end of a process. `reason` says how, for a person; `jobs` were in hand, as far as is known; `stderrTail` is the last 4 KiB that it wrote. */
export const LastExit = z.object({
  at: z.number(),
  code: z.number().nullable(),
  signal: z.string().nullable(),
  class: ExitClass,
  cause: ExitCause,
  reason: z.string(),
  uptimeMs: z.number(),
  jobs: z.array(JobRef),
  stderrTail: z.string(),
});
export type LastExit = z.infer<typeof LastExit>;

export const GroupStatus = z.object({
  group: z.string(),
  queue: z.string(),
  concurrency: z.number(),
  min: z.number(),
  max: z.number(),
  workers: WorkerCounts,
  paused: z.boolean(),
  restartsLeft: z.number(),
});
export type GroupStatus = z.infer<typeof GroupStatus>;

/** `workers` maps worker names of this process, e.g. `mail#31`, to the jobs they have in hand. */
export const ProcessStatus = z.object({
  slot: z.number(),
  pid: z.number(),
  state: SlotState,
  quiet: z.boolean(),
  suspect: z.boolean(),
  generation: z.number(),
  incarnation: z.string(),
  uptimeMs: z.number(),
  rssBytes: z.number(),
  loopUtilization: z.number(),
  loopDelayP99Ms: z.number(),
  jobsInHand: z.number(),
  /** How many of the workers do not tell what they have in hand; absent: none. Their jobs are in no count. */
  untold: z.number().optional(),
  workers: z.record(z.string(), z.number()),
  restarts: z.number(),
  lastExit: LastExit.optional(),
});
export type ProcessStatus = z.infer<typeof ProcessStatus>;

/** `processes` carries the first 50; `list` pages through all. */
export const StatusReply = z.object({
  name: z.string(),
  state: z.enum(['starting', 'running', 'degraded', 'draining', 'gave_up']),
  generation: z.number(),
  groups: z.array(GroupStatus),
  processes: z.array(ProcessStatus),
  operations: z.array(OperationStatus),
});
export type StatusReply = z.infer<typeof StatusReply>;

export const WorkerStatus = z.object({
  worker: z.string(),
  slot: z.number().optional(),
  state: WorkerState,
  /** Absent when the worker does not tell. */
  jobsInHand: z.number().optional(),
  lingering: z.array(JobRef).optional(),
  restarts: z.number(),
  error: z.string().optional(),
});
export type WorkerStatus = z.infer<typeof WorkerStatus>;

export const ListReply = z.object({ items: z.array(z.union([ProcessStatus, WorkerStatus])), next: z.string().optional() });
export type ListReply = z.infer<typeof ListReply>;

export const OperationReply = z.object({ opId: z.string() });
export type OperationReply = z.infer<typeof OperationReply>;

/** `slots` says per slot whether the command was carried out there. */
export const AckReply = z.object({ slots: z.record(z.string(), z.union([z.literal('ok'), ErrorCode])) });
export type AckReply = z.infer<typeof AckReply>;

/** What `show` has to show: its shape depends on what was asked for. */
export const DocReply = z.object({ document: z.record(z.string(), z.unknown()) });
export type DocReply = z.infer<typeof DocReply>;

/** The document of `show restarts`: the last 20 exits of each slot, oldest first. `isCut`: old exits, jobs or the start of stderr were left out. */
export const RestartsDocument = z.object({
  slots: z.array(z.object({ slot: z.number(), state: SlotState, restarts: z.number(), exits: z.array(LastExit) })),
  isCut: z.boolean(),
});
export type RestartsDocument = z.infer<typeof RestartsDocument>;

export const PingReply = z.object({
  name: z.string(),
  version: z.string(),
  pid: z.number(),
  uptimeMs: z.number(),
  protocols: z.array(z.number()),
});
export type PingReply = z.infer<typeof PingReply>;
