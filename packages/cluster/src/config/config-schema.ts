import { durationMs, InvalidOptionError } from '@drover/core/kit';
import { z } from 'zod';
import { parseByteSize } from './byte-size.js';

/** A duration: ms as a number, or a text such as "250ms", "10s", "5m". Parsed to ms. */
const duration = z.union([z.number(), z.string()]).transform((value, context) => {
  try {
    return durationMs('it', value);
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error;
    context.addIssue({ code: 'custom', message: error.message.replace(/^it /, '') });
    return z.NEVER;
  }
});
const positiveDuration = duration.refine((ms) => ms > 0, { error: 'must be longer than 0' });
/** A size of memory: bytes as a number, or a text such as "600mb". Parsed to bytes. */
const byteSize = z.union([z.number(), z.string()]).transform((value, context) => {
  const bytes = parseByteSize(value);
  if (bytes !== undefined) return bytes;
  context.addIssue({ code: 'custom', message: 'must be a size such as "600mb", or bytes' });
  return z.NEVER;
});
const size = z.number().int().min(0);
/** A number of workers, or `1x` (one per core: CPU-bound jobs) or `2x` (two per core: I/O-bound jobs). */
const workerCount = z.union([size, z.enum(['1x', '2x'])], { error: 'must be a whole number of at least 0, "1x" or "2x"' });
/** A URL, or ioredis options that are plain values. */
const connection = z.union([z.string().min(1), z.record(z.string(), z.unknown())], {
  error: 'must be a Redis URL or an object of connection options',
});
const modulePath = z.union([z.string().min(1), z.instanceof(URL)], {
  error: (issue) =>
    typeof issue.input === 'function'
      ? 'must be a path or URL of a module, not a function: functions do not cross a fork'
      : 'must be a path or URL of a module',
});
const restart = z.enum(['permanent', 'transient', 'temporary']);

const drain = z.strictObject({
  deadline: duration.optional(),
  abortLead: duration.optional(),
  onTimeout: z.enum(['linger', 'replace']).optional(),
  maxReturns: size.optional(),
  onMaxReturns: z.enum(['stall', 'fail']).optional(),
});

const groupOptions = {
  prefix: z.string().min(1).optional(),
  connection: connection.optional(),
  workers: workerCount.optional(),
  min: size.optional(),
  max: size.optional(),
  concurrency: z.number().int().min(1).max(100_000).optional(),
  lockDuration: positiveDuration.optional(),
  lockRenewTime: positiveDuration.optional(),
  stalledInterval: positiveDuration.optional(),
  maxStalledCount: size.optional(),
  drain: drain.optional(),
  restart: restart.optional(),
};

export const GroupSchema = z.strictObject({
  queue: z.string().min(1).optional(),
  processor: modulePath.optional(),
  worker: modulePath.optional(),
  ...groupOptions,
});

const supervision = z.strictObject({
  strategy: z.enum(['one_for_one', 'one_for_all', 'rest_for_one']).optional(),
  restart: restart.optional(),
  maxRestarts: size.optional(),
  maxSeconds: z.number().positive().optional(),
  onGiveUp: z.enum(['escalate', 'park']).optional(),
});

export const ClusterSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: 'must be 1 to 64 letters, digits, ".", "_" or "-"' })
    .optional(),
  connection: connection.optional(),
  prefix: z.string().min(1).optional(),
  persistScale: z.boolean().optional(),
  maxWorkersHard: z.number().int().min(1).optional(),
  workersPerProcess: z.number().int().min(1).optional(),
  processes: z
    .strictObject({ min: z.number().int().min(1).optional(), max: z.union([z.number().int().min(1), z.literal('cpu')]).optional() })
    .optional(),
  defaults: z.strictObject(groupOptions).optional(),
  groups: z.record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/), GroupSchema).optional(),
  supervision: z
    .strictObject({
      processes: supervision.optional(),
      workers: supervision.omit({ restart: true }).optional(),
      backoff: z
        .strictObject({
          first: duration.optional(),
          base: positiveDuration.optional(),
          factor: z.number().min(1).optional(),
          cap: positiveDuration.optional(),
          jitter: z.enum(['full', 'none']).optional(),
          resetAfter: positiveDuration.optional(),
        })
        .optional(),
      maxConsecutiveFailures: z.number().int().min(1).optional(),
    })
    .optional(),
  health: z
    .strictObject({
      heartbeat: positiveDuration.optional(),
      hangAfter: z.union([z.literal(false), positiveDuration], { error: 'must be a duration such as "12s", or false' }).optional(),
      captureStack: z.boolean().optional(),
      bootTimeout: positiveDuration.optional(),
      redisTimeout: positiveDuration.optional(),
      orphanDeadline: positiveDuration.optional(),
    })
    .optional(),
  memory: z.strictObject({ soft: byteSize.optional(), hard: byteSize.optional() }).optional(),
  recycle: z
    .strictObject({
      maxJobs: z.number().int().min(1).optional(),
      maxAge: positiveDuration.optional(),
      jitter: z.number().min(0).max(0.5).optional(),
      minInterval: positiveDuration.optional(),
    })
    .optional(),
  control: z.strictObject({ socket: z.string().min(1).optional(), parentGone: z.enum(['drain', 'stay']).optional() }).optional(),
  logs: z
    .strictObject({ format: z.enum(['json', 'pretty']).optional(), level: z.enum(['debug', 'info', 'warn', 'error']).optional() })
    .optional(),
});

/** A group as it is written in a configuration file. */
export type GroupInput = z.input<typeof GroupSchema>;
/** What `drover.config.*` holds. */
export type ClusterInput = z.input<typeof ClusterSchema>;
/** The same with a single group given directly, as `WorkerManager.start` takes it. */
export type SingleGroupInput = Omit<ClusterInput, 'groups' | 'defaults'> & GroupInput;
export type ParsedCluster = z.output<typeof ClusterSchema>;
export type ParsedGroup = z.output<typeof GroupSchema>;

const GROUP_ONLY = ['queue', 'processor', 'worker', 'workers', 'min', 'max', 'concurrency', 'lockDuration', 'lockRenewTime'] as const;
const GROUP_KEYS: ReadonlySet<string> = new Set(Object.keys(GroupSchema.shape).filter((key) => !(key in ClusterSchema.shape)));

/** A single group given at the top becomes `groups.<queue>`; anything else is left as it is. */
export function liftSingleGroup(input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if ('groups' in input || !GROUP_ONLY.some((key) => key in input)) return input;
  const entries = Object.entries(input);
  const group = Object.fromEntries(entries.filter(([key]) => GROUP_KEYS.has(key)));
  const rest = Object.fromEntries(entries.filter(([key]) => !GROUP_KEYS.has(key)));
  return { ...rest, groups: { [typeof input.queue === 'string' && input.queue ? input.queue : 'default']: group } };
}
