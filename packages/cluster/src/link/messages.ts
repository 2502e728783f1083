/**
 * What travels between the primary and a process, over the IPC channel of the fork. Every message carries the incarnation; what does
 * not parse, or speaks of another incarnation, is counted and dropped. Requests (those with `rid`) are answered once, by `reply`.
 *
 *     process: hello -> (init) -> ready -> heartbeat ... -> drain_progress ... -> drained -> exit
 */
import { z } from 'zod';
import type { GroupConfig, HealthConfig } from '../config/resolved.js';
import { ControlError, DrainReport, JobRef, StopMode, WorkerState } from '../protocol/index.js';

const inc = z.string().min(1);
const linkRequest = { inc, rid: z.string().min(1) };
const ms = z.number().min(0);
const plain = <T>() => z.custom<T>((value) => typeof value === 'object' && value !== null);

const Init = z.object({
  inc,
  type: z.literal('init'),
  slot: z.number().int(),
  generation: z.number().int(),
  groups: z.array(plain<GroupConfig>()),
  health: plain<HealthConfig>(),
  /** Processes that will serve each queue: the fair share of a short queue. */
  share: z.number().int().min(1),
});
const StartWorkers = z.object({ ...linkRequest, type: z.literal('start_workers'), group: z.string(), workers: z.array(z.string()) });
const StopWorkers = z.object({
  ...linkRequest,
  type: z.literal('stop_workers'),
  workers: z.array(z.string()),
  drainMs: ms,
  abortLeadMs: ms,
  onTimeout: z.enum(['linger', 'replace']),
});
const SetShare = z.object({ ...linkRequest, type: z.literal('set_share'), share: z.number().int().min(1) });
export const DrainReason = z.enum(['stop', 'scale_down', 'reload', 'recycle', 'memory', 'escalation']);
export type DrainReason = z.infer<typeof DrainReason>;
const Drain = z.object({ ...linkRequest, type: z.literal('drain'), mode: StopMode, drainMs: ms, abortLeadMs: ms, reason: DrainReason });

/** Requests and settings, downwards. */
export const PrimaryToProcess = z.discriminatedUnion('type', [Init, StartWorkers, StopWorkers, SetShare, Drain]);
export type PrimaryToProcess = z.infer<typeof PrimaryToProcess>;

/** A change of one worker, as its process saw it. */
export const WorkerChange = z.object({
  worker: z.string(),
  state: WorkerState,
  jobsInHand: z.number(),
  restarts: z.number(),
  lingering: z.array(JobRef).optional(),
  error: z.string().optional(),
  /** True when its restart type says that it is not started again. */
  forgotten: z.boolean().optional(),
});
export type WorkerChange = z.infer<typeof WorkerChange>;

const Heartbeat = z.object({
  inc,
  type: z.literal('heartbeat'),
  seq: z.number(),
  loopDelayP99Ms: z.number(),
  loopUtilization: z.number(),
  rssBytes: z.number(),
  heapUsedBytes: z.number(),
  cpuMs: z.number(),
  jobsInHand: z.number(),
  /** Runs that ended since the process was forked: attempts that failed count, retried or not. */
  jobsCompleted: z.number(),
  jobsFailed: z.number(),
  /** Jobs in hand by worker name; only workers that have any. */
  workers: z.record(z.string(), z.number()),
});
export type Heartbeat = z.infer<typeof Heartbeat>;

/** What the watchdog thread of a process tells, a line of JSON each, on a pipe of its own: the channel is blocked with the loop. */
export const WatchdogReport = z.discriminatedUnion('type', [
  z.object({ inc, type: z.literal('suspect'), silentMs: z.number() }),
  /** It kills the process right after. */
  z.object({ inc, type: z.literal('killed'), reason: z.string() }),
]);
export type WatchdogReport = z.infer<typeof WatchdogReport>;

/** Facts and replies, upwards. */
export const ProcessToPrimary = z.discriminatedUnion('type', [
  z.object({ inc, type: z.literal('hello'), pid: z.number(), node: z.string(), version: z.string(), protocol: z.literal(1) }),
  z.object({ inc, type: z.literal('ready'), bootMs: z.number() }),
  /** The process could not boot (a module does not load); it exits with 91 right after. */
  z.object({ inc, type: z.literal('boot_failed'), error: z.string() }),
  z.object({ inc, type: z.literal('reply'), rid: z.string(), ok: z.literal(true), result: z.record(z.string(), z.unknown()).optional() }),
  z.object({ inc, type: z.literal('reply_error'), rid: z.string(), error: ControlError }),
  Heartbeat,
  z.object({ inc, type: z.literal('worker_state'), changes: z.array(WorkerChange) }),
  z.object({ inc, type: z.literal('group_failed'), group: z.string(), restarts: z.number(), error: z.string() }),
  z.object({ inc, type: z.literal('drain_progress'), left: z.number(), jobs: z.array(JobRef) }),
  z.object({ inc, type: z.literal('drained'), report: DrainReport }),
  /** It should make room for another process; see control-plane section 10. */
  z.object({ inc, type: z.literal('recycle_me'), reason: z.enum(['memory', 'max_jobs', 'max_age', 'stuck_job']) }),
  z.object({ inc, type: z.literal('log'), level: z.enum(['debug', 'info', 'warn', 'error']), line: z.string() }),
]);
export type ProcessToPrimary = z.infer<typeof ProcessToPrimary>;
