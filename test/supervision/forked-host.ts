/** A process as the primary has it: a real fork of `bin/host.js` through node:cluster, and the primary's end of the link. */
import cluster, { type Worker as ClusterWorker } from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@drover/core/kit';
import type { GroupConfig } from '../../packages/cluster/dist/config/resolved.js';
import { type Fact, IpcPort, type NewLinkRequest, PrimaryLink, type WorkerChange } from '../../packages/cluster/dist/link/index.js';
import { atEnd } from '../support/at-end.js';
import { testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';

export const HOST = fileURLToPath(new URL('../../packages/cluster/bin/host.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Owns one forked process: what it told, what it wrote, how it ended. */
export class ForkedHost {
  readonly incarnation = randomUUID();
  readonly facts: Fact[] = [];
  readonly link: PrimaryLink;
  readonly worker: ClusterWorker;
  stdout = '';
  stderr = '';
  ended: Ended | undefined;

  constructor(env: Record<string, string | undefined> = {}) {
    cluster.setupPrimary({ exec: HOST, args: [], execArgv: [], silent: true, serialization: 'advanced' });
    this.worker = cluster.fork({
      DROVER_ROLE: 'process',
      DROVER_SLOT: '3',
      DROVER_GENERATION: '1',
      DROVER_INCARNATION: this.incarnation,
      ...env,
    });
    this.link = new PrimaryLink(new IpcPort(this.worker), this.incarnation, systemClock({ unref: true }), (fact) => this.facts.push(fact));
    const child = this.worker.process;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    void this.#awaitEnd();
    atEnd(async () => {
      if (!this.ended) child.kill('SIGKILL');
      await until(() => this.ended, { what: 'a forked process to be gone' });
    });
  }

  /** Its exit, once all it wrote was read. The event `close` would be that, but does not come when this side disconnects. */
  async #awaitEnd(): Promise<void> {
    const { process: child } = this.worker;
    const [[code, signal]] = await Promise.all([
      once(child, 'exit'),
      once(child.stdout as Readable, 'close'),
      once(child.stderr as Readable, 'close'),
    ]);
    this.ended = { code, signal };
  }

  /** The facts of one type so far. */
  told<T extends Fact['type']>(type: T): Extract<Fact, { type: T }>[] {
    return this.facts.filter((fact): fact is Extract<Fact, { type: T }> => fact.type === type);
  }

  /** The first fact of a type that fits; those already told count. */
  fact<T extends Fact['type']>(
    type: T,
    fits: (fact: Extract<Fact, { type: T }>) => boolean = () => true,
  ): Promise<Extract<Fact, { type: T }>> {
    return until(() => this.told(type).find(fits), {
      what: `a fact ${type}; it told ${JSON.stringify(this.facts)} and wrote ${this.stderr}`,
    }) as never;
  }

  /** The last state of a worker, as told. */
  change(name: string): WorkerChange | undefined {
    return this.told('worker_state')
      .flatMap(({ changes }) => changes)
      .findLast(({ worker }) => worker === name);
  }

  async state(name: string, state: WorkerChange['state']): Promise<WorkerChange> {
    return until(() => (this.change(name)?.state === state ? this.change(name) : undefined), {
      what: `${name} to be ${state}; it told ${JSON.stringify(this.told('worker_state'))}`,
    }) as Promise<WorkerChange>;
  }

  async exit(): Promise<Ended> {
    return until(() => this.ended, { what: `the process to end; it wrote ${this.stdout}${this.stderr}`, limitMs: 15_000 });
  }

  ask(request: NewLinkRequest): Promise<Readonly<Record<string, unknown>>> {
    return this.link.request(request, 10_000);
  }

  drain(drainMs = 5_000, abortLeadMs = 1_000, mode: 'drain' | 'fast' | 'now' = 'drain'): Promise<Readonly<Record<string, unknown>>> {
    return this.ask({ type: 'drain', mode, drainMs, abortLeadMs, reason: 'stop' });
  }

  /** `hello` and `init`; what follows is the caller's to wait for. */
  async init(...groups: GroupConfig[]): Promise<void> {
    await this.fact('hello');
    await this.link.init({
      slot: 3,
      generation: 1,
      groups,
      health: { heartbeatMs: 50, hangAfterMs: 12_000, captureStack: false, bootTimeoutMs: 60_000, orphanDeadlineMs: 4_000 },
      share: 1,
    });
  }

  /** A process that is ready. */
  static async ready(...groups: GroupConfig[]): Promise<ForkedHost> {
    const host = new ForkedHost();
    await host.init(...groups);
    await host.fact('ready');
    return host;
  }
}

/** A group whose workers run one of `fixtures/modules`. */
export function group(module: string, change: Partial<GroupConfig> = {}): GroupConfig {
  const name = change.group ?? 'mail';
  return {
    group: name,
    queue: name,
    prefix: 'bull',
    connection: testRedisUrl(),
    module: { kind: 'worker', url: new URL(`./fixtures/modules/${module}`, import.meta.url).href },
    workers: 0,
    isSizeFixed: false,
    min: 0,
    max: 1_000,
    concurrency: 10,
    lockMs: 30_000,
    renewMs: 15_000,
    stalledIntervalMs: 30_000,
    maxStalledCount: 1,
    drain: { deadlineMs: 5_000, abortLeadMs: 1_000, onTimeout: 'linger', maxReturns: 5, onMaxReturns: 'stall' },
    restart: 'permanent',
    supervision: {
      strategy: 'one_for_one',
      maxRestarts: undefined,
      periodMs: 60_000,
      onGiveUp: 'escalate',
      backoff: { firstMs: 0, baseMs: 1, factor: 2, capMs: 10, jitter: 'full' },
      maxConsecutiveFailures: 5,
      resetAfterMs: 30_000,
    },
    ...change,
  };
}
