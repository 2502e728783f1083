import { CronExpressionParser } from 'cron-parser';
import type { RepeatOptions } from './job-options.js';
import type { JobRecord } from './job-record.js';

/** The rule of a job scheduler, as its iterations carry it. Instants in epoch ms. */
export interface RepeatRule {
  /** Cron expression of 5 or 6 fields. Without one, the rule is an interval, which the scripts work out. */
  readonly pattern: string | undefined;
  /** IANA zone; undefined: the zone of this process. */
  readonly tz: string | undefined;
  readonly startAt: number | undefined;
  readonly endAt: number | undefined;
  /** Iterations in all, and the number of the one that carries the rule. */
  readonly limit: number | undefined;
  readonly count: number;
  /** The slot of the iteration that carries the rule. */
  readonly previousAt: number;
}

/** An application's own rule, in place of cron: the next instant after `millis` (epoch ms), or nothing when the schedule is over. */
export type RepeatStrategy = (
  millis: number,
  opts: Readonly<RepeatOptions>,
  name?: string,
) => number | undefined | null | Promise<number | undefined | null>;

/** The rule that an iteration of a scheduler carries in its stored options. */
export function repeatRule({ opts }: JobRecord): RepeatRule {
  const stored = typeof opts.repeat === 'object' && opts.repeat !== null ? (opts.repeat as Readonly<Record<string, unknown>>) : {};
  return {
    pattern: typeof stored.pattern === 'string' ? stored.pattern : undefined,
    tz: typeof stored.tz === 'string' ? stored.tz : undefined,
    startAt: instant(stored.startDate),
    endAt: instant(stored.endDate),
    limit: numeric(stored.limit),
    count: numeric(stored.count) ?? 0,
    previousAt: numeric(opts.prevMillis) ?? 0,
  };
}

/** Whether the schedule has come to its end: no iteration follows. */
export function isOver({ limit, count, endAt }: RepeatRule, now: number): boolean {
  return (limit !== undefined && count + 1 > limit) || (endAt !== undefined && now > endAt);
}

/**
 * Epoch ms of the iteration after the one that carries the rule, for a cron pattern: its first match after now, after the slot before and
 * from its start on; past its end there is none. Daylight saving is that of the zone: what is skipped in spring runs an hour later.
 * @throws Error when the pattern or the zone cannot be read.
 */
export function nextRunAt(rule: RepeatRule, now: number): number | undefined {
  if (rule.pattern === undefined || isOver(rule, now)) return undefined;
  const { pattern, tz, startAt = 0, endAt } = rule;
  const next = nextMatch({ pattern, tz, endAt }, Math.max(now, rule.previousAt, startAt));
  return next === undefined ? undefined : Math.max(next, now);
}

/**
 * The strategy for cron patterns, for an application's own to fall back on: epoch ms of the first match after `millis`, from the start
 * on; `millis` itself with `immediately`; undefined past the end, or without a pattern.
 * @throws Error when the pattern or the zone cannot be read.
 */
export function defaultRepeatStrategy(millis: number, opts: RepeatOptions): number | undefined {
  const { pattern, tz, immediately, startDate, endDate } = opts;
  if (!pattern) return undefined;
  const endAt = endDate === undefined ? undefined : new Date(endDate).getTime();
  if (endAt !== undefined && millis > endAt) return undefined;
  if (immediately) return millis;
  return nextMatch({ pattern, tz, endAt }, Math.max(millis, startDate === undefined ? 0 : new Date(startDate).getTime()));
}

/** What a strategy answered, as a slot (epoch ms, not before now); undefined: the schedule is over. */
export function slotFrom(answer: number | undefined | null, now: number): number | undefined {
  return typeof answer === 'number' && Number.isFinite(answer) ? Math.max(Math.trunc(answer), now) : undefined;
}

/** The first match of a pattern after an instant, within its end. */
function nextMatch(
  { pattern, tz, endAt }: { readonly pattern: string; readonly tz: string | undefined; readonly endAt: number | undefined },
  from: number,
): number | undefined {
  if (endAt !== undefined && from > endAt) return undefined;
  const expression = CronExpressionParser.parse(pattern, {
    currentDate: new Date(from),
    ...(tz === undefined ? {} : { tz }),
    ...(endAt === undefined ? {} : { endDate: new Date(endAt) }),
  });
  return expression.hasNext() ? expression.next().getTime() : undefined;
}

function instant(value: unknown): number | undefined {
  if (typeof value === 'number') return numeric(value);
  if (typeof value !== 'string') return undefined;
  return numeric(/^\d+$/.test(value) ? Number(value) : Date.parse(value));
}

function numeric(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
