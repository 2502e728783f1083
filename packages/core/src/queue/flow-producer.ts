import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'eventemitter3';
import { addedRecord, Job, type JobRecord } from '../job/index.js';
import { type QueueRef, queueRef } from '../keys/queue-keys.js';
import { anArray, type Check, checked, OncePrinter, positiveInt, type Shape, text } from '../kit/index.js';
import { leaseRuntime, type RuntimeLease } from '../runtime/registry.js';
import { ChildrenStore, FlowStore, InspectStore, JobStore, type LEFT_OUT } from '../store/index.js';
import { type TracedSpan, Tracing } from '../telemetry/tracing.js';
import { type FlowJob, flowNodes, type PlannedNode } from './flow-nodes.js';
import { FLOW_OPTIONS, type FlowOptions, type FlowProducerOptions, resolveFlowProducerOptions } from './flow-options.js';
import { FlowReader } from './flow-reader.js';
import { tracedFlow, tracedFlows, tracedNodes } from './traced-flows.js';

/** A job of a flow, and its children; a job without any has no `children`. */
export interface JobNode {
  // biome-ignore lint/suspicious/noExplicitAny: a flow has jobs of many queues
  readonly job: Job<any, any, string>;
  readonly children?: readonly JobNode[];
}

/** Which flow to read, and how much of it. */
export interface FlowRequest {
  readonly queueName: string;
  readonly id: string;
  /** Default: that of the FlowProducer. */
  readonly prefix?: string;
  /** Levels, the root being one. Default 10. */
  readonly depth?: number;
  /** Children of each kind (done, pending, ignored, failed) per job. Default 20. */
  readonly maxChildren?: number;
}

export interface FlowEventMap {
  /** A job below the root could not be added. Without a listener, errors are printed once per message. */
  error: (error: Error) => void;
  /** The connection to Redis was lost. */
  'ioredis:close': () => void;
}

interface PlacedRecord {
  readonly queue: QueueRef;
  readonly record: JobRecord;
  readonly parentAt: number;
}

interface Inserted {
  readonly trees: JobNode[];
  /** By index of the node. */
  readonly refused: ReadonlyMap<number, Error>;
}

const unchecked: Check = () => undefined; // `queueRef` looks at it
export const FLOW_REQUEST: Shape<FlowRequest> = {
  queueName: unchecked,
  id: text,
  prefix: text,
  depth: positiveInt,
  maxChildren: positiveInt,
};
const unheard = new OncePrinter((line) => console.error(line));

/**
 * Adds trees of jobs, with BullMQ's names: a job runs when all jobs below it have ended well. The jobs of one call may be of any queues
 * and are added in one step. Shares its connection with the queues and workers of the process that name the same Redis.
 */
export class FlowProducer extends EventEmitter<FlowEventMap> {
  readonly opts: FlowProducerOptions;
  readonly #prefix: string;
  readonly #lease: RuntimeLease;
  readonly #store: FlowStore;
  readonly #reader: FlowReader;
  readonly #tracing: Tracing | undefined;
  readonly #detach: () => void;
  #closing: Promise<void> | undefined;

  /** @throws InvalidOptionError */
  constructor(options: FlowProducerOptions = {}) {
    super();
    const { connection, prefix, skipVersionCheck, telemetry } = resolveFlowProducerOptions(options);
    this.opts = options;
    this.#prefix = prefix;
    this.#tracing = telemetry && new Tracing(telemetry, '', (error) => this.#problem(error));
    this.#lease = leaseRuntime(connection, skipVersionCheck);
    const { scripts } = this.#lease.runtime.connections;
    this.#store = new FlowStore(scripts);
    this.#reader = new FlowReader(new InspectStore(scripts), new ChildrenStore(scripts));
    this.#detach = this.#listen();
  }

  /** Resolves when Redis answers. @throws RedisUnreachableError when it does not within the connection's limit. */
  waitUntilReady(): Promise<void> {
    return this.#lease.runtime.connections.command.whenReady();
  }

  /**
   * Adds one flow: all of its jobs at once, or none. A job whose id is stored already is taken into the flow as it is, with its state and
   * result. One that belongs to another living parent stays there, and nothing is added below it: of the root, that is thrown; of the
   * others, told as `error`, and the rest of the flow is there.
   * @throws InvalidOptionError before anything is sent; JobStatusError when the root was refused; ConnectionLostError when the answer got
   * lost: the flow may have been added.
   */
  async add(flow: FlowJob, options: FlowOptions = {}): Promise<JobNode> {
    checked('', options, FLOW_OPTIONS);
    const tracing = this.#tracing;
    return tracing ? tracedFlow(tracing, flow, (span) => this.#add(flow, options, span)) : this.#add(flow, options);
  }

  async #add(flow: FlowJob, options: FlowOptions, span?: TracedSpan): Promise<JobNode> {
    const { trees, refused } = await this.#insert([['flow', flow]], options, span);
    const ofRoot = refused.get(0);
    if (ofRoot) throw ofRoot;
    this.#tell(refused);
    return trees[0] as JobNode;
  }

