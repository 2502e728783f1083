import { errorFromStatus } from '../errors/index.js';
import type { NewJob } from '../job/index.js';
import { type QueueRef, queueKeys } from '../keys/queue-keys.js';
import type { RedisArgument, Scripts } from '../redis/index.js';
import { pushJob } from './producer-store.js';

/** One job of a tree, with an id. A list of them has each parent before its children. */
export interface FlowNode {
  readonly queue: QueueRef;
  readonly job: NewJob & { readonly id: string };
  /** Index of its parent in the list; -1: a root. */
  readonly parentAt: number;
  /** Jobs of the list are its children: it begins by waiting for them. */
  readonly hasChildren: boolean;
  /** The id is the caller's own, so it may be stored already. */
  readonly isOwnId: boolean;
}

export interface AddFlowCall {
  /** Up to 10,000, of any number of trees. */
  readonly nodes: readonly FlowNode[];
  /** Epoch ms. */
  readonly now: number;
}

/** The job was not added because one above it was refused. */
export const LEFT_OUT = Symbol('left out');

/** Adds trees of jobs to many queues in one step. Waits for a connection, as a ProducerStore does. */
export class FlowStore {
  constructor(private readonly scripts: Scripts) {}

  /** @returns by node: the id of its job (or of the one that stands for it), the Error that kept it out, or LEFT_OUT. */
  async add({ nodes, now }: AddFlowCall): Promise<(string | Error | typeof LEFT_OUT)[]> {
    if (nodes.length === 0) return [];
    await this.scripts.connection.whenReady();
    const queues = new Map<QueueRef, number>();
    for (const { queue } of nodes) if (!queues.has(queue)) queues.set(queue, queues.size + 1);
    const args: RedisArgument[] = [now, nodes.length];
    for (const { queue, parentAt, hasChildren, isOwnId } of nodes) {
      args.push(queues.get(queue) as number, parentAt + 1, (hasChildren ? 'p' : '') + (isOwnId ? 'c' : ''));
    }
    for (const { job } of nodes) pushJob(args, job);
    const metaKeys = [...queues.keys()].map((queue) => queueKeys(queue).meta);
    const reply = (await this.scripts.call('add-flow', metaKeys, args)) as (string | number)[];
    return nodes.map(({ job }, at) => readAdded(reply[at], job));
  }
}

function readAdded(result: string | number | undefined, { id, parent }: FlowNode['job']): string | Error | typeof LEFT_OUT {
  if (typeof result === 'string') return result;
  if (result === 0) return LEFT_OUT;
  return errorFromStatus(Number(result), { jobId: id, command: 'addJob', ...(parent ? { parentKey: parent.key } : {}) });
}
