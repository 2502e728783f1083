import { CommandFailedError } from '../errors/index.js';
import { decodeFetched, type FetchedJob } from '../job/index.js';
import type { ExchangeCall, ExchangeReply } from './exchange.js';

/** Statuses above 0 that the exchange script answers for an outcome. */
export const OutcomeStatus = {
  Done: 0,
  /** `wait-children` only: no child is pending; the job is still active and locked. */
  NothingToWaitFor: 1,
  /** An earlier try of the same outcome is in Redis already. */
  AlreadyDone: 2,
} as const;

/** Raw reply of lua/commands/exchange-jobs.lua -> typed. An outcome that an earlier try had committed counts as done. */
export function readExchangeReply(raw: unknown, call: ExchangeCall): ExchangeReply {
  if (!Array.isArray(raw) || raw.length < 6) throw new CommandFailedError('script exchange-jobs', 'unexpected reply');
  const [statuses, jobs, left, limitedMs, blocked, nextDueAt] = raw as [number[], unknown[], number, number, number, number];
  return {
    codes: statuses.map((status) => (status === OutcomeStatus.AlreadyDone ? OutcomeStatus.Done : status)),
    jobs: readJobs(jobs, call),
    left,
    limitedForMs: limitedMs,
    isBlocked: blocked === 1,
    nextDueAt,
  };
}

function readJobs(raw: readonly unknown[], { token, now, profile }: ExchangeCall): FetchedJob[] {
  const jobs: FetchedJob[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    jobs.push(decodeFetched(raw[at] as string, raw[at + 1] as (string | null)[], token, now, profile.name));
  }
  return jobs;
}

/**
 * HGETALL reply -> fields; undefined for an empty one (no such job). It is flat out of a script, and an object where the driver has
 * transformed it.
 */
export function readFields(raw: unknown): Record<string, string> | undefined {
  if (!Array.isArray(raw)) return Object.keys(raw as object).length === 0 ? undefined : { ...(raw as Record<string, string>) };
  if (raw.length === 0) return undefined;
  const fields: Record<string, string> = {};
  for (let at = 0; at < raw.length; at += 2) fields[raw[at] as string] = raw[at + 1] as string;
  return fields;
}
