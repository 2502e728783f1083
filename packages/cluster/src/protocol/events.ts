import { z } from 'zod';

/** Everything that a subscriber can hear of. */
export const TOPICS = [
  'primary.ready',
  'primary.degraded',
  'primary.draining',
  'primary.gave_up',
  'process.booting',
  'process.ready',
  'process.draining',
  'process.drained',
  'process.exited',
  'process.parked',
  'process.suspect',
  'worker.running',
  'worker.failed',
  'worker.draining',
  'worker.lingering',
  'worker.parked',
  'group.failed',
  'op',
  'scale',
  /** Rolling replacements: begun, replacing, adopted, done, failed. */
  'reload',
  /** A process was recycled by its limits, or recycling has stopped because that does not help. */
  'recycle',
  'poison',
  'audit',
] as const;
export const Topic = z.enum(TOPICS);
export type Topic = z.infer<typeof Topic>;

/** A topic, `family.*`, or `*`. */
export const TopicPattern = z.string().refine((text) => TOPICS.some((topic) => matchesTopic(text, topic)), {
  error: (issue) => `unknown topic ${JSON.stringify(issue.input)}`,
});

/** Whether `pattern` (a topic, `process.*`, or `*`) covers `topic`. */
export function matchesTopic(pattern: string, topic: Topic): boolean {
  return pattern === '*' || pattern === topic || (pattern.endsWith('.*') && topic.startsWith(pattern.slice(0, -1)));
}
