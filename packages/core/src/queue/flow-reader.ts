import { CHILD_KINDS, type JobRecord } from '../job/index.js';
import { type QueueRef, queueRef } from '../keys/queue-keys.js';
import { InvalidOptionError } from '../kit/index.js';
import type { ChildrenStore, InspectStore } from '../store/index.js';
import { MAX_FLOW_JOBS } from './flow-nodes.js';

/** A stored job of a flow. */
export interface ReadNode {
  readonly queue: QueueRef;
  readonly record: JobRecord;
  /** Index of its parent in the list; -1: the root. */
  readonly parentAt: number;
}

/** How much of a flow is read: levels from the root on, and children of each kind per job. */
export interface FlowExtent {
  readonly depth: number;
  readonly maxChildren: number;
}

interface ChildRef {
  readonly key: string;
  readonly parentAt: number;
}

/** Jobs whose children are asked for at a time: bounds what waits for answers of Redis. */
const PER_ROUND = 100;

/** Reads trees of jobs level by level, each parent before its children. */
export class FlowReader {
  constructor(
    private readonly inspect: InspectStore,
    private readonly children: ChildrenStore,
  ) {}

  /**
   * Children that are gone are left out, with those below them.
   * @returns empty when there is no such job. @throws InvalidOptionError when the flow has more jobs than may be read at once.
   */
  async read(queue: QueueRef, jobId: string, { depth, maxChildren }: FlowExtent): Promise<ReadNode[]> {
    const root = await this.inspect.job(queue, jobId);
    if (!root) return [];
    const nodes: ReadNode[] = [{ queue, record: root, parentAt: -1 }];
    let first = 0;
    for (let level = 1; level < depth && first < nodes.length; level++) {
      const last = nodes.length;
      for (let from = first; from < last; from += PER_ROUND) {
        nodes.push(...(await this.#below(nodes, from, Math.min(last, from + PER_ROUND), maxChildren)));
        if (nodes.length > MAX_FLOW_JOBS) {
          throw new InvalidOptionError('depth', depth, `less, or maxChildren: at most ${MAX_FLOW_JOBS} jobs are read at once`);
        }
      }
      first = last;
    }
    return nodes;
  }

  /** The children of the nodes from index `from` to before `to`. */
  async #below(nodes: readonly ReadNode[], from: number, to: number, maxChildren: number): Promise<ReadNode[]> {
    const parents = nodes.slice(from, to);
    const refs = (await Promise.all(parents.map((parent, nth) => this.#childrenOf(parent, from + nth, maxChildren)))).flat();
    const records = await this.inspect.jobsByKey(refs.map(({ key }) => key));
    return refs.flatMap(({ key, parentAt }, at) => {
      const record = records[at];
      return record ? [{ queue: queueOfJob(key), record, parentAt }] : [];
    });
  }

  async #childrenOf({ queue, record }: ReadNode, parentAt: number, count: number): Promise<ChildRef[]> {
    const pages = await Promise.all(CHILD_KINDS.map((kind) => this.children.page(queue, record.id, kind, { cursor: 0, count })));
    const keys = new Set(pages.flatMap(({ entries }) => entries.slice(0, count).map(([key]) => key)));
    return [...keys].map((key) => ({ key, parentAt }));
  }
}

/** `<prefix>:<queue>:<id>` -> its queue; a prefix may contain colons, the other two may not. */
export function queueOfJob(key: string): QueueRef {
  const [, prefix, name] = /^(.*):([^:]+):[^:]*$/s.exec(key) ?? [];
  return queueRef(name ?? '', prefix);
}