  /** Adds many flows in one step. What was refused, of roots too, is told as `error`. @throws as `add` does. */
  async addBulk(flows: readonly FlowJob[]): Promise<JobNode[]> {
    anArray('flows', flows);
    const tracing = this.#tracing;
    return tracing ? tracedFlows(tracing, flows, (span) => this.#addBulk(flows, span)) : this.#addBulk(flows);
  }

  async #addBulk(flows: readonly FlowJob[], span?: TracedSpan): Promise<JobNode[]> {
    const roots = flows.map((flow, at) => [`flows[${at}]`, flow] as const);
    const { trees, refused } = await this.#insert(roots, {}, span);
    this.#tell(refused);
    return trees;
  }

  /**
   * Reads a flow as it stands now, level by level; jobs that were removed are left out, with what is below them.
   * @returns undefined when there is no such job. @throws InvalidOptionError, also for more than 10,000 jobs.
   */
  async getFlow(request: FlowRequest): Promise<JobNode | undefined> {
    const { queueName, id, prefix = this.#prefix, depth = 10, maxChildren = 20 } = checked('request', request, FLOW_REQUEST);
    text('request.id', id);
    const queue = queueRef(queueName, prefix);
    await this.waitUntilReady();
    return this.#treesOf(await this.#reader.read(queue, id, { depth, maxChildren }))[0];
  }

  /** Gives the connection back; the last of its users closes it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  disconnect(): Promise<void> {
    return this.close();
  }

  async #insert(
    roots: readonly (readonly [path: string, flow: FlowJob])[],
    { queuesOptions }: FlowOptions,
    span: TracedSpan | undefined,
  ): Promise<Inserted> {
    const now = this.#lease.runtime.clock.now();
    const nodes = flowNodes(roots, { prefix: this.#prefix, queuesOptions, now, newId: () => randomUUID() });
    const place = (placed: readonly PlannedNode[]) => this.#place(placed, now);
    return this.#tracing && span ? tracedNodes(this.#tracing, span, nodes, place) : place(nodes);
  }

  async #place(nodes: readonly PlannedNode[], now: number): Promise<Inserted> {
    const results = await this.#store.add({ nodes, now });
    const refused = new Map(results.flatMap((result, at) => (result instanceof Error ? [[at, result] as const] : [])));
    const placed = nodes.map((node, at) => placedRecord(node, results[at]));
    return { trees: this.#treesOf(placed), refused };
  }

  /** Nodes, each parent before its children -> trees. */
  #treesOf(nodes: readonly PlacedRecord[]): JobNode[] {
    const { connections, clock } = this.#lease.runtime;
    const stores = new Map<QueueRef, JobStore>();
    const trees: JobNode[] = [];
    const built: { job: Job; children?: JobNode[] }[] = [];
    for (const { queue, record, parentAt } of nodes) {
      const store = stores.get(queue) ?? new JobStore(queue, connections.scripts, clock);
      stores.set(queue, store);
      const node = { job: new Job(queue, record, store) };
      built.push(node);
      const parent = built[parentAt];
      if (!parent) trees.push(node);
      else if (parent.children) parent.children.push(node);
      else parent.children = [node];
    }
    return trees;
  }

  async #close(): Promise<void> {
    this.#detach();
    await this.#lease.release();
  }

  #listen(): () => void {
    const { connections } = this.#lease.runtime;
    const offline = (): void => void this.emit('ioredis:close');
    const failed = (error: Error): void => this.#problem(error);
    connections.on('offline', offline).on('error', failed);
    return () => void connections.off('offline', offline).off('error', failed);
  }

  #tell(refused: ReadonlyMap<number, Error>): void {
    for (const error of refused.values()) this.#problem(error);
  }

  #problem(error: Error): void {
    if (this.listenerCount('error') > 0) this.emit('error', error);
    else unheard.print(`[drover] flows: ${error.message}`);
  }
}

/** What Redis has of a node that was added; one that was refused or left out is shown as it was asked for. */
function placedRecord({ queue, job, data, parentAt }: PlannedNode, result: string | Error | typeof LEFT_OUT | undefined): PlacedRecord {
  return { queue, record: addedRecord(job, data, typeof result === 'string' ? result : job.id), parentAt };
}
