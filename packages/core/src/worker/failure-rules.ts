import { customBackoffType, type Job, type OutcomeRules } from '../job/index.js';
import { toError } from '../kit/index.js';
import type { ResolvedWorkerOptions } from './worker-options.js';

/** What decides about a failed run besides the job: the rules of its worker, chance, and what its back-off strategy answers. */
export async function failureRules(
  job: Job,
  thrown: unknown,
  options: ResolvedWorkerOptions,
  problem: (error: Error) => void,
): Promise<OutcomeRules> {
  const { removeOnComplete, removeOnFail, maxStartedAttempts, backoffStrategy } = options;
  const rules = { random: Math.random(), removeOnComplete, removeOnFail, maxStartedAttempts, isDiscarded: job.isDiscarded };
  const type = customBackoffType(job.record);
  const isLastAttempt = job.record.attemptsMade + 1 >= (job.record.opts.attempts ?? 0);
  if (type === undefined || !backoffStrategy || isLastAttempt) return rules;
  try {
    return { ...rules, customDelayMs: await backoffStrategy(job.record.attemptsMade + 1, type, toError(thrown), job) };
  } catch (error) {
    problem(toError(error));
    return rules;
  }
}
