import { type JobsOptions, newJob } from '../job/index.js';
import { type QueueRef, queueRef } from '../keys/queue-keys.js';
import { anArray, anObject, type Check, checked, InvalidOptionError, type Shape, text } from '../kit/index.js';
import type { FlowNode } from '../store/index.js';
import type { FlowOptions } from './flow-options.js';

/** A job of a flow, and those that have to end before it. */
export interface FlowJob {
  readonly name: string;
  readonly queueName: string;
  readonly data?: unknown;
  /** Default: that of the FlowProducer, whatever the parent has. */
  readonly prefix?: string;
  /** A node with children cannot be deduplicated. `parent` counts for the root only: the root becomes a child of a job that exists. */
  readonly opts?: JobsOptions;
  readonly children?: readonly FlowJob[];
}

/** What nodes are built with. `newId` gives ids to jobs without one of their own; `now` is epoch ms. */
export interface FlowSettings {
  readonly prefix: string;
  readonly queuesOptions: FlowOptions['queuesOptions'];
  readonly now: number;
  newId(): string;
}

/** A node with its data as the caller gave it. */
export interface PlannedNode extends FlowNode {
  readonly data: unknown;
}

/** Jobs of one call: Redis adds them in one step, during which it does nothing else. */
export const MAX_FLOW_JOBS = 10_000;
/** UTF-16 units of their data, for the same reason. */
export const MAX_FLOW_DATA = 33_554_432;

const unchecked: Check = () => undefined; // `newJob` and `queueRef` look at them
/** What a node may have. */
export const FLOW_JOB: Shape<FlowJob> = {
  name: unchecked,
  queueName: unchecked,
  data: unchecked,
  prefix: text,
  opts: anObject,
  children: anArray,
};

interface Open {
  readonly flow: FlowJob;
  readonly parentAt: number;
  /** How errors name it: `flow.children[2]`. */
  readonly path: string;
}

/**
 * Trees -> their jobs, checked and encoded, level by level: each parent before its children, and otherwise in the order given. So they
 * enter their queues, as BullMQ's do.
 * @param roots trees by the name that errors give them.
 * @throws InvalidOptionError naming the node; also for more jobs or data than one call may have, and for a job below itself.
 */
export function flowNodes(roots: readonly (readonly [path: string, flow: FlowJob])[], settings: FlowSettings): PlannedNode[] {
  const nodes: PlannedNode[] = [];
  const open: Open[] = roots.map(([path, flow]) => ({ flow, parentAt: -1, path }));
  checkTotal('number of jobs added in one step', open.length, MAX_FLOW_JOBS);
  let size = 0;
  for (const next of open) {
    const node = flowNode(next, nodes, settings);
    const parentAt = nodes.push(node) - 1;
    size += node.job.data.length;
    checkTotal('length of the data added in one step', size, MAX_FLOW_DATA);
    const children = childrenOf(next.flow);
    checkTotal('number of jobs added in one step', open.length + children.length, MAX_FLOW_JOBS);
    for (const [at, flow] of children.entries()) open.push({ flow, parentAt, path: `${next.path}.children[${at}]` });
  }
  return nodes;
}

function checkTotal(what: string, total: number, most: number): void {
  if (total > most) throw new InvalidOptionError(what, total, `at most ${most}`);
}

function flowNode({ flow, parentAt, path }: Open, nodes: readonly FlowNode[], settings: FlowSettings): PlannedNode {
  checked(path, flow, FLOW_JOB);
  const { name, queueName, data } = flow;
  const prefix = flow.prefix ?? settings.prefix;
  const opts = flow.opts ?? {};
  const hasChildren = childrenOf(flow).length > 0;
  const defaults = settings.queuesOptions?.[queueName]?.defaultJobOptions ?? {};
  const above = nodes[parentAt];
  const parent = above && { id: above.job.id, queue: above.queue.qualified };
  const { queue, job } = within(path, () => {
    const ref = queueRef(queueName, prefix);
    return { queue: ref, job: newJob(name, data, parent ? { ...opts, parent } : opts, defaults, settings.now) };
  });
  if (hasChildren && job.deduplication) {
    throw new InvalidOptionError(`${path}.opts.deduplication`, job.deduplication, 'absent for a job with children');
  }
  const isOwnId = job.id !== undefined;
  if (isOwnId) refuseOwnAncestor(queue, job.id, parentAt, nodes, path);
  return { queue, job: { ...job, id: job.id ?? settings.newId() }, data, parentAt, hasChildren, isOwnId };
}

function childrenOf({ children }: FlowJob): readonly FlowJob[] {
  return children ?? [];
}

/** A job that waits for itself would wait for ever. */
function refuseOwnAncestor(queue: QueueRef, id: string, parentAt: number, nodes: readonly FlowNode[], path: string): void {
  for (let at = parentAt; at >= 0; at = (nodes[at] as FlowNode).parentAt) {
    const above = nodes[at] as FlowNode;
    if (above.queue === queue && above.job.id === id) {
      throw new InvalidOptionError(`${path}.opts.jobId`, id, 'another one than those of the jobs that wait for it');
    }
  }
}

/** Errors of one node say which it is. */
function within<T>(path: string, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (error instanceof InvalidOptionError) throw error.within(path);
    throw error;
  }
}
