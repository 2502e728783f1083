/** BullMQ as a peer over the same Redis: both major versions behind one interface, closed when the test ends. */
import * as v5 from 'bullmq-v5';
import * as v6 from 'bullmq-v6';
import { atEnd } from './at-end.js';

/** What the tests use of either version. */
export interface Peer {
  readonly version: string;
  queue(name: string, where: PeerPlace): PeerQueue;
  worker(
    name: string,
    processor: (job: { id?: string; name: string; data: unknown; attemptsMade: number }) => Promise<unknown>,
    where: PeerPlace,
    options?: number | Record<string, unknown>,
  ): Promise<PeerWorker>;
  events(name: string, where: PeerPlace): Promise<PeerEvents>;
  flows(where: PeerPlace): PeerFlows;
}

export interface PeerFlows {
  add(flow: object, opts?: object): Promise<PeerNode>;
  addBulk(flows: object[]): Promise<PeerNode[]>;
  getFlow(request: object): Promise<PeerNode | undefined>;
}

export interface PeerNode {
  readonly job: { readonly id?: string; readonly name: string; readonly returnvalue: unknown; readonly queueQualifiedName: string };
  readonly children?: readonly PeerNode[];
}

export interface PeerPlace {
  readonly url: string;
  readonly prefix: string;
}

export interface PeerQueue {
  add(name: string, data: unknown, opts?: Record<string, unknown>): Promise<{ id?: string }>;
  addBulk(jobs: { name: string; data: unknown; opts?: Record<string, unknown> }[]): Promise<{ id?: string }[]>;
  waitUntilReady(): Promise<unknown>;
  getJobCounts(): Promise<Record<string, number>>;
  getJob(id: string): Promise<PeerJob | undefined>;
  getWorkers(): Promise<unknown[]>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  upsertJobScheduler(id: string, repeat: Record<string, unknown>, template?: Record<string, unknown>): Promise<{ id?: string }>;
  removeJobScheduler(id: string): Promise<boolean>;
  promoteJobs(): Promise<void>;
  rateLimit(ms: number): Promise<void>;
  getMetrics(type: string): Promise<{ meta: object; data: number[]; count: number }>;
}

export interface PeerJob {
  readonly returnvalue: unknown;
  readonly failedReason?: string;
  readonly attemptsMade: number;
  readonly stacktrace: string[] | null;
  readonly progress: unknown;
}

export interface PeerWorker {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  close(force?: boolean): Promise<void>;
}

export interface PeerEvents {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  once(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
}

type Bullmq = typeof v6;

function peer(version: string, bullmq: Bullmq): Peer {
  const options = ({ url, prefix }: PeerPlace) => ({ connection: { url, maxRetriesPerRequest: null }, prefix });
  return {
    version,
    queue(name, where) {
      const queue = new bullmq.Queue(name, options(where));
      atEnd(() => queue.close());
      return queue as unknown as PeerQueue;
    },
    async worker(name, processor, where, more = 1) {
      const chosen = typeof more === 'number' ? { concurrency: more } : { concurrency: 1, ...more };
      const worker = new bullmq.Worker(name, processor as never, { ...options(where), ...chosen });
      atEnd(() => worker.close());
      await worker.waitUntilReady();
      return worker as unknown as PeerWorker;
    },
    async events(name, where) {
      const events = new bullmq.QueueEvents(name, options(where));
      atEnd(() => events.close());
      await events.waitUntilReady();
      return events as unknown as PeerEvents;
    },
    flows(where) {
      const flows = new bullmq.FlowProducer(options(where));
      atEnd(() => flows.close());
      return flows as unknown as PeerFlows;
    },
  };
}

/** Version 6 and late version 5. */
export const peers: readonly Peer[] = [peer('v6', v6), peer('v5', v5 as unknown as Bullmq)];
